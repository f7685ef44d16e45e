"""The judge: runs the tests, asks the guest for every call of the program, and reports each outcome.

The tests and what they expect live here and nowhere else. Test code may itself come from a model, so this
process is jailed like the guest's.
"""

from __future__ import annotations

import builtins
import contextlib
import resource
import signal
import socket
import sys
import time
import types
from typing import TYPE_CHECKING

from . import wire
from .line import GuestLine, GuestLost, Host
from .prepared import bind, is_the_programs, prepare
from .program import Program
from .values import said, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

_MOST_CPU_S, _MOST_GROWTH_KIB = 1.0, 64 << 10  # of a process that stays; both far from the limits of one run


class TestTimeout(KeyboardInterrupt):
    """Raised inside a test that takes too much CPU time in the judge itself."""


class Recorder:
    """Runs pieces of the tests, and notes how each came out.

    Args:
        host: Where outcomes go.
        line: The guest, whose end decides a test that it happens in.
        test_s: CPU seconds that a test may take here.
    """

    def __init__(self, host: Host, line: GuestLine, test_s: float) -> None:
        self._host, self._line, self._test_s = host, line, test_s

    @contextlib.contextmanager
    def watched(self, number: int) -> Iterator[None]:
        """Announces a test, stops it after its time, and records whatever it raises."""
        emit = self._host.emit
        emit(site=number, outcome="started")
        self._line.begin(number)
        signal.setitimer(signal.ITIMER_PROF, self._test_s)
        try:
            yield
        except TestTimeout:
            emit(site=number, outcome="timeout", detail=f"took longer than {self._test_s:g} s")
        except GuestLost:
            pass  # noted below, as it is where the test caught it
        except BaseException as error:
            emit(site=number, outcome="error", detail=said(error))
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            trouble = self._line.trouble
            if trouble:
                emit(site=number, outcome=trouble.outcome, detail=trouble.detail)
            self._line.begin(None)

    def refuse(self, why: str) -> None:
        """Notes that the program cannot be tested at all."""
        self._host.emit(load_error=why)

    def note(self, number: int, outcome: str, detail: str) -> None:
        """Notes how a test came out."""
        self._host.emit(site=number, outcome=outcome, detail=detail)

    @contextlib.contextmanager
    def attempted(self, number: int) -> Iterator[Callable[..., None]]:
        """What rewritten asserts enter; its value takes the condition, or what was got and what was expected."""

        def record(got: Any, *expected: Any) -> None:
            held = bool(got == expected[0]) if expected else bool(got)
            detail = ""
            if not held:
                detail = f"expected {shown(expected[0])}, got {shown(got)}" if expected else "the condition is false"
            self._host.emit(site=number, outcome="pass" if held else "fail", detail=detail)

        try:
            yield record
        except (TestTimeout, GuestLost):
            raise
        except BaseException as error:
            self._host.emit(site=number, outcome="error", detail=said(error))

    @contextlib.contextmanager
    def site(self, number: int) -> Iterator[Callable[..., None]]:
        """An assert that is a test of its own."""
        with self.watched(number), self.attempted(number) as record:
            yield record


class ProgramModule(types.ModuleType):
    """What the tests import as `solution`."""

    def __init__(self, program: Program) -> None:
        super().__init__("solution")
        self._program = program

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            return [name for name in self._program.names() if is_the_programs(name, called=False)]
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self._program.name(name)
        except NameError as error:
            raise AttributeError(str(error)) from None


def judge(job: dict[str, Any], host_channel: socket.socket, guest_channel: socket.socket) -> None:
    """Runs a job's tests to their end."""
    _judge(job, Host(host_channel), guest_channel)


def judge_many(host_channel: socket.socket) -> None:
    """Runs the tests of one job after another, as the host sends them, which all leave nothing behind.

    It ends by itself when it is no longer as fit for the next job as a new process would be.
    """
    host, most_kib, fit = Host(host_channel), _resident_kib() + _MOST_GROWTH_KIB, True
    while fit:
        try:
            job, (guest,) = wire.receive_with_descriptors(host_channel)
        except EOFError:
            return
        fit = _judge(job, host, socket.socket(fileno=guest), most_kib)


def _judge(job: dict[str, Any], host: Host, guest_channel: socket.socket, most_kib: int = 0) -> bool:
    """Runs a job's tests, and returns whether nothing came in the way and this process is still a small one."""
    signal.signal(signal.SIGPROF, _on_time)
    began_s = time.process_time()
    line = GuestLine(host, guest_channel, job["test_s"])
    host.emit(ready=True)
    host.flush()
    stopped = ""
    try:
        failed = line.load()
        if failed:
            host.emit(load_error=failed)
        else:
            _run(job, line, Recorder(host, line, job["test_s"]))
    except GuestLost:
        pass  # noted below
    except BaseException as error:
        stopped = said(error)
        host.emit(stopped=stopped)
    trouble = line.trouble or line.trouble_between
    if trouble:
        host.emit(stopped=trouble.detail, outcome=trouble.outcome)
    fit = line.steady and not stopped and time.process_time() < _MOST_CPU_S and _resident_kib() < most_kib
    line.hang_up()
    host.emit(done=True, fit=fit, cpu_s=time.process_time() - began_s)
    host.flush()
    return fit


def _resident_kib() -> int:
    """Returns the most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _on_time(*_: object) -> None:
    raise TestTimeout


def _run(job: dict[str, Any], line: GuestLine, recorder: Recorder) -> None:
    prepared = prepare(job)
    program = Program(line, uses_objects=prepared.uses_objects)
    namespace: dict[str, Any] = {"__name__": "tests", "__builtins__": builtins}
    sys.modules["solution"] = ProgramModule(program)
    if job["entry_point"]:
        try:
            namespace["candidate"] = program.name(job["entry_point"])
        except NameError as error:
            recorder.refuse(str(error))
            return
        namespace[job["entry_point"]] = namespace["candidate"]
    refused = bind(prepared, program, namespace, tested=bool(job["entry_point"]))
    if refused:
        recorder.refuse(refused)
        return
    exec(prepared.setup, namespace)  # noqa: S102 - the tests, in their jail
    if job["entry_point"]:
        namespace[job["entry_point"]] = namespace["candidate"]  # the setup may hold an empty one, as HumanEval's does
    namespace["__site__"] = recorder.site
    exec(prepared.body, namespace)  # noqa: S102
    if job["format"] == "unittest":
        from .unittests import run_method

        for number, name in enumerate(job["programs"]):
            with recorder.watched(number):
                recorder.note(number, *run_method(namespace, name))
    elif job["format"] == "check":
        namespace["check"](namespace["candidate"])
    else:
        for number, code in enumerate(prepared.programs):
            namespace["__site__"] = lambda _, number=number: recorder.attempted(number)
            with recorder.watched(number):
                exec(code, namespace)  # noqa: S102
