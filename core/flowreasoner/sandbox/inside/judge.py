"""The judge: runs the tests, asks the guest for every call of the program, and reports each outcome.

The tests and what they expect live here and nowhere else. Test code may itself come from a model, so this
process is jailed like the guest's.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import importlib
import select
import signal
import socket
import symtable
import sys
import time
import types
from typing import TYPE_CHECKING

from . import wire
from .program import Program, Remote
from .unittests import run_method
from .values import said, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, NoReturn

_SOON_S = 0.005
_ALIASES = {"np": "numpy", "pd": "pandas", "dt": "datetime"}
_MODULES = sys.stdlib_module_names | set(_ALIASES.values())
_GIVEN = {"__site__", "__record__", "candidate"}


class TestTimeout(KeyboardInterrupt):
    """Raised inside a test that takes too much CPU time in the judge itself."""


class GuestLost(BaseException):
    """Raised inside a test when the program ended or did not answer in time; no test can catch it unnoticed."""

    def __init__(self, outcome: str, detail: str) -> None:
        super().__init__(detail)
        self.outcome, self.detail = outcome, detail


class Host:
    """The line to the host: events, which are kept until something has to be said, and requests.

    Args:
        channel: Connection to the host.
    """

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._events: list[dict[str, Any]] = []

    def emit(self, **event: object) -> None:
        """Notes one event."""
        self._events.append(event)

    def flush(self, **last: object) -> None:
        """Sends the events."""
        if self._events or last:
            wire.send(self._channel, {"events": self._events, **last})
            self._events = []

    def ask(self, what: str) -> tuple[dict[str, Any], list[int]]:
        """Asks the host about the guest: is it ``late``, was it ``lost``, or give a ``fresh`` one."""
        self.flush(ask=what)
        return wire.receive_with_descriptors(self._channel)


class GuestLine:
    """The line to the guest, with the clock that runs while the judge waits for it.

    Args:
        host: Who can tell what became of the guest.
        channel: Connection to the first guest.
        test_s: Wall-clock seconds that a test may wait for the program.

    Attributes:
        generation: Number of the guest; a program that ended is started anew, a few times.
        test: Number of the running test, None between tests.
        trouble: What happened to the guest during the running test, if anything.
    """

    def __init__(self, host: Host, channel: socket.socket, test_s: float) -> None:
        self._host, self._test_s = host, test_s
        self._channel: socket.socket | None = channel
        self._deadline: float | None = None
        self.generation = 1
        self.test: int | None = None
        self.trouble: GuestLost | None = None

    def begin(self, test: int | None) -> None:
        """Starts a test's time."""
        self.test, self.trouble = test, None
        self._deadline = time.monotonic() + self._test_s

    def load(self) -> str:
        """Waits until the program is loaded, and returns why it could not be, or an empty text."""
        self._deadline = None  # loading has the whole run's time
        message = self._receive()
        return str(message["load_error"]) if "load_error" in message else ""

    def ready(self) -> None:
        """Makes sure that there is a guest: one that has ended is started anew, a few times."""
        if self._channel is None:
            self._start_anew()

    def ask(self, request: dict[str, Any], answer: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
        """Sends a request and returns the guest's reply; see `flowreasoner.sandbox.inside.program.Line`."""
        if self.test is None:
            self._deadline = time.monotonic() + self._test_s
        try:
            return self._exchange({**request, "test": self.test}, answer)
        except GuestLost:
            raise
        except BaseException:
            self.hang_up()  # whatever is still to come on this line would be taken for something else
            raise

    def _exchange(self, request: dict[str, Any], answer: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
        self._send(request)
        while True:
            message = self._receive()
            if "ask" in message:
                self._send(answer(message))
            elif message.get("to") == request["ask"] and ("value" in message or "raised" in message):
                return message
            else:
                raise wire.WireError("the program answered what it was not asked")

    def _start_anew(self) -> None:
        reply, descriptors = self._host.ask("fresh")
        if not descriptors:
            raise self._lost("not_reached", str(reply.get("detail")))
        self._channel = socket.socket(fileno=descriptors[0])
        self.generation += 1
        failed = self.load()
        if failed:
            raise self._lost("error", failed)

    def _send(self, message: dict[str, Any]) -> None:
        frame = wire.pack(message)
        try:
            self._open.sendall(frame)
        except OSError:
            self._explain()

    @property
    def _open(self) -> socket.socket:
        if self._channel is None:
            raise EOFError
        return self._channel

    def _receive(self) -> dict[str, Any]:
        """Returns the next message of the guest.

        Raises:
            GuestLost: If it ended, is out of time, or sent what is no message.
        """
        try:
            message: object = wire.unpack(self._exactly(wire.length(self._exactly(4))))
            if isinstance(message, dict):
                return message
            raise wire.WireError("not a message")
        except (EOFError, OSError):
            self._explain()
        except (wire.WireError, MemoryError) as error:
            self.hang_up()
            raise self._lost("error", f"the program answered out of turn: {error}") from None

    def _exactly(self, size: int) -> bytes:
        data, channel = bytearray(), self._open
        while len(data) < size:
            self._wait(channel)
            chunk = channel.recv(min(size - len(data), 1 << 16))
            if not chunk:
                raise EOFError
            data += chunk
        return bytes(data)

    def _wait(self, channel: socket.socket) -> None:
        if select.select([channel], [], [], _SOON_S)[0]:
            return
        self._host.flush()  # it may be a long wait, and the host should know of all before it
        while True:
            left = None if self._deadline is None else self._deadline - time.monotonic()
            if select.select([channel], [], [], left and max(left, 0))[0]:
                return
            reply, _ = self._host.ask("late")
            if "more" not in reply:
                self.hang_up()
                raise self._lost(reply["outcome"], reply["detail"])
            self._deadline = time.monotonic() + float(reply["more"])

    def _explain(self) -> NoReturn:
        """Raises what the host knows of the end of the guest."""
        self.hang_up()
        reply, _ = self._host.ask("lost")
        raise self._lost(reply["outcome"], reply["detail"])

    def hang_up(self) -> None:
        """Gives the guest up."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def _lost(self, outcome: str, detail: str) -> GuestLost:
        self.trouble = GuestLost(outcome, detail)
        return self.trouble


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
            return self._program.names()
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self._program.name(name)
        except NameError as error:
            raise AttributeError(str(error)) from None


def judge(job: dict[str, Any], host_channel: socket.socket, guest_channel: socket.socket) -> None:
    """Runs a job's tests to their end."""
    signal.signal(signal.SIGPROF, _on_time)
    host = Host(host_channel)
    line = GuestLine(host, guest_channel, job["test_s"])
    host.emit(ready=True)
    host.flush()
    try:
        failed = line.load()
        if failed:
            host.emit(load_error=failed)
        else:
            _run(job, Program(line), Recorder(host, line, job["test_s"]))
    except GuestLost:
        pass  # noted below
    except BaseException as error:
        host.emit(stopped=said(error))
    if line.trouble:
        host.emit(stopped=line.trouble.detail, outcome=line.trouble.outcome)
    host.emit(done=True)
    host.flush()


def _on_time(*_: object) -> None:
    raise TestTimeout


def _run(job: dict[str, Any], program: Program, recorder: Recorder) -> None:
    namespace: dict[str, Any] = {"__name__": "tests", "__builtins__": builtins}
    sys.modules["solution"] = ProgramModule(program)
    if job["entry_point"]:
        try:
            namespace["candidate"] = program.name(job["entry_point"])
        except NameError as error:
            recorder.refuse(str(error))
            return
        namespace[job["entry_point"]] = namespace["candidate"]
    _bind(job, program, namespace)
    _execute(job["setup"], "setup.py", namespace)
    if job["entry_point"]:
        namespace[job["entry_point"]] = namespace["candidate"]  # the setup may hold an empty one, as HumanEval's does
    if job["format"] == "unittest":
        _execute(job["body"], "tests.py", namespace)
        for number, name in enumerate(job["programs"]):
            with recorder.watched(number):
                recorder.note(number, *run_method(namespace, name))
        return
    if job["format"] == "check":
        namespace["__site__"] = recorder.site
        _execute(job["body"], "tests.py", namespace)
        namespace["check"](namespace["candidate"])
        return
    for number, source in enumerate(job["programs"]):
        namespace["__site__"] = lambda _, number=number: recorder.attempted(number)
        with recorder.watched(number):
            _execute(source, "tests.py", namespace)


def _bind(job: dict[str, Any], program: Program, namespace: dict[str, Any]) -> None:
    """Gives the tests the names that they use and do not define: the program's, or a module's that they left out."""
    programs = [] if job["format"] == "unittest" else job["programs"]
    source = "\n".join([job["setup"], job["body"], *programs])
    called = {
        node.func.id
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    used = _free_names(symtable.symtable(source, "tests.py", "exec")) - set(namespace) - _GIVEN
    for name in used:
        module = _ALIASES.get(name, name)
        if module in _MODULES and name not in called:
            # Never the program's: its `math.isclose` could say what it likes.
            with contextlib.suppress(ImportError):
                namespace[name] = importlib.import_module(module)
        elif not hasattr(builtins, name):
            with contextlib.suppress(NameError):
                namespace[name] = program.name(name)
    if not any(isinstance(value, Remote) for value in namespace.values()):
        # What is tested must then bear the name of a built-in; next to any other it would be the tests' own tool.
        for name in used & called & set(vars(builtins)):
            with contextlib.suppress(NameError):
                namespace[name] = program.name(name)


def _free_names(module: symtable.SymbolTable) -> set[str]:
    """Returns the global names that are used and bound nowhere."""
    bound, used, tables = set(), set(), [module]
    while tables:
        table = tables.pop()
        tables += table.get_children()
        for symbol in table.get_symbols():
            here = table is module or symbol.is_declared_global()
            if here and (symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()):
                bound.add(symbol.get_name())
            if (table is module or symbol.is_global()) and symbol.is_referenced():
                used.add(symbol.get_name())
    return used - bound


def _execute(source: str, name: str, namespace: dict[str, Any]) -> None:
    exec(compile(source, name, "exec", dont_inherit=True), namespace)  # noqa: S102 - the tests, in their jail
