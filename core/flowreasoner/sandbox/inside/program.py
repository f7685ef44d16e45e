"""The judge's view of a candidate program that lives in another process.

Everything that a test does with the program is one request, and what comes back is plain data, or a `Remote` that
stands for a function, class or object of the program.
"""

from __future__ import annotations

import builtins
import collections
import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .remote import Link, Remote, RemoteCoroutine, RemoteIterator, link_of, not_made
from .values import MOST_NODES, Encoder, decoded
from .wire import WireError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    class Line(Protocol):
        """What carries requests to the guest."""

        generation: int

        def ready(self) -> None:
            """Makes sure that there is a guest."""

        def ask(self, request: dict[str, Any], answer: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
            """Sends a request and returns the guest's reply, answering the guest's own requests meanwhile."""
            ...


_OF_ITERATORS = {"builtins", "itertools"}


class Program:
    """The program as the judge sees it.

    Args:
        line: Connection to the guest.
        uses_objects: Whether the tests make objects of the program's classes, and not only call functions.
    """

    def __init__(self, line: Line, *, uses_objects: bool = True) -> None:
        self._line, self._uses_objects = line, uses_objects
        self._functions: list[Callable[..., Any]] = []
        self._errors: dict[str, type[BaseException]] = {}
        self._known: dict[tuple[int, int], Any] = {}
        self._kinds: dict[tuple[str, str], type[Remote]] = {}
        self._numbers = itertools.count(1)

    def name(self, name: str) -> Any:
        """Returns what the program calls `name`.

        Raises:
            NameError: If it has no such name.
        """
        value = self.do("name", name)
        if isinstance(value, Remote) and not link_of(value).name:
            constructs = self._uses_objects and name[:1].isupper()
            return self._remember(link_of(value)._replace(name=name, constructs=constructs), type(value))
        if isinstance(value, type) and "_remote" not in vars(value):
            raise NameError(f"what the program calls {name!r} is nothing of its own")
        return value

    def names(self) -> list[str]:
        """Returns the public names of the program."""
        return [name for name in self.do("names") if isinstance(name, str)]

    def do(self, operation: str, *given: Any) -> Any:
        """Asks for one operation on values, and returns or raises what came of it."""
        self._line.ready()
        number = next(self._numbers)
        encode = Encoder(self._refer).encode
        forms = [encode(value) for value in given]
        reply = self._line.ask({"ask": number, "do": operation, "with": forms}, self._answer)
        if "raised" in reply:
            raise self._exception(reply["raised"])
        for place, form in dict(reply.get("changed") or {}).items():
            _change(given[1][int(place)] if place.isdigit() else given[2][place], decoded(form, self._resolve))
        form = reply.get("value")
        if isinstance(form, list) and form[:1] == ["a"] and operation in {"call", "construct"}:
            return given[1][form[1]]
        return decoded(form, self._resolve)

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Runs a function of the tests that was handed to the program, on arguments that the program gives."""
        number = request.get("do")
        if type(number) is not int or not 0 <= number < len(self._functions):
            raise WireError("a request for what was not offered")
        args, named = [decoded(form, self._resolve) for form in request["with"]]
        try:
            value = self._functions[number](*args, **named)
            return {"to": request["ask"], "value": Encoder(self._refer).encode(value)}
        except Exception as error:
            return {"to": request["ask"], "raised": [type(error).__name__, str(error)[:500]]}

    def _refer(self, value: Any) -> list[Any]:
        if isinstance(value, Remote):
            link = link_of(value)
            if link.program is self and link.generation == self._line.generation:
                return ["h", link.number]
            if link.program is self and link.name:  # the program was started anew, and so has it again
                return self._refer(self.name(link.name))
            raise WireError("an object of the program is gone: the program had to be started anew")
        if isinstance(value, type) and "_remote" in vars(value):
            return self._refer(vars(value)["_remote"])
        if isinstance(value, BaseException):
            generation, number = vars(value).get("_number", (0, 0))
            of_the_program = generation == self._line.generation
            return ["h", number] if of_the_program else ["E", type(value).__name__, str(value)[:500]]
        if isinstance(value, slice):
            return ["S", *[self._encoded(part) for part in (value.start, value.stop, value.step)]]
        if isinstance(value, Iterator) and type(value).__module__ in _OF_ITERATORS:
            return ["I", *[self._encoded(item) for item in itertools.islice(value, MOST_NODES)]]
        if callable(value) and not isinstance(value, type):
            self._functions.append(value)
            return ["p", len(self._functions) - 1]
        raise TypeError(
            f"a {type(value).__name__} of the tests cannot be handed to the program: tests may hand over plain data, "
            "functions, and objects of the program's own classes"
        )

    def _encoded(self, value: Any) -> Any:
        return Encoder(self._refer).encode(value)

    def _resolve(self, form: list[Any]) -> Any:
        match form:
            case ["h", int(number), str(type_name), str(kind), *bases]:
                key = (self._line.generation, number)
                if key not in self._known:
                    remote = self._remember(Link(self, number, key[0]), self._kind(type_name, kind))
                    if bases:
                        self._known[key] = self._error_class(type_name, bases[0], remote)
                return not_made(self._known[key])
            case ["e", list(raised)]:
                return self._exception(raised)
        raise WireError("not a value")

    def _remember(self, link: Link, kind: type[Remote]) -> Remote:
        """Returns the one `Remote` that stands for an object of the program, so that identity holds in the tests."""
        remote = self._known[link.generation, link.number] = kind(link)
        return remote

    def made(self, remote: Remote) -> Remote:
        """Returns the `Remote` for an object that a test has made."""
        link = link_of(remote)
        known = self._known.get((link.generation, link.number))
        if isinstance(known, Remote) and link_of(known).made:
            return known  # a class may return the one object that it has
        return self._remember(link._replace(made=True), type(remote))

    def _kind(self, type_name: str, kind: str) -> type[Remote]:
        """Returns the class of `Remote` that bears a type's name, which is what error messages say."""
        if (type_name, kind) not in self._kinds:
            base = {"coroutine": RemoteCoroutine, "iterator": RemoteIterator}.get(kind, Remote)
            self._kinds[type_name, kind] = type(type_name, (base,), {"__slots__": ()})
        return self._kinds[type_name, kind]

    def _exception(self, raised: list[Any]) -> BaseException:
        """Returns the exception that the program raised, as a built-in or as a class of the program's name."""
        name, bases, args, text, *number = raised
        kind = self._errors.get(name) or (_builtin_error(name) if name in bases else None)
        if kind is None:
            kind = self._error_class(str(name), bases, None)
        if issubclass(kind, StopIteration | StopAsyncIteration | GeneratorExit):
            return RuntimeError(f"the program raised {name}")  # it would end the test's own loops early
        try:
            error = kind(*[decoded(form, self._resolve) for form in args])
        except Exception:
            error = RuntimeError(f"{name}: {str(text)[:300]}")
        if number:
            error._number = self._line.generation, int(number[0])  # type: ignore[attr-defined]
        if "_remote" in vars(kind) and number:
            remote = self._remember(Link(self, int(number[0]), self._line.generation), Remote)
            error._of, error._text = remote, str(text)  # type: ignore[attr-defined]
        return error

    def _error_class(self, name: str, bases: list[Any], remote: Any) -> type[BaseException]:
        if name not in self._errors:
            base = next((found for found in map(_builtin_error, bases) if found), Exception)
            methods = {"__str__": _text_of, "__getattr__": _attribute_of, "_remote": None}
            self._errors[name] = type(name, (base,), methods)
        if remote is not None:
            self._errors[name]._remote = remote  # type: ignore[attr-defined]
        return self._errors[name]


def _text_of(error: Any) -> str:
    return str(vars(error).get("_text", ""))


def _attribute_of(error: Any, name: str) -> Any:
    remote = vars(error).get("_of")
    if remote is None or name.startswith("_"):
        raise AttributeError(name)
    return getattr(remote, name)


def _builtin_error(name: object) -> type[BaseException] | None:
    kind = getattr(builtins, name, None) if isinstance(name, str) else None
    return kind if isinstance(kind, type) and issubclass(kind, BaseException) else None


def _change(mine: Any, theirs: Any) -> None:
    """Does to the test's own object what the program did to its copy."""
    if type(mine) is not type(theirs):
        return
    if isinstance(mine, list | bytearray):
        mine[:] = theirs
    elif isinstance(mine, dict | set):
        mine.clear()
        mine.update(theirs)
    elif isinstance(mine, collections.deque):
        mine.clear()
        mine.extend(theirs)
