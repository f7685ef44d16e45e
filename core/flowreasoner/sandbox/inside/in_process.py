"""Unittest classes that must share a process with the program they test; see `tamper` for what that is worth.

The program is loaded first and the tests arrive afterwards. Each line of the report carries a number that no
object of the program's can reach. Whatever is found out of place ends the run as tampered, which scores zero.
"""

from __future__ import annotations

import builtins
import contextlib
import functools
import importlib
import json
import os
import secrets
import signal
import sys
import threading
import traceback
import types
import unittest
from typing import TYPE_CHECKING

from . import guest, tamper
from .deciding import Deciding
from .probe import is_heap_type, objects_in
from .sealed import sealed
from .unittests import outcome_of, run_method
from .values import said

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

_TAMPERED = 99
"""Exit code of a run that was found out."""

_REPORT, _TESTS = 3, 4  # descriptors


class TestTimeout(KeyboardInterrupt):
    """Raised inside a test that takes too much CPU time; `unittest` lets nothing else through."""


def run(job: dict[str, Any]) -> NoReturn:
    """Loads the program, fetches the tests, runs and reports them; does not return."""
    emit, read_tests = _report(job.pop("nonce"))
    found_out, exits = _exits(), os._exit
    signal.signal(signal.SIGPROF, _on_time)
    guest.seed()
    _print_tracebacks_in_python()
    integrity = tamper.Integrity()
    rested_on = [builtins, unittest.case, unittest.suite, unittest.result, *_imported(job["imports"])]
    for module in rested_on:
        integrity.module(module)
    deciding = Deciding(found_out)
    for name in [name for name in sys.modules if name == "inside" or name.startswith("inside.")]:
        del sys.modules[name]
    tamper.forbid_introspection(found_out)
    flush = guest.flush
    try:
        program = guest.load(job["code"], "solution", "solution.py")
    except BaseException as error:
        flush()
        emit(load_error=said(error))
        exits(0)
    if job["entry_point"] and job["entry_point"] not in program:
        emit(load_error=f"the program does not define {job['entry_point']!r}")
        exits(0)
    _check(integrity, found_out)
    emit(ready=True)
    tests = read_tests()
    _prepare(tests, job["entry_point"], program, integrity, deciding, found_out)
    for number, name in enumerate(tests["programs"]):
        emit(site=number, outcome="started")
        _disarm(deciding, found_out)
        outcome, detail = _timed(program, name, job["test_s"])
        _check(integrity, found_out)
        emit(site=number, outcome=outcome, detail=detail)
    _canaries({program[name.partition(".")[0]] for name in tests["programs"]}, found_out)
    flush()
    emit(done=True)
    exits(0)


def _print_tracebacks_in_python() -> None:
    """Replaces what prints uncaught exceptions: the interpreter's own would compile lines of libraries again."""

    def printed(*error: Any) -> None:
        traceback.print_exception(*error)

    def printed_of(args: Any) -> None:
        traceback.print_exception(args.exc_type, args.exc_value, args.exc_traceback)

    sys.excepthook, threading.excepthook, sys.unraisablehook = printed, printed_of, printed_of


def _report(nonce: str) -> tuple[Callable[..., None], Callable[[], dict[str, Any]]]:
    """Returns what writes a line of the report, and what reads the tests."""
    write, read, dumps, loads, count = os.write, os.read, json.dumps, json.loads, iter(range(1 << 60))

    def emit(**event: object) -> None:
        line = f"{nonce} {next(count)} {dumps(event)}\n".encode("ascii", "backslashreplace")
        while line:
            line = line[write(_REPORT, line) :]

    def read_tests() -> dict[str, Any]:
        data = b""
        while chunk := read(_TESTS, 1 << 16):
            data += chunk
        tests: dict[str, Any] = loads(data)
        return tests

    return emit, read_tests


def _exits() -> tamper.FoundOut:
    write, exits = os.write, os._exit

    def found_out(why: str) -> NoReturn:
        with contextlib.suppress(OSError):
            write(2, b"sandbox: tampering: " + why.encode(errors="replace")[:200] + b"\n")
        exits(_TAMPERED)

    return found_out


def _check(integrity: tamper.Integrity, found_out: tamper.FoundOut) -> None:
    changed = integrity.broken()
    if changed:
        found_out(f"{changed} was replaced")


def _disarm(deciding: Deciding, found_out: tamper.FoundOut, *, only_new: bool = False) -> None:
    removed = deciding.disarm(only_new=only_new)
    if removed:
        found_out(f"{removed} was replaced")


def _imported(names: list[str]) -> list[types.ModuleType]:
    modules = []
    for name in names:
        with contextlib.suppress(BaseException):
            modules.append(importlib.import_module(name))
    return modules


def _prepare(
    tests: dict[str, Any],
    entry_point: str,
    program: dict[str, Any],
    integrity: tamper.Integrity,
    deciding: Deciding,
    found_out: tamper.FoundOut,
) -> None:
    """Runs the tests' own module in the program's namespace, and remembers what it defines."""
    if isinstance(program.get(entry_point), types.FunctionType):
        program[entry_point] = _probing(program[entry_point], deciding, found_out)
    if entry_point:
        program["candidate"] = program[entry_point]
    before = dict(program)
    for source, name in ((tests["setup"], "setup.py"), (tests["body"], "tests.py")):
        code = compile(source, name, "exec", dont_inherit=True)
        deciding.name([kind for read in _names_in(code) if isinstance(kind := before.get(read), type)])
        exec(code, program)  # noqa: S102 - the tests, in their jail
    defined = [name for name, value in program.items() if before.get(name, program) is not value]
    integrity.names(program, [name for name in defined if not name.startswith("__")])
    for name in defined:
        if isinstance(program[name], type):
            integrity.members(program[name])


def _names_in(code: types.CodeType) -> set[str]:
    return {*code.co_names, *(name for part in code.co_consts if type(part) is type(code) for name in _names_in(part))}


def _probing(function: Callable[..., Any], deciding: Deciding, found_out: tamper.FoundOut) -> Callable[..., Any]:
    def probed(*args: Any, **named: Any) -> Any:
        result = function(*args, **named)
        parts = [part for part in objects_in(result) if is_heap_type(type(part))]
        if parts:
            _disarm(deciding, found_out, only_new=True)
        for part in parts:
            impossible = deciding.impossible(part)
            if impossible:
                found_out(impossible)
        return result

    return functools.wraps(function)(sealed(probed, function.__name__))


def _timed(program: dict[str, Any], name: str, test_s: float) -> tuple[str, str]:
    try:
        signal.setitimer(signal.ITIMER_PROF, test_s)
        return run_method(program, name)
    except TestTimeout:
        return "timeout", f"took longer than {test_s:g} s"
    except BaseException as error:
        return "error", said(error)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _on_time(*_: object) -> None:
    raise TestTimeout


def _canaries(classes: set[type], found_out: tamper.FoundOut) -> None:
    """Tries assertions that must fail: in a class that has been tampered with, one of them passes."""

    def fails_equal(self: unittest.TestCase) -> None:
        token = secrets.token_hex(8)
        self.assertEqual(token, token + "x")

    def fails_number(self: unittest.TestCase) -> None:
        self.assertEqual(1, 2)

    def fails_true(self: unittest.TestCase) -> None:
        self.assertTrue(False)

    def fails_close(self: unittest.TestCase) -> None:
        self.assertAlmostEqual(1.0, 2.0)

    def fails_assert(_: unittest.TestCase) -> None:
        assert secrets.token_hex(8) == "x"

    def fails_raises(self: unittest.TestCase) -> None:
        with self.assertRaises(KeyError):
            pass

    bare = {"setUp": lambda _: None, "tearDown": lambda _: None, "setUpClass": classmethod(lambda _: None)}
    bare["tearDownClass"] = bare["setUpClass"]
    for kind in classes:
        for fails in (fails_equal, fails_number, fails_true, fails_close, fails_assert, fails_raises):
            if isinstance(kind, type) and issubclass(kind, unittest.TestCase):
                canary = type(kind.__name__, (kind,), {**bare, "test_canary": fails})
                if outcome_of(canary("test_canary"))[0] == "pass":
                    found_out(f"an assertion that must fail has passed: {fails.__name__}")
