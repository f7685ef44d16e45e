"""A toolkit that answers from a list and remembers what it was asked."""

import asyncio
import random

import pytest

from flowreasoner.sandbox import RunOutput, TestResult, Verdict


class FakeToolkit:
    """Answers questions with `replies` in turn, grades with `verdicts`, runs with `runs`."""

    def __init__(self):
        self.random = random.Random(7)
        self.replies, self.verdicts, self.runs = [], [], []
        self.prompts, self.entry_points, self.operators, self.graded, self.programs = [], [], [], [], []

    async def ask(self, operator, values, *, entry_point=""):
        await asyncio.sleep(0)
        prompt = operator.render(values)
        self.operators.append(operator.name)
        self.prompts.append(prompt)
        self.entry_points.append(entry_point)
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply(prompt) if callable(reply) else reply

    async def grade(self, code, test_cases=None):
        self.graded.append((code, test_cases))
        failing = self.verdicts.pop(0)
        tests = (
            TestResult("t1", "pass", "assert f(0) == 0"),
            TestResult("t2", "fail", "assert f(1) == 2", failing) if failing else TestResult("t2", "pass"),
        )
        return Verdict(tests, "ok", "fake", "separated", "printed\n" if failing else "")

    async def run(self, code):
        self.programs.append(code)
        status, stdout, stderr = self.runs.pop(0)
        return RunOutput(status, stdout, stderr, "fake")


@pytest.fixture
def toolkit():
    return FakeToolkit()
