"""Runs inside the fresh interpreter of the `process` tier: limits first, then the candidate, then the tests.

Executed by path, never imported by the package; standard library only. The job comes as JSON on standard
input, results leave as JSON lines on a pipe of their own. Candidate and tests share this process: it keeps
honest programs from hurting each other's verdicts and is no defence against hostile ones.
"""

import contextlib
import json
import os
import resource
import signal
import sys
import types
import unittest

MOST_SHOWN = 300


class TestTimeout(BaseException):
    """Raised by the alarm inside the test that takes too long."""


def limit(limits):
    """Sets resource limits, so that they hold for all that follows."""
    for name, value in limits.items():
        kind = getattr(resource, name)
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (value, value))


def shown(value):
    """Returns a short text for any value, even one whose repr raises."""
    try:
        text = repr(value)
    except BaseException as error:
        text = f"<{type(value).__name__}: its repr raised {type(error).__name__}>"
    return text if len(text) <= MOST_SHOWN else text[:MOST_SHOWN] + "…"


def said(error):
    """Returns an exception as `Type: message`, cut to a readable length."""
    try:
        text = str(error)
    except BaseException:
        text = "<unprintable>"
    return f"{type(error).__name__}: {text}"[:MOST_SHOWN]


class Recorder:
    """Writes one line per event; `site` is what rewritten asserts call."""

    def __init__(self, stream, seconds):
        self.stream, self.seconds = stream, seconds

    def emit(self, **event):
        self.stream.write(json.dumps(event) + "\n")
        self.stream.flush()

    @contextlib.contextmanager
    def watched(self, number):
        """Announces a test, stops it after its time, and records whatever it raises."""
        self.emit(site=number, outcome="started")
        signal.setitimer(signal.ITIMER_REAL, self.seconds)
        try:
            yield
        except TestTimeout:
            self.emit(site=number, outcome="timeout", detail=f"took longer than {self.seconds:g} s")
        except BaseException as error:
            self.emit(site=number, outcome="error", detail=said(error))
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def site(self, number, left, right=None):
        with self.watched(number):
            if right is None:
                held, detail = bool(left()), "the condition is false"
            else:
                got, expected = left(), right()
                held, detail = bool(got == expected), f"expected {shown(expected)}, got {shown(got)}"
            self.emit(site=number, outcome="pass" if held else "fail", detail="" if held else detail)


def load(code):
    """Runs the candidate as module `solution` and returns its namespace."""
    module = types.ModuleType("solution")
    sys.modules["solution"] = module
    exec(compile(code, "solution.py", "exec"), module.__dict__)
    return module.__dict__


def run_unittest(job, namespace, recorder):
    """Runs each declared method by itself."""
    exec(compile(job["body"], "tests.py", "exec"), namespace)
    for number, name in enumerate(job["programs"]):
        with recorder.watched(number):
            class_name, method = name.split(".")
            result = unittest.TestResult()
            unittest.TestSuite([namespace[class_name](method)]).run(result)
            if result.skipped:
                recorder.emit(site=number, outcome="skipped", detail=str(result.skipped[0][1])[:MOST_SHOWN])
            elif result.testsRun == 1 and not (result.failures or result.errors or result.unexpectedSuccesses):
                recorder.emit(site=number, outcome="pass", detail="")
            else:
                trouble = (result.failures or result.errors or [(None, "unexpected success")])[0][1]
                kind = "error" if result.errors else "fail"
                recorder.emit(site=number, outcome=kind, detail=trouble.strip().splitlines()[-1][:MOST_SHOWN])


def run_tests(job, namespace, recorder):
    if job["format"] == "unittest":
        run_unittest(job, namespace, recorder)
        return
    if job["format"] == "check":
        namespace["__site__"] = recorder.site
        exec(compile(job["body"], "tests.py", "exec"), namespace)
        namespace["check"](namespace["candidate"])
        return
    for number, program in enumerate(job["programs"]):
        namespace["__site__"] = lambda _, *sides, number=number: recorder.site(number, *sides)
        try:
            exec(compile(program, "tests.py", "exec"), namespace)
        except BaseException as error:
            recorder.emit(site=number, outcome="error", detail=said(error))


def on_alarm(signum, frame):
    raise TestTimeout


def main():
    job = json.load(sys.stdin)
    sys.stdin = open(os.devnull)
    signal.signal(signal.SIGALRM, on_alarm)
    with open(job["results_fd"], "w", encoding="utf-8") as stream:
        limit(job["limits"])
        recorder = Recorder(stream, job["test_seconds"])
        try:
            namespace = load(job["code"])
            exec(compile(job["setup"], "setup.py", "exec"), namespace)
            if job["entry_point"]:
                namespace["candidate"] = namespace[job["entry_point"]]
        except BaseException as error:
            missing = isinstance(error, KeyError) and error.args == (job["entry_point"],)
            detail = f"the program does not define {job['entry_point']!r}" if missing else said(error)
            recorder.emit(load_error=detail)
            return
        try:
            run_tests(job, namespace, recorder)
        except BaseException as error:
            recorder.emit(stopped=said(error))
        times = os.times()
        recorder.emit(done=True, cpu_s=times.user + times.system)


main()
