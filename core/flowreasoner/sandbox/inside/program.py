"""The judge's view of a candidate program that lives in another process.

Functions, classes and objects of the program are `Remote`: using one sends a request, and what comes back
is plain data or another `Remote`. Two rules keep verdicts honest. No `Remote` decides whether it equals plain
data: one that is a kind of data is compared as what it holds, here; any other is equal to none. And one that a
test got as a *result* has no order, no members and no arithmetic, whatever its own methods would say. Only an
object that the test *made*, by calling a class (a capitalised name, in tests that use objects), is asked to
order and add itself, because that is then what is under test; what its methods return is a result again.
"""

from __future__ import annotations

import builtins
import collections
import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

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
_ONE_BY_ONE, _MOST_AT_ONCE = 7, 1024


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
        if isinstance(value, Remote) and not _link(value).name:
            constructs = self._uses_objects and name[:1].isupper()
            return self._remember(_link(value)._replace(name=name, constructs=constructs), type(value))
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
            link = _link(value)
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
                return _not_made(self._known[key])
            case ["e", list(raised)]:
                return self._exception(raised)
        raise WireError("not a value")

    def _remember(self, link: Link, kind: type[Remote]) -> Remote:
        """Returns the one `Remote` that stands for an object of the program, so that identity holds in the tests."""
        remote = self._known[link.generation, link.number] = kind(link)
        return remote

    def made(self, remote: Remote) -> Remote:
        """Returns the `Remote` for an object that a test has made."""
        link = _link(remote)
        known = self._known.get((link.generation, link.number))
        if isinstance(known, Remote) and _link(known).made:
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


class Link(NamedTuple):
    """What a `Remote` stands for.

    Attributes:
        program: Whose object it is.
        number: Its number there.
        generation: Which start of the program it belongs to.
        made: Whether a test made it by calling a class.
        name: What the tests call it, if they have it by its name.
        constructs: Whether that is a capitalised name, and so a class's.
    """

    program: Program
    number: int
    generation: int
    made: bool = False
    name: str = ""
    constructs: bool = False


def _link(remote: Remote) -> Link:
    link: Link = object.__getattribute__(remote, "_link")
    return link


def _do(operation: str, remote: Remote, *given: Any) -> Any:
    return _link(remote).program.do(operation, remote, *given)


class Remote:
    """A function, class or object of the program."""

    __slots__ = ("_link",)

    def __init__(self, link: Link) -> None:
        object.__setattr__(self, "_link", link)

    def __getattribute__(self, name: str) -> Any:
        return type(self) if name == "__class__" else _do("attr", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        _do("setattr", self, name, value)

    def __delattr__(self, name: str) -> None:
        _do("delattr", self, name)

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Calls the function in the program, or makes an object of the class there."""
        link = _link(self)
        value = link.program.do("construct" if link.constructs else "call", self, list(args), named)
        return link.program.made(value) if link.constructs and isinstance(value, Remote) else value

    def __instancecheck__(self, value: Any) -> bool:
        return isinstance(value, Remote) and bool(_do("isinstance", value, self))

    def __hash__(self) -> int:
        return hash(_do("hash", self))

    def __contains__(self, value: Any) -> bool:
        if _link(self).made:
            return bool(_do("contains", self, value))
        return any(item == value for item in self)

    def __iter__(self) -> Iterator[Any]:
        iterator: Iterator[Any] = _do("iter", self)
        return iterator

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Leaves a block in the program; an exception goes on all the same, for it may be a test's failure."""
        _do("exit", self, error)

    def __eq__(self, other: object) -> bool:
        link = _link(self)
        if isinstance(other, Remote):
            return _link(other)[1:3] == link[1:3] or bool(_do("eq", self, other))
        held = _do("data", self) if link.made else self
        return not isinstance(held, Remote) and bool(held == other)

    def __ne__(self, other: object) -> bool:
        return not self == other


class RemoteIterator(Remote):
    """An iterator of the program, whose items are fetched a few at a time."""

    __slots__ = ("_ahead",)  # an `Ahead`

    def __init__(self, link: Link) -> None:
        super().__init__(link)
        object.__setattr__(self, "_ahead", Ahead())

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        ahead = object.__getattribute__(self, "_ahead")
        if not ahead.items and not ahead.ended:
            # One by one at first, since programs can tell how far they were asked to go.
            most = max(1, min(ahead.fetched - _ONE_BY_ONE, _MOST_AT_ONCE))
            items, ahead.ended, ahead.error = _do("items", self, most)
            ahead.items, ahead.fetched = items[::-1], ahead.fetched + len(items)
        if ahead.items:
            return ahead.items.pop()
        error, ahead.error = ahead.error, None
        raise error or StopIteration


class Ahead:
    """What is known of an iterator of the program: items that were fetched, and how it has ended."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self.fetched = 0
        self.ended = False
        self.error: BaseException | None = None


def _not_made(value: Any) -> Any:
    """Returns an object of the program as a result, whoever has made it: methods may return their own object."""
    if not isinstance(value, Remote) or not _link(value).made:
        return value
    twin = type(value)(_link(value)._replace(made=False))
    if isinstance(value, RemoteIterator):
        object.__setattr__(twin, "_ahead", object.__getattribute__(value, "_ahead"))
    return twin


class RemoteCoroutine(Remote):
    """A coroutine of the program: it runs to its end there when the test first awaits it."""

    __slots__ = ()

    def __getattribute__(self, name: str) -> Any:
        own = name in {"send", "throw", "close"}
        return object.__getattribute__(self, name) if own else super().__getattribute__(name)

    def send(self, _: object) -> Any:
        """Runs the coroutine in the program; its end is the first step's."""
        raise StopIteration(_do("await", self))

    def throw(self, *error: Any) -> Any:
        """Gives up."""
        raise error[0]

    def close(self) -> None:
        """Does nothing: what was not awaited never began."""

    def __await__(self) -> Any:
        return self

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        return self.send(None)


def _forwarding(operation: str, result: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda self, *given: result(_do(operation, self, *given))


def _comparing(operation: str) -> Callable[..., Any]:
    def compare(self: Remote, other: Any) -> Any:
        allowed = _link(self).made or isinstance(other, Remote)
        return bool(_do(operation, self, other)) if allowed else NotImplemented

    return compare


def _calculating(operation: str, *, reflected: bool = False) -> Callable[..., Any]:
    def calculate(self: Remote, *other: Any) -> Any:
        link = _link(self)
        if not link.made:
            if other:
                return NotImplemented
            raise TypeError(f"a result of type {type(self).__name__} is no number")
        value = link.program.do(operation, *((*other, self) if reflected else (self, *other)))
        return link.program.made(value) if isinstance(value, Remote) else value

    return calculate


_RESULTS: dict[str, Callable[[Any], Any]] = {
    "bool": bool, "len": int, "str": str, "repr": str, "format": str, "getitem": lambda value: value,
    "setitem": lambda _: None, "delitem": lambda _: None, "enter": lambda value: value, "int": int, "float": float,
    "index": int, "round": lambda value: value, "reversed": lambda value: value,
}  # fmt: skip
for _name, _result in _RESULTS.items():
    setattr(Remote, f"__{_name}__", _forwarding(_name, _result))
for _name in ("lt", "le", "gt", "ge"):
    setattr(Remote, f"__{_name}__", _comparing(_name))
for _name in "add sub mul truediv floordiv mod pow matmul and_ or_ xor lshift rshift".split():
    setattr(Remote, f"__{_name.strip('_')}__", _calculating(_name))
    setattr(Remote, f"__r{_name.strip('_')}__", _calculating(_name, reflected=True))
for _name in ("neg", "pos", "abs", "invert"):
    setattr(Remote, f"__{_name}__", _calculating(_name))
