"""What tests hold in the place of a program's functions, classes and objects, which live in another process.

Using a `Remote` sends a request, and what comes back is plain data or another `Remote`. Two rules keep verdicts
honest. No `Remote` decides whether it equals plain data: one that is a kind of data is compared as what it holds,
here; any other is equal to none. And one that a test got as a *result* has no order, no members and no arithmetic,
whatever its own methods would say. Only an object that the test *made*, by calling a class (a capitalised name, in
tests that use objects), is asked to order and add itself, because that is then what is under test; what its methods
return is a result again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from .program import Program

__all__ = ["Link", "Remote", "RemoteCoroutine", "RemoteIterator", "link_of", "not_made"]

_ONE_BY_ONE, _MOST_AT_ONCE = 7, 1024


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


def link_of(remote: Remote) -> Link:
    """Returns what a `Remote` stands for, which its own attributes do not tell: they are the program's."""
    link: Link = object.__getattribute__(remote, "_link")
    return link


def _do(operation: str, remote: Remote, *given: Any) -> Any:
    return link_of(remote).program.do(operation, remote, *given)


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
        link = link_of(self)
        value = link.program.do("construct" if link.constructs else "call", self, list(args), named)
        return link.program.made(value) if link.constructs and isinstance(value, Remote) else value

    def __instancecheck__(self, value: Any) -> bool:
        return isinstance(value, Remote) and bool(_do("isinstance", value, self))

    def __hash__(self) -> int:
        return hash(_do("hash", self))

    def __contains__(self, value: Any) -> bool:
        if link_of(self).made:
            return bool(_do("contains", self, value))
        return any(item == value for item in self)

    def __iter__(self) -> Iterator[Any]:
        iterator: Iterator[Any] = _do("iter", self)
        return iterator

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Leaves a block in the program; an exception goes on all the same, for it may be a test's failure."""
        _do("exit", self, error)

    def __eq__(self, other: object) -> bool:
        link = link_of(self)
        if isinstance(other, Remote):
            return link_of(other)[1:3] == link[1:3] or bool(_do("eq", self, other))
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


def not_made(value: Any) -> Any:
    """Returns an object of the program as a result, whoever has made it: methods may return their own object."""
    if not isinstance(value, Remote) or not link_of(value).made:
        return value
    twin = type(value)(link_of(value)._replace(made=False))
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
        allowed = link_of(self).made or isinstance(other, Remote)
        return bool(_do(operation, self, other)) if allowed else NotImplemented

    return compare


def _calculating(operation: str, *, reflected: bool = False) -> Callable[..., Any]:
    def calculate(self: Remote, *other: Any) -> Any:
        link = link_of(self)
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
