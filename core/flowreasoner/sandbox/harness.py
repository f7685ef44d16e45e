"""Runs inside the fresh interpreter of the `process` tier: limits first, then the candidate, then the tests.

Executed by path, never imported by the package; standard library only::

    harness.py script LIMITS FILE      run FILE as a program
    harness.py tests FD                run the job on standard input (JSON), report on FD (JSON lines)

Candidate and tests share this process: it keeps honest programs from hurting each other's verdicts and is
no defence against hostile ones.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import sys
import time
import types

TYPE_CHECKING = False  # `typing` itself is not imported: every run would pay for it
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, TextIO

MOST_SHOWN = 300


class TestTimeout(KeyboardInterrupt):
    """Raised by the alarm inside the test that takes too long.

    A keyboard interrupt, because that is the one exception which `unittest` lets through.
    """


class NotDefined(Exception):
    """The program does not define its entry point."""


def limit(limits: dict[str, int]) -> None:
    """Sets resource limits, so that they hold for all that follows."""
    for name, wanted in limits.items():
        kind = getattr(resource, name)
        hard = resource.getrlimit(kind)[1]
        value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (value, value))


def execute(source: str, name: str, namespace: dict[str, Any]) -> None:
    """Runs source text as a module's body."""
    exec(compile(source, name, "exec", dont_inherit=True), namespace)  # noqa: S102 - the harness's purpose


def shown(value: object) -> str:
    """Returns a short text for any value, even one whose repr raises."""
    try:
        text = repr(value)
    except BaseException as error:
        text = f"<{type(value).__name__}: its repr raised {type(error).__name__}>"
    return text if len(text) <= MOST_SHOWN else text[:MOST_SHOWN] + "…"


def said(error: BaseException) -> str:
    """Returns an exception as `Type: message`, cut to a readable length."""
    try:
        text = str(error)
    except BaseException:
        text = "<unprintable>"
    return f"{type(error).__name__}: {text}"[:MOST_SHOWN]


class Recorder:
    """Writes one line per event."""

    def __init__(self, stream: TextIO, seconds: float) -> None:
        self.stream, self.seconds = stream, seconds

    def emit(self, **event: object) -> None:
        """Reports one event."""
        self.stream.write(json.dumps(event) + "\n")
        self.stream.flush()

    @contextlib.contextmanager
    def watched(self, number: int) -> Iterator[None]:
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

    @contextlib.contextmanager
    def site(self, number: int) -> Iterator[Callable[..., None]]:
        """What rewritten asserts enter; its value takes the condition, or what was got and what was expected."""

        def record(got: Any, *expected: Any) -> None:
            held = bool(got == expected[0]) if expected else bool(got)
            detail = f"expected {shown(expected[0])}, got {shown(got)}" if expected else "the condition is false"
            self.emit(site=number, outcome="pass" if held else "fail", detail="" if held else detail)

        with self.watched(number):
            yield record


def run_unittest(job: dict[str, Any], namespace: dict[str, Any], recorder: Recorder) -> None:
    """Runs each declared method by itself."""
    import unittest

    execute(job["body"], "tests.py", namespace)
    for number, name in enumerate(job["programs"]):
        with recorder.watched(number):
            class_name, method = name.split(".")
            result = unittest.TestResult()
            unittest.TestSuite([namespace[class_name](method)]).run(result)
            outcome, detail = ("pass", "") if result.testsRun else ("error", "the test did not run")
            if result.errors:
                outcome, detail = "error", result.errors[0][1]
            elif result.failures:
                outcome, detail = "fail", result.failures[0][1]
            elif result.unexpectedSuccesses:
                outcome, detail = "fail", "unexpected success"
            elif result.skipped:
                outcome, detail = "skipped", result.skipped[0][1]
            recorder.emit(site=number, outcome=outcome, detail=("\n" + detail.strip()).splitlines()[-1][:MOST_SHOWN])


def run_tests(job: dict[str, Any], namespace: dict[str, Any], recorder: Recorder) -> None:
    """Runs the job's tests in the namespace of the candidate."""
    if job["format"] == "unittest":
        run_unittest(job, namespace, recorder)
        return
    if job["format"] == "check":
        namespace["__site__"] = recorder.site
        execute(job["body"], "tests.py", namespace)
        namespace["check"](namespace["candidate"])
        return
    for number, program in enumerate(job["programs"]):
        namespace["__site__"] = lambda _, number=number: recorder.site(number)
        try:
            execute(program, "tests.py", namespace)
        except BaseException as error:
            recorder.emit(site=number, outcome="error", detail=said(error))


def load(job: dict[str, Any]) -> dict[str, Any]:
    """Runs the candidate as module `solution`, then the tests' setup, and returns their namespace."""
    module = types.ModuleType("solution")
    sys.modules["solution"] = module
    namespace = module.__dict__
    execute(job["code"], "solution.py", namespace)
    name = job["entry_point"]
    if name and name not in namespace:
        raise NotDefined(f"the program does not define {name!r}")
    execute(job["setup"], "setup.py", namespace)
    if name:
        namespace["candidate"] = namespace[name]
    return namespace


def on_alarm(*_: object) -> None:
    """Ends the running test."""
    raise TestTimeout


def serve(results: int) -> None:
    """Runs the job on standard input."""
    job = json.load(sys.stdin)
    os.set_inheritable(results, False)
    with open(os.devnull) as nothing:  # noqa: PTH123 - pathlib is slow to import
        os.dup2(nothing.fileno(), 0)  # the job's text is no input of the candidate's
    signal.signal(signal.SIGALRM, on_alarm)
    with open(results, "w", encoding="utf-8") as stream:
        recorder = Recorder(stream, job["test_seconds"])
        limit(job["limits"])
        recorder.emit(ready=True)
        try:
            namespace = load(job)
        except BaseException as error:
            recorder.emit(load_error=str(error) if isinstance(error, NotDefined) else said(error))
            return
        try:
            run_tests(job, namespace, recorder)
        except BaseException as error:
            recorder.emit(stopped=said(error))
        recorder.emit(done=True, cpu_s=time.process_time())


def run_script(path: str) -> None:
    """Runs a file as the program `__main__`, with tracebacks that begin in the file."""
    module = types.ModuleType("__main__")
    module.__file__ = path
    sys.modules["__main__"], sys.argv = module, [path]
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 - pathlib is slow to import
            source = file.read()
        execute(source, path, module.__dict__)
    except Exception as error:
        trace = error.__traceback__
        for _ in range(2):  # this function's frame, and that of `execute`
            trace = trace and trace.tb_next
        sys.excepthook(type(error), error.with_traceback(trace), trace)
        sys.exit(1)


if sys.argv[1] == "script":
    limit(json.loads(sys.argv[2]))
    run_script(sys.argv[3])
else:
    serve(int(sys.argv[2]))
    with contextlib.suppress(BaseException):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(0)  # the verdict is given: threads and exit handlers of the candidate cannot hold it up
