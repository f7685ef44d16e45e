"""Makes tampering show where a program and its tests share a process.

Two watches: what the tests rest on is recorded before the program runs and compared afterwards; and the
interpreter reports introspection that could reach the harness. Two more look at what a program returns, see
`probe` and `deciding`. None is proof: native code can go around all of them.
"""

from __future__ import annotations

import os
import sys
import threading
import types
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, NoReturn

    FoundOut = Callable[[str], NoReturn]

__all__ = ["TESTS", "FoundOut", "Integrity", "forbid_introspection", "library_places"]

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
_WATCHED = {*_ASKED_BY_NAME, *_NEVER, "compile", "object.__getattr__", "object.__setattr__"}
_SEALED = {"__code__", "__defaults__", "__kwdefaults__"}
"""What nobody replaces in a function of the harness's; see `sealed` for what lies in the last of them."""

_FRAMES = {"tb_frame", "gi_frame", "cr_frame", "ag_frame"}
_HANDS_OUT_FRAMES = {"currentframe", "stack", "trace", "getouterframes", "getinnerframes", "walk_tb"}
TESTS = {"tests.py", "setup.py"}
"""Files that the tests are compiled as."""

_HARNESS = os.path.dirname(__file__) + "/"


def library_places() -> tuple[str, ...]:
    """Returns what the paths of libraries begin with; to be asked before a program can change `sys.path`."""
    places = {os.path.dirname(os.__file__), *[path for path in sys.path if "packages" in path]}
    return ("<frozen ", *[place.rstrip("/") + "/" for place in places])


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
    judgement, this_thread, busy = _Judgement(), threading.get_ident, set()

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
            found_out(f"the program used {args[1] if event.startswith('object.__') else event}")

    sys.addaudithook(hook)


class _Judgement:
    """Decides who may ask the interpreter for what."""

    def __init__(self) -> None:
        self._prefixes = library_places()
        self._getframe = sys._getframe

    def allows(self, event: str, args: tuple[Any, ...]) -> bool:
        """Tells whether an event may happen. Called by the audit hook, whose caller's frame is looked at."""
        frame = self._getframe(2)
        if event in _NEVER:
            return False
        if frame.f_code.co_filename.startswith(_HARNESS):
            return True
        if event == "compile":
            if type(args[1]) not in {str, type(None)} or self._is_trusted(args[1]):
                return False  # none but the harness compiles its files, and a text of another type would lie
            return not self._is_library(args[1]) or _is_file(args[1], args[0])
        if event.startswith("ctypes."):
            return self._is_use_of_ctypes_by_a_library(frame)
        if event == "object.__setattr__":
            return args[1] not in _SEALED or not self._is_sealed(args[0])
        if event != "object.__getattr__":
            return self._is_asked_by_name(frame, _ASKED_BY_NAME[event])
        if args[1] == "__kwdefaults__":
            return not self._is_sealed(args[0]) or self._asker_is_trusted(frame, if_unknown=False)
        if args[1] == "__code__":
            return not self._reads_tests(frame, args[0])
        return args[1] not in _FRAMES or self._is_asked_by_name(frame, args[1])

    def _is_library(self, path: object) -> bool:
        """Whether code of this file is a library's; an installed harness lies among them, and is none."""
        return isinstance(path, str) and path.startswith(self._prefixes) and not path.startswith(_HARNESS)

    def _is_trusted(self, path: object) -> bool:
        """Whether code of this file is the harness's or the tests' own, for which no program's may pass."""
        return isinstance(path, str) and (path in TESTS or path.startswith(_HARNESS))

    @staticmethod
    def _is_sealed(function: Any) -> bool:
        return type(function) is types.FunctionType and function.__code__.co_filename.startswith(_HARNESS)

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
        if type(function) is not types.FunctionType or function.__code__.co_filename not in TESTS:
            return False
        if "<locals>" in function.__code__.co_qualname:
            return False  # what a test made to hand it over, not a test
        return not self._asker_is_trusted(frame, if_unknown=True)

    def _asker_is_trusted(self, frame: types.FrameType | None, *, if_unknown: bool) -> bool:
        """Whether the tests or the harness ask; a thread of a library's does so for who knows whom."""
        while frame is not None and self._is_library(frame.f_code.co_filename):
            frame = frame.f_back
        return if_unknown if frame is None else self._is_trusted(frame.f_code.co_filename)


def _is_file(path: str, source: Any) -> bool:
    """Tells whether source that is compiled as a library's file is what that file holds."""
    try:
        with open(path, "rb") as file:
            held = file.read()
    except OSError:
        return False
    return bytes(source, "utf-8") == held if isinstance(source, str) else source == held
