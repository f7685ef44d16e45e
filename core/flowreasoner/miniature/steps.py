"""The steps that queries of the miniature world are composed of: what each does, as code and in English.

A step's code is an expression over ``v``, the value so far. It is the one definition of what the step does: the
reference solutions, the expected values of the tests and the worker's training programs all come from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["KINDS", "STEPS", "Kind", "Step"]

Kind = Literal["numbers", "number", "words", "text"]
KINDS: dict[Kind, str] = {
    "numbers": "a list of integers",
    "number": "an integer",
    "words": "a list of words",
    "text": "a string",
}
"""Kinds of values, and what a problem calls them."""


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        name: Its name, which is also how a plan states it; ``#`` stands for the parameter.
        takes: Kind of the value that it starts from.
        gives: Kind of the value that it returns.
        code: Expression over ``v``; ``#`` stands for the parameter.
        verbs: What to do, e.g. ``square each number``; ``#`` stands for the parameter.
        nouns: What comes of it, e.g. ``the squares of *``, where ``*`` stands for what it starts from.
        choices: Values of the parameter; none when there is none.
    """

    name: str
    takes: Kind
    gives: Kind
    code: str
    verbs: tuple[str, ...]
    nouns: tuple[str, ...]
    choices: tuple[str, ...] = ()

    def run(self, value: Any, parameter: str) -> Any:
        """Returns what the step makes of a value."""
        return _function(self.code.replace("#", parameter))(value)


@cache
def _function(code: str) -> Callable[[Any], Any]:
    made: Callable[[Any], Any] = eval(f"lambda v: {code}", {})  # noqa: S307 - one of the expressions below
    return made


_SMALL = ("2", "3", "4", "5")
_COUNTS = ("2", "3")
_BOUNDS = ("2", "3", "4", "5", "6", "7", "8", "9", "10")
_LETTERS = ("'a'", "'e'", "'o'", "'s'", "'t'")

_ROWS: tuple[tuple[str, Kind, Kind, str, str, str, tuple[str, ...]], ...] = (
    # numbers to numbers
    ("keep even", "numbers", "numbers", "[x for x in v if x % 2 == 0]",
     "keep only the even numbers|drop every odd number", "the even numbers in *|* without the odd numbers", ()),
    ("keep odd", "numbers", "numbers", "[x for x in v if x % 2 == 1]",
     "keep only the odd numbers|drop every even number", "the odd numbers in *|* without the even numbers", ()),
    ("keep above #", "numbers", "numbers", "[x for x in v if x > #]",
     "keep the numbers greater than #|remove the numbers that are at most #", "the numbers above # in *", _BOUNDS),
    ("keep below #", "numbers", "numbers", "[x for x in v if x < #]",
     "keep the numbers less than #|remove the numbers that are at least #", "the numbers below # in *", _BOUNDS),
    ("keep multiples of #", "numbers", "numbers", "[x for x in v if x % # == 0]",
     "keep the numbers divisible by #|keep only the multiples of #", "the multiples of # in *", ("3", "4", "5")),
    ("add # to each", "numbers", "numbers", "[x + # for x in v]",
     "add # to each number|increase every number by #", "* with # added to each number", _BOUNDS),
    ("subtract # from each", "numbers", "numbers", "[x - # for x in v]",
     "subtract # from each number|decrease every number by #", "* with # taken from each number", _BOUNDS),
    ("multiply each by #", "numbers", "numbers", "[x * # for x in v]",
     "multiply each number by #|replace every number by # times itself", "* with each number times #", _SMALL),
    ("square each", "numbers", "numbers", "[x * x for x in v]",
     "square each number|replace every number by its square", "the squares of *", ()),
    ("negate each", "numbers", "numbers", "[-x for x in v]",
     "negate each number|flip the sign of every number", "the negatives of *", ()),
    ("absolute values", "numbers", "numbers", "[abs(x) for x in v]",
     "take the absolute value of each number|drop the sign of every number", "the absolute values of *", ()),
    ("remainders by #", "numbers", "numbers", "[x % # for x in v]",
     "replace each number by its remainder modulo #|take every number modulo #", "* with each number modulo #",
     ("3", "4", "5", "7")),
    ("reverse list", "numbers", "numbers", "v[::-1]",
     "reverse the list|put the numbers in opposite order", "* in reverse|* from back to front", ()),
    ("sort up", "numbers", "numbers", "sorted(v)",
     "sort the numbers|sort the list in ascending order", "* in ascending order|* sorted", ()),
    ("sort down", "numbers", "numbers", "sorted(v, reverse=True)",
     "sort the numbers from largest to smallest|sort the list in descending order", "* in descending order", ()),
    ("drop repeats", "numbers", "numbers", "list(dict.fromkeys(v))",
     "remove repeated numbers|keep only the first of equal numbers", "* without repeats", ()),
    ("first #", "numbers", "numbers", "v[:#]",
     "keep the first # numbers|cut the list after # numbers", "the first # numbers of *", _SMALL),
    ("last #", "numbers", "numbers", "v[-#:]", "keep the last # numbers", "the last # numbers of *", _SMALL),
    ("skip #", "numbers", "numbers", "v[#:]",
     "drop the first # numbers|skip # numbers at the start", "* without its first # numbers", _COUNTS),
    ("every second", "numbers", "numbers", "v[::2]",
     "keep every second number, starting with the first|drop every other number", "every second number of *", ()),
    ("running totals", "numbers", "numbers", "[sum(v[:i + 1]) for i in range(len(v))]",
     "replace the numbers by their running totals|compute the running totals", "the running totals of *", ()),
    ("differences", "numbers", "numbers", "[b - a for a, b in zip(v, v[1:])]",
     "take the differences of neighbours|subtract each number from the next one", "the differences of neighbours in *",
     ()),
    # numbers to something else
    ("sum", "numbers", "number", "sum(v)", "add all numbers up|take the sum", "the sum of *|the total of *", ()),
    ("maximum", "numbers", "number", "max(v, default=0)",
     "take the largest number, or 0 if there is none", "the largest (or 0) of *|the maximum (or 0) of *", ()),
    ("minimum", "numbers", "number", "min(v, default=0)",
     "take the smallest number, or 0 if there is none", "the smallest (or 0) of *|the minimum (or 0) of *", ()),
    ("count numbers", "numbers", "number", "len(v)",
     "count the numbers|count how many are left", "the count of *|how many there are of *", ()),
    ("spread", "numbers", "number", "max(v, default=0) - min(v, default=0)",
     "take the largest minus the smallest number, or 0", "the spread (or 0) of *", ()),
    ("join numbers with commas", "numbers", "text", "','.join(str(x) for x in v)",
     "write the numbers with commas between them|join the numbers by commas", "* joined by commas", ()),
    ("sum of squares", "numbers", "number", "sum(x * x for x in v)",
     "add up the squares of the numbers", "the sum of the squares of *", ()),
    # number
    ("add #", "number", "number", "v + #", "add # to it|increase it by #", "# more than *", _BOUNDS),
    ("times #", "number", "number", "v * #", "multiply it by #", "# times *", _SMALL),
    ("square", "number", "number", "v * v", "square it|multiply it by itself", "the square of *", ()),
    ("negate", "number", "number", "-v", "negate it|flip its sign", "the negative of *", ()),
    ("modulo #", "number", "number", "v % #", "take it modulo #|take its remainder modulo #", "* modulo #",
     ("3", "4", "5", "7")),
    ("digit sum", "number", "number", "sum(int(d) for d in str(abs(v)))",
     "add up its digits|take its digit sum", "the digit sum of *", ()),
    ("digits", "number", "numbers", "[int(d) for d in str(abs(v))]",
     "list its digits|split it into digits", "the digits of *", ()),
    ("to text", "number", "text", "str(v)", "write it as a string|turn it into a string", "* as a string", ()),
    # text
    ("upper case", "text", "text", "v.upper()",
     "put it in upper case|make all letters capitals", "* in upper case", ()),
    ("swap case", "text", "text", "v.swapcase()",
     "swap upper and lower case|flip the case of every letter", "* with its case swapped", ()),
    ("title case", "text", "text", "v.title()",
     "put it in title case|start every word with a capital", "* in title case", ()),
    ("reverse text", "text", "text", "v[::-1]", "reverse it|read it backwards", "* backwards|* reversed", ()),
    ("drop vowels", "text", "text", "''.join(c for c in v if c not in 'aeiou')",
     "remove its vowels|delete the letters a, e, i, o and u", "* without its vowels", ()),
    ("drop spaces", "text", "text", "v.replace(' ', '')",
     "remove its spaces|delete every space", "* without its spaces", ()),
    ("drop letter #", "text", "text", "v.replace(#, '')",
     "remove every # from it|delete all #", "* without #", _LETTERS),
    ("repeat # times", "text", "text", "v * #", "repeat it # times", "* repeated # times", _COUNTS),
    ("first # characters", "text", "text", "v[:#]",
     "keep its first # characters|cut it after # characters", "the first # characters of *", _SMALL),
    ("last # characters", "text", "text", "v[-#:]", "keep its last # characters", "the last # characters of *", _SMALL),
    ("sort letters", "text", "text", "''.join(sorted(v))",
     "sort its characters|put its characters in order", "the sorted characters of *", ()),
    ("double letters", "text", "text", "''.join(c * 2 for c in v)",
     "write each character twice|double every character", "* with every character doubled", ()),
    ("length", "text", "number", "len(v)", "take its length|count its characters", "the length of *", ()),
    ("count vowels", "text", "number", "sum(c in 'aeiou' for c in v)",
     "count its vowels|count the letters a, e, i, o and u", "the number of vowels in *", ()),
    ("count letter #", "text", "number", "v.count(#)",
     "count every # in it|count how often # occurs", "the number of # in *", _LETTERS),
    ("split words", "text", "words", "v.split()",
     "split it into words|list its words", "the words of *", ()),
    # words
    ("sort words", "words", "words", "sorted(v)",
     "sort the words|put the words in alphabetical order", "* in alphabetical order", ()),
    ("sort by length", "words", "words", "sorted(v, key=len)",
     "sort the words by length|order the words from short to long", "* ordered by length", ()),
    ("reverse words", "words", "words", "v[::-1]",
     "reverse the order of the words", "* in reverse|* from back to front", ()),
    ("reverse each word", "words", "words", "[w[::-1] for w in v]",
     "reverse each word|spell every word backwards", "* with each word reversed", ()),
    ("capitalise each", "words", "words", "[w.upper() for w in v]",
     "put each word in capitals|make every word upper case", "* with each word in capitals", ()),
    ("words longer than #", "words", "words", "[w for w in v if len(w) > #]",
     "keep the words with more than # letters|drop the words of at most # letters", "the words longer than # of *",
     _SMALL),
    ("words with #", "words", "words", "[w for w in v if # in w]",
     "keep the words that contain #|drop the words without #", "the words that contain # of *", _LETTERS),
    ("drop repeated words", "words", "words", "list(dict.fromkeys(v))",
     "remove repeated words|keep only the first of equal words", "* without repeats", ()),
    ("first # words", "words", "words", "v[:#]",
     "keep the first # words|cut the list after # words", "the first # words of *", _COUNTS),
    ("lengths", "words", "numbers", "[len(w) for w in v]",
     "replace each word by its length|take the lengths of the words", "the lengths of *", ()),
    ("count words", "words", "number", "len(v)", "count the words", "the number of words in *", ()),
    ("join words", "words", "text", "' '.join(v)",
     "join the words with spaces", "* joined with spaces", ()),
    ("join with dashes", "words", "text", "'-'.join(v)",
     "join the words with dashes|put dashes between the words", "* joined with dashes", ()),
    ("initials", "words", "text", "''.join(w[0] for w in v)",
     "join the first letters of the words|take the initials", "the initials of *", ()),
    ("longest word", "words", "text", "max(v, key=len, default='')",
     "take the longest word, or an empty string", "the longest (or an empty string) of *", ()),
)  # fmt: skip

STEPS: tuple[Step, ...] = tuple(
    Step(name, takes, gives, code, tuple(verbs.split("|")), tuple(nouns.split("|")), choices)
    for name, takes, gives, code, verbs, nouns, choices in _ROWS
)
"""All steps."""
