"""Regular expressions within the budget: bounded patterns, bounded time, bounded results.

The standard `re` cannot be stopped once a pattern backtracks without end, so matching runs on the `regex`
package, which takes a time limit; `re` still judges whether a pattern is valid.
"""

from __future__ import annotations

import contextlib
import re
import warnings
from typing import TYPE_CHECKING, Any

from flowreasoner.errors import BudgetExceeded

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from flowreasoner.budget import Meter

__all__ = ["REGULAR", "substitute"]

_LONGEST_PATTERN = 2_000
_MOST_REPEATS = 10_000
_SECONDS = 0.5
_REPEAT = re.compile(r"\{(\d*)(?:,(\d*))?\}")
_READ_DIFFERENTLY = re.compile(r"\\N\{[^}]*\}|\\.|\[:|\{(?!\d*,?\d*\})", re.S)


def _compiled(pattern: Any, flags: int) -> Any:
    import regex

    if not isinstance(pattern, str):
        raise TypeError(f"the pattern must be a string, not {type(pattern).__name__}")
    repeats = 1
    for low, high in _REPEAT.findall(pattern):
        repeats *= max(int(low or 0), int(high or 0), 1) if len(low) < 7 and len(high) < 7 else _MOST_REPEATS + 1
    if len(pattern) > _LONGEST_PATTERN or repeats > _MOST_REPEATS:
        raise ValueError(f"the pattern is too large: {pattern[:60]!r}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a doubtful pattern is no concern of the process that runs it
        re.compile(pattern, flags)  # raises re.error, in the words that the model knows
    # In `re` a brace that is no repeat and "[:" stand for themselves; in `regex` they mean fuzzy matching and a
    # class of POSIX.
    pattern = _READ_DIFFERENTLY.sub(lambda found: {"{": "\\{", "[:": "[\\:"}.get(found[0], found[0]), pattern)
    ascii_only = regex.ASCII if flags & re.ASCII else 0
    return regex.compile(pattern, (flags & ~re.ASCII) | ascii_only | regex.VERSION0)


@contextlib.contextmanager
def _in_time(pattern: Any) -> Iterator[None]:
    """Turns a time-out into an exceeded budget, which no handler of the workflow can swallow and repeat."""
    try:
        yield
    except TimeoutError:
        note = f"the pattern {pattern!r:.80} takes too long"
        raise BudgetExceeded("seconds", _SECONDS, _SECONDS, note) from None


def _checked(meter: Meter, text: Any) -> str:
    if not isinstance(text, str):
        raise TypeError(f"expected a string, got {type(text).__name__}")
    meter.allocate(len(text))
    return text


def _first(method: str) -> Callable[..., Any]:
    def call(meter: Meter, pattern: Any, string: Any, flags: int = 0) -> Any:
        with _in_time(pattern):
            return getattr(_compiled(pattern, flags), method)(_checked(meter, string), timeout=_SECONDS)

    return call


def _matches(meter: Meter, pattern: Any, string: Any, flags: int) -> Iterator[Any]:
    with _in_time(pattern):
        for match in _compiled(pattern, flags).finditer(_checked(meter, string), timeout=_SECONDS):
            meter.allocate(1 + len(match[0]) + sum(len(group or "") for group in match.groups()))
            yield match


def _findall(meter: Meter, pattern: Any, string: Any, flags: int = 0) -> list[Any]:
    result: list[Any] = []
    for match in _matches(meter, pattern, string, flags):
        groups = tuple(group or "" for group in match.groups())
        result.append(match[0] if not groups else groups[0] if len(groups) == 1 else groups)
    return result


def _finditer(meter: Meter, pattern: Any, string: Any, flags: int = 0) -> Any:
    return iter(list(_matches(meter, pattern, string, flags)))


def _split(meter: Meter, pattern: Any, string: Any, maxsplit: int = 0, flags: int = 0) -> list[Any]:
    result: list[Any] = []
    position = 0
    for count, match in enumerate(_matches(meter, pattern, string, flags)):
        if maxsplit and count >= maxsplit:
            break
        result += [string[position : match.start()], *match.groups()]
        position = match.end()
    return [*result, string[position:]]


async def substitute(
    meter: Meter,
    replace: Callable[[Any], Awaitable[Any]],
    pattern: Any,
    string: Any,
    count: int = 0,
    flags: int = 0,
) -> tuple[str, int]:
    """Does what `re.subn` does with a function as replacement.

    Args:
        meter: Counts what is made.
        replace: Gives the replacement of a match.
        pattern: The pattern.
        string: The text.
        count: Replacements at most; 0 for all.
        flags: As for `re`.

    Returns:
        The new text, and how many replacements were made.
    """
    pieces: list[str] = []
    position = done = 0
    for match in list(_matches(meter, pattern, string, flags)):
        if count and done >= count:
            break
        replacement = await replace(match)
        if not isinstance(replacement, str):
            raise TypeError(f"expected str instance, {type(replacement).__name__} found")
        meter.allocate(len(replacement))
        pieces += [string[position : match.start()], replacement]
        position, done = match.end(), done + 1
    return "".join([*pieces, string[position:]]), done


def _subn(meter: Meter, pattern: Any, repl: Any, string: Any, count: int = 0, flags: int = 0) -> tuple[str, int]:
    if not isinstance(repl, str):
        raise TypeError(f"the replacement must be a string or a function, not {type(repl).__name__}")
    if "\\" in repl:
        _check_replacement(_compiled(pattern, flags), repl)
    pieces: list[str] = []
    position = done = 0
    for match in _matches(meter, pattern, string, flags):
        if count and done >= count:
            break
        longest = max(len(group or "") for group in (match[0], *match.groups()))
        meter.allocate(len(repl) + repl.count("\\") * longest)
        filled = match.expand(repl) if "\\" in repl else repl
        pieces += [string[position : match.start()], filled]
        position, done = match.end(), done + 1
    return "".join([*pieces, string[position:]]), done


def _check_replacement(compiled: Any, repl: str) -> None:
    """Raises what `re` raises for a malformed replacement, on a pattern of as many groups that matches at once."""
    names = {number: f"?P<{name}>" for name, number in compiled.groupindex.items()}
    groups = "".join(f"({names.get(number, '')})" for number in range(1, compiled.groups + 1))
    re.sub(groups, repl, "")


REGULAR: dict[str, Callable[..., Any]] = {
    "escape": lambda meter, text: re.escape(_checked(meter, text)),
    "findall": _findall,
    "finditer": _finditer,
    "fullmatch": _first("fullmatch"),
    "match": _first("match"),
    "search": _first("search"),
    "split": _split,
    "sub": lambda *args, **kwargs: _subn(*args, **kwargs)[0],
    "subn": _subn,
}
"""Functions of `re`, each called with the meter first."""
