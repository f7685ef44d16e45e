"""Tells which classes and operators are the program's, and which a library's, the tests' or the interpreter's own.

What a class says of itself is not believed where something else can be asked: whether it was there before the
program, the files that its functions were compiled from (the interpreter reports who lies about those, see
`tamper`), and whether it can be changed at all.
"""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING

from .operators import OPERATORS
from .probe import is_heap_type
from .tamper import TESTS, library_places

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

__all__ = ["ABSENT", "Origins", "all_classes", "ancestors_of", "is_changeable", "members_of"]

ABSENT = object()
members_of, ancestors_of, _flags_of = (vars(type)[name].__get__ for name in ("__dict__", "__mro__", "__flags__"))
_subclasses_of = type.__subclasses__
_IMMUTABLE = 1 << 8
_METHODS = (types.FunctionType, classmethod, staticmethod, property)


class Origins:
    """Knows where classes and operators come from. To be made before the program is loaded."""

    def __init__(self) -> None:
        self._places = library_places()
        self._modules = set(sys.modules)
        self._before = {id(kind): (kind, _operators_in(kind)) for kind in all_classes()}

    def is_library(self, path: object) -> bool:
        """Tells whether code of this file is a library's."""
        return type(path) is str and path.startswith(self._places)

    def was_there(self, kind: type) -> bool:
        """Tells whether a class is older than the program."""
        return id(kind) in self._before

    def is_of_library(self, kind: type) -> bool:
        """Tells whether a class is built in, older than the program, or of a module that the program imported."""
        if id(kind) in self._before or not is_changeable(kind) or _is_mock(kind):
            return True
        module = members_of(kind).get("__module__")
        if type(module) is not str or module in self._modules:
            return False
        return self.is_library(getattr(sys.modules.get(module), "__file__", None))

    def is_own(self, kind: type, name: str) -> bool:
        """Tells whether a class of whatever origin got an operator from the program."""
        entry = members_of(kind).get(name, ABSENT)
        if type(entry) is types.FunctionType:
            path = entry.__code__.co_filename
            if path in TESTS:
                return False
            return not (self.is_library(path) and self.is_of_library(kind)) or self._calls_the_program(entry)
        if _is_mock(kind):
            return type(entry).__name__ != "MagicProxy" and not self._is_harmless(entry)
        return entry is not None and not self.is_of_library(kind)

    def changed(self, kind: type) -> list[str]:
        """Names the operators of a class that were not there before the program, or rest on something of its own."""
        if id(kind) in self._before:
            known = self._before[id(kind)][1]
            return [name for name, entry in _operators_in(kind).items() if known.get(name, ABSENT) is not entry]
        return list({**_operators_in(kind), **self._rests_on_private_methods(kind)})

    @staticmethod
    def is_mock(value: Any) -> bool:
        """Tells whether a value is a mock of `unittest.mock`, which would take note of questions."""
        return _is_mock(type(value))

    def taught(self, mock: Any) -> str:
        """Returns the name of an operator that the program has taught to a mock, or an empty text."""
        children = object.__getattribute__(mock, "__dict__").get("_mock_children") or {}
        return next((name for name in OPERATORS & set(children) if not self._is_harmless(children[name])), "")

    def _is_harmless(self, called: Any) -> bool:
        """Whether the program has no say in what a function or a mock answers."""
        if _is_mock(type(called)):
            called = object.__getattribute__(called, "__dict__").get("_mock_side_effect")
            if called is None:
                return True
        if type(called) is not types.FunctionType:
            return False
        path = called.__code__.co_filename
        return path in TESTS or self.is_library(path)

    def _calls_the_program(self, method: types.FunctionType) -> bool:
        """Whether a method that a library made, as `unittest.mock` does, calls a function of the program's."""
        held = [cell.cell_contents for cell in method.__closure__ or () if method.__code__.co_freevars == ("func",)]
        return not all(self._is_harmless(called) for called in held)

    def _rests_on_private_methods(self, kind: type) -> dict[str, Any]:
        """Returns the operators that a class inherits from a library's, if it replaces private parts of that."""
        if self.is_of_library(kind):
            return {}
        own = [name for name in members_of(kind) if str.startswith(name, "_") and not str.endswith(name, "_")]
        bases = [base for base in ancestors_of(kind)[1:] if is_changeable(base) and self.is_of_library(base)]
        if not any(isinstance(members_of(base).get(name), _METHODS) for name in own for base in bases):
            return {}
        return {name: ABSENT for base in bases for name in _operators_in(base)}


def all_classes() -> Iterator[type]:
    """Yields all classes that can be changed."""
    seen, left = {id(object)}, [object]
    while left:
        kind = left.pop()
        for found in _subclasses_of(kind):
            if id(found) not in seen:
                seen.add(id(found))
                left.append(found)
                if is_changeable(found):
                    yield found


def is_changeable(kind: type) -> bool:
    """Tells whether a class takes new members."""
    return is_heap_type(kind) and not _flags_of(kind) & _IMMUTABLE


def _operators_in(kind: type) -> dict[str, Any]:
    members = members_of(kind)  # whose keys may be texts of the program's own type: none of them is asked
    return {name: members[name] for name in OPERATORS if name in members}


def _is_mock(kind: type) -> bool:
    """Whether a class is one that `unittest.mock` makes for each of its objects."""
    mock = sys.modules.get("unittest.mock")
    if mock is None or members_of(kind).get("__module__") != "unittest.mock":
        return False
    return any(base is mock.NonCallableMock for base in ancestors_of(kind))
