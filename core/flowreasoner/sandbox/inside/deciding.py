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
from typing import TYPE_CHECKING

from .operators import ARRAYS, EQUALITY, missing
from .origins import ABSENT, Origins, all_classes, ancestors_of, is_changeable, members_of
from .probe import contradiction
from .sealed import sealed
from .tamper import TESTS

if TYPE_CHECKING:
    import types
    from typing import Any

    from .tamper import FoundOut

__all__ = ["Deciding"]

_set_member = type.__setattr__
_OWN = {os.path.join(os.path.dirname(__file__), name) for name in ("deciding.py", "operators.py", "sealed.py")}


class Deciding:
    """Knows whose operators are whose. To be made before the program is loaded.

    Args:
        found_out: Ends the run of an object that is caught at equalling several values.
    """

    def __init__(self, found_out: FoundOut) -> None:
        self._found_out = found_out
        self._origins = Origins()
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
            if members_of(kind).get(name) is not guard:
                return name
        for kind in all_classes():
            if not only_new or not self._origins.was_there(kind):
                for name in self._origins.changed(kind):
                    if (id(kind), name) not in self._guards and self._origins.is_own(kind, name):
                        self._guard(kind, name)
        return ""

    def impossible(self, value: Any) -> str:
        """Returns what no honest result would do, as it is seen by asking the object, or an empty text."""
        if self._origins.is_mock(value):
            name = self._origins.taught(value)
            return f"a mock was taught {name}" if name else ""
        return contradiction(value)

    def _guard(self, kind: type, name: str) -> None:
        entry = members_of(kind).get(name, ABSENT)

        def act(value: Any, *others: Any) -> Any:
            own = getattr(super(kind, value), name) if entry is ABSENT else _bound(entry, value)
            if not self._is_for_tests(kind, value, name, others):
                return own(*others)
            if name in EQUALITY:
                self._try(value, own, name, others[0])
            return self._without(value, name, only_built_in=entry is ABSENT)(*others)

        guard = sealed(act, name)
        guard.__doc__ = getattr(entry, "__doc__", None)
        _set_member(kind, name, guard)
        self._guards[id(kind), name] = (kind, guard)

    def _is_for_tests(self, kind: type, value: Any, name: str, others: tuple[Any, ...]) -> bool:
        """Whether tests want to know how an object compares with what is not the program's."""
        if not others:
            return False
        other = type(others[0])
        if name not in ARRAYS and (kind in ancestors_of(other) or not self._origins.is_of_library(other)):
            return False
        frame: types.FrameType | None = self._frame(1)
        asking = ""
        while frame is not None and self._is_between(frame.f_code.co_filename):
            asking, frame = frame.f_code.co_name, frame.f_back
        if frame is None or frame.f_code.co_filename not in TESTS:
            return False
        if name in EQUALITY or name in ARRAYS or asking == "assertAlmostEqual":
            return True
        return not any(id(base) in self._named for base in ancestors_of(type(value)))

    def _is_between(self, path: str) -> bool:
        return path in _OWN or self._origins.is_library(path)

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
        for kind in ancestors_of(type(value)):
            entry = members_of(kind).get(name, ABSENT)
            if entry is ABSENT or (id(kind), name) in self._guards or (only_built_in and is_changeable(kind)):
                continue
            if not is_changeable(kind) or not self._origins.is_own(kind, name):
                return _bound(entry, value)
        return lambda *others: missing(value, name, *others)


def _bound(entry: Any, value: Any) -> Any:
    bind = getattr(type(entry), "__get__", None)
    return entry if bind is None else bind(entry, value, type(value))
