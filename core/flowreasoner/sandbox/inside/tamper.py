"""Makes tampering show where a program and its tests share a process.

Three watches: what the tests rest on is recorded before the program runs and compared afterwards; the
interpreter reports introspection that could reach the harness; and results that claim to equal everything
are tried on values that no honest result equals. None is proof: native code can go around all of them.
"""

from __future__ import annotations

import operator
import os
import random
import sys
import threading
import types
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, NoReturn

    FoundOut = Callable[[str], NoReturn]

__all__ = ["Integrity", "forbid_introspection", "probe"]

_ABSENT = object()

_ASKED_BY_NAME = {
    "sys._getframe": "_getframe",
    "sys._getframemodulename": "_getframemodulename",
    "sys._current_frames": "_current_frames",
    "sys._current_exceptions": "_current_exceptions",
    "gc.get_objects": "get_objects",
    "gc.get_referrers": "get_referrers",
    "gc.get_referents": "get_referents",
    "code.__new__": "replace",
    "marshal.loads": "loads",
}
"""Audit events that a library may cause, if its own code names what it asks for; a program may not."""

_NEVER = {"sys.settrace", "sys.setprofile", "sys.addaudithook", "sys.monitoring.register_callback"}
_WATCHED = {*_ASKED_BY_NAME, *_NEVER, "compile", "object.__getattr__"}
_FRAMES = {"tb_frame", "gi_frame", "cr_frame", "ag_frame"}
_HANDS_OUT_FRAMES = {"currentframe", "stack", "trace", "getouterframes", "getinnerframes", "walk_tb"}
_TESTS = {"tests.py", "setup.py"}
_DEEPEST, _MOST_PROBED = 3, 200
_TRIALS = 8


class Integrity:
    """Remembers objects by identity, and tells whether they are still what they were."""

    def __init__(self) -> None:
        self._entries: list[tuple[Any, str, Any]] = []
        self._functions: list[tuple[types.FunctionType, types.CodeType, Any, Any]] = []
        self._tracing = sys.gettrace, sys.getprofile

    def module(self, module: types.ModuleType) -> None:
        """Remembers a module, its place, its functions and classes, and the methods of its own classes."""
        self._entries.append((sys.modules, module.__name__, module))
        package = module.__name__.partition(".")[0]
        for name, value in list(vars(module).items()):
            if not callable(value) or name == "_":
                continue
            self._remember(vars(module), name, value)
            if isinstance(value, type) and str(getattr(value, "__module__", "")).partition(".")[0] == package:
                self.members(value)

    def members(self, kind: type) -> None:
        """Remembers the methods of a class, and that it has no others."""
        for name, value in list(vars(kind).items()):
            if callable(value) or isinstance(value, classmethod | staticmethod | property):
                self._remember(kind, name, value)

    def names(self, namespace: dict[str, Any], names: Iterable[str]) -> None:
        """Remembers some entries of a namespace."""
        for name in names:
            self._remember(namespace, name, namespace[name])

    def _remember(self, holder: Any, name: str, value: Any) -> None:
        self._entries.append((holder, name, value))
        function = getattr(value, "__func__", value)
        if type(function) is types.FunctionType:
            self._functions.append((function, function.__code__, function.__defaults__, function.__kwdefaults__))

    def broken(self) -> str:
        """Returns the name of something that was changed, or an empty text."""
        for holder, name, value in self._entries:
            found = (vars(holder) if isinstance(holder, type) else holder).get(name, _ABSENT)
            if found is not value:
                return name
        for function, code, defaults, named in self._functions:
            if function.__code__ is not code or function.__defaults__ is not defaults:
                return function.__qualname__
            if function.__kwdefaults__ is not named:
                return function.__qualname__
        return "the trace function" if any(get() is not None for get in self._tracing) else ""


def forbid_introspection(found_out: FoundOut) -> None:
    """Ends the run when code other than a library's own asks the interpreter for what the harness holds."""
    judgement, this_thread, busy = _Judgement(sys._getframe(1).f_code.co_filename), threading.get_ident, set()

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event not in _WATCHED and not event.startswith("ctypes."):
            return
        thread = this_thread()
        if thread in busy:
            return
        busy.add(thread)
        try:
            fine = judgement.allows(event, args)
        finally:
            busy.discard(thread)
        if not fine:
            found_out(f"the program used {args[1] if event == 'object.__getattr__' else event}")

    sys.addaudithook(hook)


class _Judgement:
    """Decides who may ask the interpreter for what.

    Args:
        harness: File of the code that runs the tests.
    """

    def __init__(self, harness: str) -> None:
        places = {os.path.dirname(os.__file__), *[path for path in sys.path if "packages" in path]}
        self._prefixes = ("<frozen ", *[place.rstrip("/") + "/" for place in places])
        self._trusted = {__file__, harness, *_TESTS}
        self._getframe = sys._getframe

    def allows(self, event: str, args: tuple[Any, ...]) -> bool:
        """Tells whether an event may happen. Called by the audit hook, whose caller's frame is looked at."""
        frame = self._getframe(2)
        if event in _NEVER:
            return False
        if event == "compile":
            return not self._is_library(args[1]) or _is_file(args[1], args[0])
        if event.startswith("ctypes."):
            return self._is_use_of_ctypes_by_a_library(frame)
        if event != "object.__getattr__":
            return self._is_asked_by_name(frame, _ASKED_BY_NAME[event])
        if args[1] == "__code__":
            return not self._reads_tests(frame, args[0])
        return args[1] not in _FRAMES or self._is_asked_by_name(frame, args[1])

    def _is_library(self, path: object) -> bool:
        return isinstance(path, str) and path.startswith(self._prefixes)

    def _names(self, frame: types.FrameType | None, name: str) -> bool:
        return frame is not None and self._is_library(frame.f_code.co_filename) and name in frame.f_code.co_names

    def _is_asked_by_name(self, frame: types.FrameType, name: str) -> bool:
        """Whether library code asks that names what it asks for: one that calls what a program gave it does not."""
        maker = frame.f_code.co_name
        if not self._names(frame, name) or maker == "walk_stack":
            return False
        if maker not in _HANDS_OUT_FRAMES:
            return True
        return self._names(frame.f_back, maker) or (maker == "walk_tb" and self._names(frame.f_back, "frame_gen"))

    def _is_use_of_ctypes_by_a_library(self, frame: types.FrameType | None) -> bool:
        while frame is not None and "/ctypes/" in frame.f_code.co_filename:
            frame = frame.f_back
        return frame is not None and self._is_library(frame.f_code.co_filename)

    def _reads_tests(self, frame: types.FrameType | None, function: Any) -> bool:
        """Whether the code of a test is asked for by the program, or by a library that the program has called."""
        if type(function) is not types.FunctionType or function.__code__.co_filename not in _TESTS:
            return False
        if "<locals>" in function.__code__.co_qualname:
            return False  # what a test made to hand it over, not a test
        while frame is not None and self._is_library(frame.f_code.co_filename):
            frame = frame.f_back
        return frame is not None and frame.f_code.co_filename not in self._trusted


def _is_file(path: str, source: Any) -> bool:
    """Tells whether source that is compiled as a library's file is what that file holds."""
    try:
        with open(path, "rb") as file:
            held = file.read()
    except OSError:
        return False
    return bytes(source, "utf-8") == held if isinstance(source, str) else source == held


def probe(value: Any, depth: int = 0) -> str:
    """Returns what is impossible about a result, or an empty text.

    Args:
        value: What the program returned; containers are looked into.
        depth: How deep in the result this is.
    """
    kind = type(value)
    if kind in _PLAIN:
        return ""
    if kind in {list, tuple, set, frozenset, dict} and depth < _DEEPEST:
        parts = list(value.values()) if kind is dict else list(value)
        return next((found for part in parts[:_MOST_PROBED] if (found := probe(part, depth + 1))), "")
    if kind.__flags__ & _HEAP_TYPE:
        return _contradiction(value)
    return ""


def _contradiction(value: Any) -> str:
    draw = random.Random(os.urandom(8))  # noqa: S311 - not to be guessed by a program that knows the seed
    trials: list[list[Any]] = [
        [draw.randrange(-1000, 1000) for _ in range(_TRIALS)],
        [draw.random() for _ in range(_TRIALS)],
        ["".join(draw.choices("abcdefgh", k=3)) for _ in range(_TRIALS)],
        [[draw.randrange(100)] for _ in range(_TRIALS)],
    ]
    for values in trials:
        distinct = [item for number, item in enumerate(values) if item not in values[:number]]
        if (
            _count(lambda item: value == item, distinct) > 1
            or _count(lambda item: not operator.ne(value, item), distinct) > 1
        ):
            return "a result equals different values"
    for low, high in ((-(10**9), 10**9), ("", "~")):
        sides = [_is(operator.lt, value, low), _is(operator.gt, value, low), _is(operator.gt, value, high)]
        if sides[0] and (sides[1] or sides[2]):
            return "a result lies on both sides of a value"
    first, second = trials[0][0], trials[0][0] + 1
    if _is(_same_distance, value, first, second) or _is(_same_distance_back, value, first, second):
        return "a result is at the same distance from different values"
    if _count(lambda item: item in value, [object(), draw.random()]) > 1:
        return "a result contains everything"
    return ""


def _count(holds: Callable[[Any], Any], values: list[Any]) -> int:
    """Counts for how many values something is plainly true."""
    count = 0
    for value in values:
        try:
            count += holds(value) is True
        except Exception:  # noqa: S112 - most results cannot be compared with most values
            continue
    return count


def _is(holds: Callable[..., Any], *values: Any) -> bool:
    return _count(lambda given: holds(*given), [values]) == 1


def _same_distance(value: Any, first: Any, second: Any) -> Any:
    return value - first == value - second


def _same_distance_back(value: Any, first: Any, second: Any) -> Any:
    return first - value == second - value


_PLAIN = {type(None), bool, int, float, complex, str, bytes, bytearray, range}
_HEAP_TYPE = 1 << 9
