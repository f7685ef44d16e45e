"""The ten built-in operators (paper Appendix A; names, arguments and keys as in AFlow).

The paper's six are Code Generator (`CustomCodeGenerate`), Format Generator (`Format`), Ensemble
(`ScEnsemble`), Review, Revise and Code Test (`Test`); `Custom` is its custom operator. `Programmer`,
`AnswerGenerate` and `MdEnsemble` complete AFlow's set.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from flowreasoner.errors import OperatorError
from flowreasoner.operators import prompts
from flowreasoner.operators.spec import FieldKind, Operator, OperatorField

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from flowreasoner.operators.spec import Toolkit
    from flowreasoner.sandbox import Verdict

__all__ = ["BUILTIN", "REFLECT", "WRITE_TESTS", "by_name", "describe_failures"]

_PROBLEM = OperatorField("problem", "the problem to solve")
_SOLUTION = OperatorField("solution", "a proposed solution")
_ENTRY_POINT = OperatorField("entry_point", "name of the function to define")
_SOLUTIONS = OperatorField("solutions", "the candidate solutions", FieldKind.TEXTS)
_CODE_REPLY = (OperatorField("solution", "the complete program", FieldKind.CODE),)
_CHOICE = (
    OperatorField("thought", "why this one, in a few sentences", default=""),
    OperatorField("solution_letter", "the letter of the chosen solution"),
)
_PROGRAM_ATTEMPTS = 3
_VOTES = 5


def by_name(operators: Iterable[Operator]) -> Mapping[str, Operator]:
    """Returns a read-only mapping from operator names to operators."""
    return MappingProxyType({operator.name: operator for operator in operators})


# --- ensembles -------------------------------------------------------------------------------------------


def _letter(index: int) -> str:
    return chr(65 + index) if index < 26 else _letter(index // 26 - 1) + chr(65 + index % 26)


def _candidates(solutions: Sequence[Any]) -> str:
    return "\n\n".join(f"{_letter(index)}:\n{solution}" for index, solution in enumerate(solutions))


def _solutions(inputs: Mapping[str, Any]) -> list[Any]:
    solutions = inputs["solutions"]
    if isinstance(solutions, str) or not isinstance(solutions, list | tuple):
        raise OperatorError(f"solutions must be a list of strings, got {type(solutions).__name__}")
    if not solutions:
        raise OperatorError("solutions is empty: there is nothing to choose from")
    return list(solutions)


_LEADING = re.compile(r"[^\w\n]{0,12}([A-Za-z]{1,2})(?=[^\w\s]|[ \t]{0,4}(?:[(\n]|\Z))")  # "B, because A fails"
_NAMED = re.compile(r"\b(?:answer|choice|solution|option|candidate)[ \t](?:is[ \t])?[^\w\n]{0,6}([A-Z]{1,2})\b")


def _chosen(answer: str, count: int) -> int | None:
    """Returns the index that a reply such as ``B``, ``**C**``, ``solution b`` or ``2`` names."""
    letters = {_letter(index): index for index in range(count)}
    plain = _LEADING.match(answer) or next(iter(list(_NAMED.finditer(answer))[::-1]), None)
    if plain and plain[1].upper() in letters:
        return letters[plain[1].upper()]
    words = re.findall(r"[A-Za-z]+|[0-9]+", answer)[::-1]  # the last one: it may be named after a reason
    for word in words + [word.upper() for word in words]:
        if word in letters:
            return letters[word]
        if word.isdigit() and len(word) < 9 and 0 < int(word) <= count:
            return int(word) - 1
    return None


async def _vote(operator: Operator, toolkit: Toolkit, problem: str, solutions: Sequence[Any]) -> int | None:
    reply = await toolkit.ask(operator, {"problem": problem, "candidates": _candidates(solutions)})
    return _chosen(reply["solution_letter"], len(solutions))


async def _sc_ensemble(operator: Operator, toolkit: Toolkit, inputs: dict[str, Any]) -> dict[str, Any]:
    solutions = _solutions(inputs)
    if all(solution == solutions[0] for solution in solutions):  # nothing to decide, so nothing to pay for
        return {"response": solutions[0]}
    index = await _vote(operator, toolkit, inputs["problem"], solutions)
    if index is None:
        raise OperatorError(f"the model chose none of the {len(solutions)} solutions")
    return {"response": solutions[index]}


async def _md_ensemble(operator: Operator, toolkit: Toolkit, inputs: dict[str, Any]) -> dict[str, Any]:
    solutions = _solutions(inputs)
    orders = []
    for _ in range(_VOTES):
        order = list(range(len(solutions)))
        toolkit.random.shuffle(order)
        orders.append(order)
    asking = [
        asyncio.ensure_future(_vote(operator, toolkit, inputs["problem"], [solutions[i] for i in order]))
        for order in orders
    ]
    try:
        votes = await asyncio.gather(*asking)
    finally:
        for question in asking:  # where one failed, the others are not paid for
            question.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
    chosen = Counter(order[vote] for order, vote in zip(orders, votes, strict=True) if vote is not None)
    if not chosen:
        raise OperatorError(f"no vote named one of the {len(solutions)} solutions")
    return {"solution": solutions[chosen.most_common(1)[0][0]]}


# --- steps that run code ---------------------------------------------------------------------------------


def describe_failures(verdict: Verdict, most: int = 8) -> str:
    """Returns a verdict's failing tests, one a line, as a model or a person reads them."""
    failing = [test for test in verdict.tests if test.outcome != "pass"]
    lines = [f"{len(verdict.tests) - len(failing)} of {len(verdict.tests)} tests passed."]
    lines += [
        f"- {test.outcome}: {test.source}" + (f"\n  {test.detail}" if test.detail else "") for test in failing[:most]
    ]
    if len(failing) > most:
        lines.append(f"- and {len(failing) - most} more")
    if verdict.output.strip():
        lines.append("Output:\n" + verdict.output.strip()[-2000:])
    return "\n".join(lines)


REFLECT = Operator(
    "TestReflection",
    "",
    "Corrects a program after failing tests; the inner step of Test.",
    (_PROBLEM, _SOLUTION, OperatorField("failures"), _ENTRY_POINT),
    _CODE_REPLY,
    prompts.REFLECT_ON_TESTS,
)


async def _test(_: Operator, toolkit: Toolkit, inputs: dict[str, Any]) -> dict[str, Any]:
    solution, cases = inputs["solution"], inputs["test_cases"]
    cases = [cases] if isinstance(cases, str) else cases
    corrections = _count(inputs["test_loop"])
    while True:
        verdict = await toolkit.grade(solution, cases)
        if verdict.passed or corrections == 0:
            return {"result": verdict.passed, "solution": solution}
        corrections -= 1
        asked = {**inputs, "solution": solution, "failures": describe_failures(verdict)}
        reply = await toolkit.ask(REFLECT, asked, entry_point=inputs["entry_point"])
        solution = reply["solution"]


def _count(value: Any) -> int:
    try:
        return max(0, int(value))
    except (TypeError, ValueError):
        raise OperatorError(f"test_loop must be a number of corrections, got {value!r:.80}") from None


async def _programmer(operator: Operator, toolkit: Toolkit, inputs: dict[str, Any]) -> dict[str, Any]:
    code, output, feedback = "", "", ""
    for _ in range(_PROGRAM_ATTEMPTS):
        reply = await toolkit.ask(operator, {**inputs, "feedback": feedback}, entry_point="solve")
        code = reply["code"]
        ran = await toolkit.run(f"{code}\n\nprint(solve())\n")
        output = ran.stdout.strip()
        if ran.ok:
            return {"code": code, "output": output}
        output = f"Error: {ran.stderr.strip()[-2000:] or ran.status}"
        feedback = f"\nYour last program was:\n{code}\n\nIt failed:\n{output}"
    return {"code": code, "output": output}


# --- the set ---------------------------------------------------------------------------------------------

WRITE_TESTS = Operator(
    "WriteTests",
    "",
    "Writes assert statements for a query that comes without tests; used by the rounds, not by workflows.",
    (_PROBLEM, _ENTRY_POINT),
    (OperatorField("tests", "assert statements, one a line", FieldKind.CODE),),
    prompts.WRITE_TESTS,
)

BUILTIN: Mapping[str, Operator] = by_name(
    [
        Operator(
            "Custom",
            "custom",
            "Sends any instruction together with any input to the worker and returns its text.",
            (
                OperatorField("input", "what to work on"),
                OperatorField("instruction", "what to do with it"),
                OperatorField("role", "whom the worker acts as", default=""),
            ),
            (OperatorField("response"),),
            prompts.CUSTOM,
        ),
        Operator(
            "CustomCodeGenerate",
            "custom_code_generate",
            "Writes a complete Python program for the problem, following an instruction.",
            (
                _PROBLEM,
                _ENTRY_POINT,
                OperatorField("instruction", "how to go about it"),
                OperatorField("context", "anything found out before", default=""),
            ),
            (OperatorField("response", "the program", FieldKind.CODE),),
            prompts.CUSTOM_CODE_GENERATE,
        ),
        Operator(
            "Format",
            "format",
            "Reduces a solution to the bare final answer in the form that the problem asks for.",
            (_PROBLEM, _SOLUTION),
            (OperatorField("solution", "the final answer"),),
            prompts.FORMAT,
        ),
        Operator(
            "ScEnsemble",
            "sc_ensemble",
            "Chooses the most consistent of several solutions.",
            (_SOLUTIONS, OperatorField("problem", "the problem", default="")),
            (OperatorField("response", "the chosen solution"),),
            prompts.SC_ENSEMBLE,
            _CHOICE,
            _sc_ensemble,
        ),
        Operator(
            "Review",
            "review",
            "Judges a solution and says what must change.",
            (_PROBLEM, _SOLUTION),
            (
                OperatorField("review_result", "true if nothing must change, else false", FieldKind.FLAG),
                OperatorField("feedback", "what must change and why", default=""),
            ),
            prompts.REVIEW,
        ),
        Operator(
            "Revise",
            "revise",
            "Rewrites a solution according to a reviewer's feedback.",
            (_PROBLEM, _SOLUTION, OperatorField("feedback", "what must change")),
            (OperatorField("solution", "the complete revised solution"),),
            prompts.REVISE,
        ),
        Operator(
            "Test",
            "test",
            "Runs a program against the query's tests and lets the worker correct it after failures; "
            "'result' tells whether all tests passed in the end, 'solution' is the last program.",
            (
                _PROBLEM,
                _SOLUTION,
                _ENTRY_POINT,
                OperatorField("test_cases", "assert statements to use instead of the query's", FieldKind.TEXTS, None),
                OperatorField("test_loop", "corrections allowed", FieldKind.NUMBER, 3),
            ),
            (OperatorField("result", kind=FieldKind.FLAG), OperatorField("solution")),
            "",
            perform=_test,
            question=REFLECT,
        ),
        Operator(
            "Programmer",
            "programmer",
            "Writes a program that computes the answer, runs it, and returns what it printed.",
            (_PROBLEM, OperatorField("analysis", "what is known so far", default="None")),
            (OperatorField("code"), OperatorField("output")),
            prompts.PROGRAM,
            (OperatorField("code", "a program with solve()", FieldKind.CODE),),
            _programmer,
        ),
        Operator(
            "AnswerGenerate",
            "answer_generate",
            "Answers a question after thinking step by step.",
            (OperatorField("input", "the question, with its context"),),
            (OperatorField("thought", "step by step"), OperatorField("answer", "the answer alone")),
            prompts.ANSWER_GENERATE,
        ),
        Operator(
            "MdEnsemble",
            "md_ensemble",
            "Chooses the best of several solutions by repeated votes over shuffled orders.",
            (_SOLUTIONS, _PROBLEM),
            (OperatorField("solution", "the chosen solution"),),
            prompts.MD_ENSEMBLE,
            _CHOICE,
            _md_ensemble,
        ),
    ]
)
