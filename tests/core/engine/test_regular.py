"""Regular expressions run on another package within limits, and mean what they mean in `re`."""

import contextlib
import re
import time
import warnings

import pytest

from flowreasoner.budget import Budget, Meter
from flowreasoner.engine.regular import REGULAR
from flowreasoner.errors import BudgetExceeded

PATTERNS = """a x* a|b (a)(b)? \\b ^ $ (?m)^ [a-z]+ \\d{2} a{2,} a{,2} a{} { {} {a} a{1 a{x} \\{a\\} [{] (?P<n>a)(?P=n)?
    (?i)A [[:alpha:]] [[:digit:]]+ [[a] (?<=a)b (?!a). a++ (?>a+) a*? \\w+ \\s [^a] . (?s). \\\\ (a)|b
    ((a)|(b))+ \\Z \\A []a] a{0} a{,} (?:ab){2} é [a&&b] [a||b] \\u0061 a{e} (?:a){e<=1} (?a)\\w x{1}y (?i:a)B
    (?-i:a) (?#c)a a{1,2}?""".split()
INVALID = "* ( ) [ a** a{2}{3} (?P<n>a)(?P<n>b) \\p{L} \\1(a) [b-a] (?<n>a) (?V1)a (?R) \\g<1> a{3,2}".split()
TEXTS = ["", "a", "ab", "aab aa\nb", "{a} {}", "AéB 12 1", "abab--ab", "x{1}y", "a{e}", "a{x}\\{}", ":alpha:]", "a{1"]
REPLACEMENTS = [
    "",
    "-",
    "<\\g<0>>",
    "\\\\",
    "\\n",
    "[\\1]",
    "\\g<n>",
    "\\q",
    "$1",
    "{0}",
    "\\0",
    "\\",
    "\\g<",
    "\\g<2>",
]


@pytest.fixture
def meter():
    return Meter(Budget())


def outcome(function, *arguments):
    """Returns a call's result, or what it raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return function(*arguments)
        except (re.error, IndexError) as error:
            return type(error)


def parts(match):
    return match and (match.group(), match.groups(), match.groupdict(), match.span())


@pytest.mark.parametrize("name", ["findall", "split", "match", "search", "fullmatch", "finditer"])
@pytest.mark.parametrize("pattern", ["", "a b", *PATTERNS])
def test_searching_finds_what_re_finds(pattern, name, meter):
    for text in TEXTS:
        ours, theirs = REGULAR[name](meter, pattern, text), outcome(getattr(re, name), pattern, text)
        if name in {"match", "search", "fullmatch"}:
            ours, theirs = parts(ours), parts(theirs)
        elif name == "finditer":
            ours, theirs = list(map(parts, ours)), list(map(parts, theirs))
        assert ours == theirs


@pytest.mark.parametrize("pattern", ["", *PATTERNS])
def test_replacing_and_splitting_gives_what_re_gives(pattern, meter):
    for text in TEXTS:
        for count in (0, 1, 2):
            assert REGULAR["split"](meter, pattern, text, count) == outcome(re.split, pattern, text, count)
            for replacement in REPLACEMENTS:
                ours = outcome(REGULAR["subn"], meter, pattern, replacement, text, count)
                assert ours == outcome(re.subn, pattern, replacement, text, count)


@pytest.mark.parametrize("pattern", INVALID)
def test_invalid_patterns_are_refused_in_the_words_of_re(pattern, meter):
    with pytest.raises(re.error) as theirs:
        re.compile(pattern)
    with pytest.raises(re.error, match=re.escape(str(theirs.value))):
        REGULAR["search"](meter, pattern, "a")


@pytest.mark.parametrize("flags", [re.I, re.M, re.S, re.X, re.ASCII, re.I | re.S, 0])
def test_flags_mean_what_they_mean_in_re(flags, meter):
    for pattern in ("A b", "^b", ".", "\\w"):
        assert REGULAR["findall"](meter, pattern, "a\nbé a b", flags) == re.findall(pattern, "a\nbé a b", flags)


def test_patterns_that_re_warns_of_raise_no_warning(meter):
    assert REGULAR["findall"](meter, "[[a]", "[a") == ["[", "a"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((3, "a"), "the pattern must be a string, not int"),
        (("a", 3), "expected a string, got int"),
        ((None, "a"), "the pattern must be a string, not NoneType"),
    ],
)
def test_other_types_are_refused(arguments, words, meter):
    with pytest.raises(TypeError, match=words):
        REGULAR["search"](meter, *arguments)


def test_replacements_are_texts_or_functions(meter):
    with pytest.raises(TypeError, match="the replacement must be a string or a function, not int"):
        REGULAR["sub"](meter, "a", 1, "a")


@pytest.mark.parametrize(
    "call",
    [
        "re.sub('[aeiou]', lambda m: m.group(0).upper(), problem)",
        "re.sub(r'(\\w)(\\d*)', lambda m: m[2] + m.group(1), problem, count=2)",
        "re.sub('', lambda m: '-', problem)",
        "re.subn('A', lambda m: str(m.start()), problem, flags=re.IGNORECASE)",
        "re.sub(pattern='b', repl=lambda m: 'x', string=problem)",
    ],
)
async def test_replacement_functions_do_what_they_do_in_python(run, call):
    problem = "banana b42 Ab"
    assert (await run(f"return str({call})", arguments={"problem": problem})).answer == str(
        eval(call, {"re": re, "problem": problem})
    )


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("re.sub('a', lambda m: 1, problem)", "expected str instance, int found"),
        ("re.sub('a', lambda m: m[7], problem)", "no such group"),
        ("re.sub('a', lambda m: 'x' * 10**9, problem)", "memory"),
    ],
)
async def test_replacement_functions_fail_as_they_do_in_python(run, call, words):
    assert words in str((await run(f"return {call}", arguments={"problem": "banana"})).error)


@pytest.mark.parametrize(
    "pattern",
    ["a" * 2_001, "a{10001}", "(a{101}){100}", "((a{10}){10}){101}", "a{99999999999999999999}", "(a{1,200}){1,200}"],
)
def test_patterns_too_large_are_refused(pattern, meter):
    with pytest.raises(ValueError, match="the pattern is too large") as caught:
        REGULAR["search"](meter, pattern, "a")
    assert repr(pattern[:60]) in str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("(a|aa)+$", "a" * 60 + "b"),
        ("(a|aa)+b", "a" * 60),
        ("^((a|aa)+)c", "a" * 60),
    ],
)
def test_catastrophic_patterns_exceed_the_budget_soon(pattern, text, meter):
    with pytest.raises(BudgetExceeded, match="takes too long") as caught:
        REGULAR["search"](meter, pattern, text)
    assert caught.value.limit == "seconds"
    assert repr(pattern) in str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("(a+)+$", "a" * 40 + "b"),
        ("(a*)*b", "a" * 40),
        ("(.*a){15}b", "a" * 60),
        ("(x+x+)+y", "x" * 60),
        ("(?:|)" * 60 + "x", ""),
        (r"(\w+\s?)*!", "word " * 40),
        ("(.*)(.*)(.*)(.*)(.*)(.*)(.*)x", "y" * 3_000),
    ],
)
def test_patterns_that_hold_up_re_are_answered_soon(pattern, text, meter):
    started = time.monotonic()
    with contextlib.suppress(BudgetExceeded):
        assert REGULAR["sub"](meter, pattern, "\\n", text) == text
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("sub", ("", "b" * 10_000, "a" * 10_000)),
        ("sub", ("(a+)", "\\1" * 10_000, "a" * 100_000)),
        ("sub", ("(?=(a+))", "\\1", "a" * 20_000)),
        ("findall", ("(?=(a+))", "a" * 20_000)),
        ("findall", ("a", "a" * 40_000_000)),
        ("escape", ("." * 40_000_000,)),
    ],
)
def test_results_that_grow_exceed_the_budget(name, arguments, meter):
    with pytest.raises(BudgetExceeded) as caught:
        REGULAR[name](meter, *arguments)
    assert caught.value.limit in {"memory", "seconds"}


def test_deeply_nested_groups_are_answered(meter):
    with pytest.raises((RecursionError, re.error, OverflowError)):
        REGULAR["search"](meter, "(" * 990 + "a" + ")" * 990, "a")
