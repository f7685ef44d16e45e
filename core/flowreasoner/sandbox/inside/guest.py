"""The guest's end: loads a candidate program and does what the judge asks of it, one request at a time.

This process belongs to the candidate. It knows neither the tests nor what they expect, only the arguments
of the calls that the judge makes; whatever it says is taken as data and compared elsewhere.
"""

from __future__ import annotations

import collections
import itertools
import linecache
import operator
import os
import random
import signal
import sys
import types
from typing import TYPE_CHECKING

from . import wire
from .values import Encoder, decoded, said

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from typing import Any

_MOST_REFERENCES = 100_000
_MUTABLE = (list, dict, set, bytearray, collections.deque)


def seed() -> None:
    """Makes programs that draw random numbers draw the same ones in every run."""
    random.seed(0)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed(0)


def load(source: str, name: str, path: str) -> dict[str, Any]:
    """Runs source text as the module `name` and returns its namespace."""
    linecache.cache[path] = (len(source), None, source.splitlines(keepends=True), path)
    module = types.ModuleType(name)
    module.__file__ = path
    sys.modules[name] = module
    exec(compile(source, path, "exec", dont_inherit=True), module.__dict__)  # noqa: S102 - what the jail is for
    return module.__dict__


class Guest:
    """Serves requests on the loaded program.

    Args:
        channel: Connection to the judge.
        program: The program's namespace.
        test_s: CPU seconds that one test may take.
    """

    def __init__(self, channel: socket.socket, program: dict[str, Any], test_s: float) -> None:
        self._channel, self._program, self._test_s = channel, program, test_s
        self._kept: list[Any] = []
        self._numbers: dict[int, int] = {}
        self._asked = itertools.count(1)
        self._test: object = None
        self._operations: dict[str, Callable[..., Any]] = {
            **{name: getattr(operator, name) for name in _OPERATORS},
            "name": self._name,
            "construct": lambda function, args, named: function(*args, **named),
            "data": lambda value: value,
            "names": lambda: [name for name in self._program if not name.startswith("_")],
            "call": lambda function, args, named: function(*args, **named),
            "attr": getattr,
            "setattr": setattr,
            "delattr": delattr,
            "bool": bool,
            "len": len,
            "str": str,
            "repr": repr,
            "format": format,
            "iter": iter,
            "items": self._items,
            "hash": hash,
            "int": int,
            "float": float,
            "index": operator.index,
            "round": round,
            "reversed": reversed,
            "isinstance": isinstance,
            "issubclass": issubclass,
            "await": _awaited,
            "enter": lambda manager: type(manager).__enter__(manager),
            "exit": _leave,
        }

    def serve(self) -> None:
        """Answers requests until the judge hangs up."""
        while True:
            try:
                request = wire.receive(self._channel)
            except (EOFError, OSError):
                return
            self._answer(request)

    def _answer(self, request: dict[str, Any]) -> None:
        if request["test"] != self._test:
            # The kernel ends the process at this CPU time; a program that resets the timer meets the wall clock.
            self._test = request["test"]
            signal.setitimer(signal.ITIMER_PROF, self._test_s)
        reply: dict[str, Any] = {"to": request["ask"]}
        try:
            given = [decoded(part, self._resolve) for part in request["with"]]
            reply["value"] = self._returned(self._operations[request["do"]](*given), given, request["do"])
            changed = self._changed(request, given)
            if changed:
                reply["changed"] = changed
        except BaseException as error:
            reply = {"to": request["ask"], "raised": [*self._raised(error), self._number(error)]}
        flush()
        try:
            wire.send(self._channel, reply)
        except wire.WireError as error:
            wire.send(self._channel, {"to": request["ask"], "raised": ["ValueError", ["ValueError"], [str(error)], ""]})

    def _returned(self, value: Any, given: list[Any], operation: str) -> Any:
        """Returns a result as data; one that is an argument itself as such, so that identity is kept.

        What a class makes, and what the tests take by its name, is an object even if it is a kind of data.
        """
        if operation in _CALLS and isinstance(value, _MUTABLE):
            for number, argument in enumerate(given[1]):
                if value is argument:
                    return ["a", number]
        if (operation == "construct" and type(value).__module__ != "builtins") or (
            operation == "name" and callable(value)
        ):
            return self._refer(value)
        return Encoder(self._refer).encode(value)

    def _changed(self, request: dict[str, Any], given: list[Any]) -> dict[str, Any]:
        """Returns the arguments of a call that the program has changed in place, by number or name."""
        if request["do"] not in _CALLS:
            return {}
        before = {str(number): form for number, form in enumerate(request["with"][1][1:])}
        names = request["with"][2][1:]
        before |= dict(zip(names[::2], names[1::2], strict=True))
        changed = {}
        for place, argument in [*((str(number), value) for number, value in enumerate(given[1])), *given[2].items()]:
            if isinstance(argument, _MUTABLE):
                form = Encoder(self._refer).encode(argument)
                if form != before[place]:
                    changed[place] = form
        return changed

    def _items(self, iterator: Any, most: int) -> list[Any]:
        """Returns the next items of an iterator, whether it has ended, and the exception that it has ended with."""
        found: list[Any] = []
        try:
            found.extend(itertools.islice(iterator, most))
        except Exception as error:
            if not found:
                raise
            return [found, True, error]
        return [found, len(found) < most, None]

    def _name(self, name: str) -> Any:
        if name not in self._program:
            raise NameError(f"the program does not define {name!r}")
        return self._program[name]

    def _refer(self, value: Any) -> list[Any]:
        number = self._number(value)
        if isinstance(value, BaseException):
            return ["e", [*self._raised(value), number]]
        kind = "object"
        if isinstance(value, type):
            kind = "class"
            if issubclass(value, BaseException):
                return ["h", number, value.__name__, "exception", _bases(value)]
        elif isinstance(value, types.CoroutineType):
            kind = "coroutine"
        elif hasattr(type(value), "__next__"):
            kind = "iterator"
        return ["h", number, type(value).__name__, kind]

    def _number(self, value: Any) -> int:
        """Returns the number that stands for an object, which is kept from now on."""
        if id(value) not in self._numbers:
            if len(self._kept) >= _MOST_REFERENCES:
                raise wire.WireError("too many objects of the program are in use by the tests")
            self._numbers[id(value)] = len(self._kept)
            self._kept.append(value)
        return self._numbers[id(value)]

    def _resolve(self, form: list[Any]) -> Any:
        match form:
            case ["h", int(number)]:
                return self._kept[number]
            case ["p", int(number)]:
                return lambda *args, **named: self._call_back(number, args, named)
            case ["E", str(name), str(text)]:
                return _error(name, text)
        raise wire.WireError("not a value")

    def _call_back(self, number: int, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Calls a function of the tests, which runs on the judge's side."""
        encode = Encoder(self._refer).encode
        asked = next(self._asked)
        wire.send(self._channel, {"ask": asked, "do": number, "with": [encode(list(args)), encode(named)]})
        while True:
            message = wire.receive(self._channel)
            if "ask" in message:
                self._answer(message)
            elif message.get("to") == asked:
                break
        if "raised" in message:
            raise _error(*message["raised"])
        return decoded(message["value"], self._resolve)

    def _raised(self, error: BaseException) -> list[Any]:
        """Returns an exception as its name, the built-in types it is one of, its arguments, and its text."""
        try:
            given = [*error.args, error.filename] if isinstance(error, OSError) and error.filename else error.args
            args = Encoder().encode(list(given))[1:]
        except (wire.WireError, TypeError):
            args = [said(error).partition(": ")[2]]
        text = said(error, 2000).partition(": ")[2]
        return [type(error).__name__, _bases(type(error)), args, text]


_CALLS = ("call", "construct")
_OPERATORS = """add sub mul truediv floordiv mod pow matmul and_ or_ xor lshift rshift neg pos abs invert
eq ne lt le gt ge contains getitem setitem delitem""".split()


def _bases(kind: type) -> list[str]:
    """Returns the names of the built-in types that a class is derived from, nearest first."""
    return [base.__name__ for base in kind.__mro__ if base.__module__ == "builtins"]


def _error(name: str, text: str) -> Exception:
    """Returns an exception of the tests', as the built-in of its name if it is one."""
    kind = getattr(sys.modules["builtins"], name, RuntimeError)
    return kind(text) if isinstance(kind, type) and issubclass(kind, Exception) else RuntimeError(text)


def _leave(manager: Any, error: BaseException | None) -> Any:
    """Leaves a block that an exception may have ended."""
    return type(manager).__exit__(manager, None if error is None else type(error), error, None)


def _awaited(coroutine: Any) -> Any:
    import asyncio

    async def wait() -> Any:
        return await coroutine

    return asyncio.run(wait())


def flush() -> None:
    """Sends on what the program has printed so far."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BaseException:  # noqa: S112 - the program may have put anything there
            continue


def serve_calls(job: dict[str, Any], channel: socket.socket) -> None:
    """Loads the candidate, then serves the judge until it hangs up."""
    seed()
    try:
        program = load(job["code"], "solution", "solution.py")
    except BaseException as error:
        flush()
        wire.send(channel, {"load_error": said(error)})
        return
    flush()
    wire.send(channel, {"ready": True})
    Guest(channel, program, job["test_s"]).serve()


def run_script(job: dict[str, Any]) -> None:
    """Runs the candidate as the program `__main__`, with tracebacks that begin in it; does not return."""
    seed()
    sys.argv = ["main.py"]
    signal.setitimer(signal.ITIMER_PROF, job["cpu_s"])
    code = 0
    try:
        load(job["code"], "__main__", "main.py")
    except SystemExit as ending:
        if ending.code is not None and not isinstance(ending.code, int):
            print(ending.code, file=sys.stderr)  # noqa: T201 - what the interpreter does
        code = ending.code if isinstance(ending.code, int) else int(ending.code is not None)
    except BaseException as error:
        trace = error.__traceback__
        for _ in range(2):  # this function's frame, and that of `load`
            trace = trace and trace.tb_next
        sys.excepthook(type(error), error.with_traceback(trace), trace)
        code = 1
    finish(code)


def finish(code: int) -> None:
    """Ends the process as the interpreter would: threads, exit handlers, output."""
    import threading

    try:
        threading._shutdown()  # type: ignore[attr-defined]
        sys.modules["atexit"]._run_exitfuncs() if "atexit" in sys.modules else None
    finally:
        flush()
        os._exit(code & 0xFF)
