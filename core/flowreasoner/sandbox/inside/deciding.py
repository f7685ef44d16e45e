"""Keeps the program's classes from deciding comparisons with what the tests expect.

An object that sees what it is compared with can answer as a right result would, and no list of questions shows
that it does not. So when tests compare an instance of a class of the program's with anything that is no such
instance, the operators that the program wrote do not count: the next ones in the order of its bases do, which
for a subclass of `int` are those of `int`, and for other objects say that they are equal to themselves only.
Among its own objects, and in its own code, the program's operators work as it wrote them.
"""

from __future__ import annotations

import os
import sys
import types
from typing import TYPE_CHECKING

from .operators import ARRAYS, EQUALITY, OPERATORS, missing
from .probe import contradiction, is_heap_type
from .sealed import sealed
from .tamper import TESTS, library_places

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .tamper import FoundOut

__all__ = ["Deciding"]

_members_of, _ancestors_of, _flags_of = (vars(type)[name].__get__ for name in ("__dict__", "__mro__", "__flags__"))
_set_member, _subclasses_of = type.__setattr__, type.__subclasses__
_IMMUTABLE = 1 << 8
_ABSENT = object()
_METHODS = (types.FunctionType, classmethod, staticmethod, property)
_OWN = {os.path.join(os.path.dirname(__file__), name) for name in ("deciding.py", "operators.py", "sealed.py")}


class Deciding:
    """Knows whose operators are whose. To be made before the program is loaded.

    Args:
        found_out: Ends the run of an object that is caught at equalling several values.
    """

    def __init__(self, found_out: FoundOut) -> None:
        self._found_out = found_out
        self._places = library_places()
        self._modules = set(sys.modules)
        self._before = {id(kind): (kind, _operators_in(kind)) for kind in _all_classes()}
        self._guards: dict[tuple[int, str], tuple[type, Any]] = {}
        self._named: set[int] = set()
        self._frame = sys._getframe

    def name(self, classes: list[type]) -> None:
        """Lets classes that the tests name be ordered, searched and reckoned with: they are what is tested."""
        self._named |= {id(kind) for kind in classes}

    def disarm(self, *, only_new: bool = False) -> str:
        """Puts guards in place of all operators of the program's.

        Args:
            only_new: Whether to look at classes only that were made since the program was loaded.

        Returns:
            The name of a guard that was removed, or an empty text.
        """
        for (_, name), (kind, guard) in self._guards.items():
            if _members_of(kind).get(name) is not guard:
                return name
        for kind in _all_classes():
            if not only_new or id(kind) not in self._before:
                for name in self._changed(kind):
                    if (id(kind), name) not in self._guards and self._is_own(kind, name):
                        self._guard(kind, name)
        return ""

    def _changed(self, kind: type) -> list[str]:
        """Names the operators of a class that were not there before the program, or rest on something of its own."""
        if id(kind) in self._before:
            known = self._before[id(kind)][1]
            return [name for name, entry in _operators_in(kind).items() if known.get(name, _ABSENT) is not entry]
        return list({**_operators_in(kind), **self._rests_on_private_methods(kind)})

    def _is_own(self, kind: type, name: str) -> bool:
        """Whether a class of whatever origin got this operator from the program."""
        entry = _members_of(kind).get(name, _ABSENT)
        if type(entry) is types.FunctionType:
            path = entry.__code__.co_filename
            if path in TESTS:
                return False
            return not (self._is_library(path) and self._is_of_library(kind)) or self._calls_the_program(entry)
        return entry is not None and not self._is_of_library(kind)

    def _calls_the_program(self, method: types.FunctionType) -> bool:
        """Whether a method that a library made, as `unittest.mock` does, calls a function of the program's."""
        held = [cell.cell_contents for cell in method.__closure__ or () if method.__code__.co_freevars == ("func",)]
        files = [function.__code__.co_filename for function in held if type(function) is types.FunctionType]
        return any(not self._is_library(path) and path not in TESTS for path in files)

    def _is_library(self, path: object) -> bool:
        return isinstance(path, str) and path.startswith(self._places)

    def _is_of_library(self, kind: type) -> bool:
        """Whether a class is built in, was there before the program, or is of a module that the program imported."""
        if id(kind) in self._before or not _is_changeable(kind):
            return True
        module = _members_of(kind).get("__module__")
        if type(module) is not str or module in self._modules:
            return False
        return self._is_library(getattr(sys.modules.get(module), "__file__", None))

    def _rests_on_private_methods(self, kind: type) -> dict[str, Any]:
        """Returns the operators that a class inherits from a library's, if it replaces private parts of that."""
        if self._is_of_library(kind):
            return {}
        own = [name for name in _members_of(kind) if str.startswith(name, "_") and not str.endswith(name, "_")]
        bases = [base for base in _ancestors_of(kind)[1:] if _is_changeable(base) and self._is_of_library(base)]
        if not any(isinstance(_members_of(base).get(name), _METHODS) for name in own for base in bases):
            return {}
        return {name: _ABSENT for base in bases for name in _operators_in(base)}

    def _guard(self, kind: type, name: str) -> None:
        entry = _members_of(kind).get(name, _ABSENT)

        def act(value: Any, *others: Any) -> Any:
            own = getattr(super(kind, value), name) if entry is _ABSENT else _bound(entry, value)
            if not self._is_for_tests(kind, value, name, others):
                return own(*others)
            if name in EQUALITY:
                self._try(value, own, name, others[0])
            return self._without(value, name, only_built_in=entry is _ABSENT)(*others)

        guard = sealed(act, name)
        guard.__doc__ = getattr(entry, "__doc__", None)
        _set_member(kind, name, guard)
        self._guards[id(kind), name] = (kind, guard)

    def _is_for_tests(self, kind: type, value: Any, name: str, others: tuple[Any, ...]) -> bool:
        """Whether tests want to know how an object compares with what is not the program's."""
        if not others:
            return False
        other = type(others[0])
        if name not in ARRAYS and (kind in _ancestors_of(other) or not self._is_of_library(other)):
            return False
        frame: types.FrameType | None = self._frame(1)
        asking = ""
        while frame is not None and self._is_between(frame.f_code.co_filename):
            asking, frame = frame.f_code.co_name, frame.f_back
        if frame is None or frame.f_code.co_filename not in TESTS:
            return False
        if name in EQUALITY or name in ARRAYS or asking == "assertAlmostEqual":
            return True
        return not any(id(base) in self._named for base in _ancestors_of(type(value)))

    def _is_between(self, path: str) -> bool:
        return path in _OWN or self._is_library(path)

    def _try(self, value: Any, own: Any, name: str, other: Any) -> None:
        """Asks the program's operator all the same; one that claims equality has to stand up to questions."""
        try:
            answer = own(other)
        except Exception:
            return
        if answer is not NotImplemented and answer is not (name == "__ne__"):
            impossible = contradiction(value)
            if impossible:
                self._found_out(impossible)

    def _without(self, value: Any, name: str, *, only_built_in: bool) -> Any:
        """Returns the operator that an object would have without the program's."""
        for kind in _ancestors_of(type(value)):
            entry = _members_of(kind).get(name, _ABSENT)
            if entry is _ABSENT or (id(kind), name) in self._guards or (only_built_in and _is_changeable(kind)):
                continue
            if not _is_changeable(kind) or not self._is_own(kind, name):
                return _bound(entry, value)
        return lambda *others: missing(value, name, *others)


def _operators_in(kind: type) -> dict[str, Any]:
    members = _members_of(kind)  # whose keys may be texts of the program's own type: none of them is asked
    return {name: members[name] for name in OPERATORS if name in members}


def _bound(entry: Any, value: Any) -> Any:
    bind = getattr(type(entry), "__get__", None)
    return entry if bind is None else bind(entry, value, type(value))


def _all_classes() -> Iterator[type]:
    """Yields all classes that can be changed."""
    seen, left = {id(object)}, [object]
    while left:
        kind = left.pop()
        for found in _subclasses_of(kind):
            if id(found) not in seen:
                seen.add(id(found))
                left.append(found)
                if _is_changeable(found):
                    yield found


def _is_changeable(kind: type) -> bool:
    return is_heap_type(kind) and not _flags_of(kind) & _IMMUTABLE
