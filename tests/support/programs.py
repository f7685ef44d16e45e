"""Random well-formed workflows for property tests: typed statements over variables that are in scope."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st

__all__ = ["PROMPTS", "workflows"]

PROMPTS = {"SOLVE": "Solve it. ", "CHECK": "Check it: ", "FILL": "Fill {a} and {b}."}

_INDENT = "    "
_OPERATORS = {
    "custom": ("input={s}, instruction={s}", {"response": "s"}),
    "custom_code_generate": ("problem={s}, entry_point={s}, instruction={s}", {"response": "s"}),
    "sc_ensemble": ("solutions={l}, problem={s}", {"response": "s"}),
    "review": ("problem={s}, solution={s}", {"review_result": "b", "feedback": "s"}),
    "revise": ("problem={s}, solution={s}, feedback={s}", {"solution": "s"}),
    "test": ("problem={s}, solution={s}, entry_point={s}", {"result": "b", "solution": "s"}),
    "answer_generate": ("input={s}", {"thought": "s", "answer": "s"}),
}


@dataclass
class _Names:
    """Variables in scope by type: strings, numbers, lists of strings, and results by operator."""

    strings: tuple[str, ...] = ("problem",)
    numbers: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    results: tuple[tuple[str, str], ...] = ()
    in_loop: bool = False
    helpers: tuple[str, ...] = ()
    counter: list[int] = field(default_factory=lambda: [0])

    def fresh(self, prefix: str) -> str:
        self.counter[0] += 1
        return f"{prefix}{self.counter[0]}"


_METHODS = ["strip()", "upper()", "replace('a', 'zz')", "lower()", "title()", "rstrip('c')"]
_LITERALS = st.sampled_from(["''", "'a'", "'b c'", "' x '", "'a\\nb'", "'1'", "'quote\\'s'", "'ünï'"])


@st.composite
def _string(draw: Any, names: _Names, depth: int = 2) -> str:  # noqa: C901 - one case per kind of expression
    options = ["literal", "name", "prompt"]
    if names.results:
        options += ["field", "field", "field"]
    if depth:
        options += ["fstring", "fstring", "add", "method", "slice", "conditional", "derived", "derived", "format"]
    first, second = (draw(_string(names, depth - 1)) if depth else "''" for _ in range(2))
    match draw(st.sampled_from(options)):
        case "literal":
            return draw(_LITERALS)
        case "name":
            return draw(st.sampled_from(names.strings))
        case "prompt":
            return "prompt_custom." + draw(st.sampled_from(["SOLVE", "CHECK"]))
        case "field":
            return draw(_field(names, "s"))
        case "fstring":
            parts = [draw(st.sampled_from(["", "x", "{{", " - "])) + "{" + draw(_simple(names)) + "}" for _ in range(2)]
            return 'f"' + "".join(parts) + '"'
        case "add":
            return f"({first} + {second})"
        case "method":
            return f"{first}.{draw(st.sampled_from(_METHODS))}"
        case "slice":
            return f"{first}[{draw(st.sampled_from([':2', '1:', '-3:', '::-1', ':']))}]"
        case "conditional":
            return f"({first} if {draw(_condition(names, depth - 1))} else {second})"
        case "format":
            template = draw(
                st.sampled_from(["prompt_custom.FILL.format(a={0}, b={1})", "'{{}}-{{}}'.format({0}, {1})"])
            )
            return template.format(first, second)
    return draw(_derived_string(names, depth))


@st.composite
def _derived_string(draw: Any, names: _Names, depth: int) -> str:
    """A string made from a number or a list."""
    match draw(st.sampled_from(["number", "join", "item"] if names.lists else ["number"])):
        case "number":
            return f"str({draw(_number(names, depth - 1))})"
        case "join":
            return f"', '.join({draw(_strings(names, depth - 1))})"
    name = draw(st.sampled_from(names.lists))
    return f"({name}[{draw(st.sampled_from(['0', '-1']))}] if {name} else 'none')"


@st.composite
def _simple(draw: Any, names: _Names) -> str:
    """An expression that fits into a double-quoted f-string on every supported Python."""
    options = [*names.strings, *names.numbers, *names.lists]
    options += [f"{name}['{key}']" for name, operator in names.results for key in _OPERATORS[operator][1]]
    options += [f"len({name})" for name in names.lists]
    expression = draw(st.sampled_from(options))
    return expression + draw(st.sampled_from(["", "", "!r", "!s"]))


@st.composite
def _field(draw: Any, names: _Names, kind: str) -> str:
    fields = [
        (name, key) for name, operator in names.results for key, of in _OPERATORS[operator][1].items() if of == kind
    ]
    if not fields:
        return "'none'" if kind == "s" else "True"
    name, key = draw(st.sampled_from(fields))
    return draw(st.sampled_from([f"{name}['{key}']", f"{name}.get('{key}', 'none')"]))


@st.composite
def _number(draw: Any, names: _Names, depth: int = 1) -> str:
    options = ["literal", "length"] + ["name"] * bool(names.numbers) + ["list"] * bool(names.lists)
    options += ["sum", "max", "count"] if depth > 0 else []
    match draw(st.sampled_from(options)):
        case "literal":
            return str(draw(st.integers(-3, 5)))
        case "length":
            return f"len({draw(_string(names, 0))})"
        case "name":
            return draw(st.sampled_from(names.numbers))
        case "list":
            return f"len({draw(st.sampled_from(names.lists))})"
        case "sum":
            operator = draw(st.sampled_from(["+", "-", "*"]))
            return f"({draw(_number(names, depth - 1))} {operator} {draw(_number(names, depth - 1))})"
        case "max":
            return f"max({draw(_number(names, depth - 1))}, {draw(_number(names, depth - 1))})"
    return f"{draw(_string(names, 0))}.count('a')"


@st.composite
def _condition(draw: Any, names: _Names, depth: int = 1) -> str:
    match draw(st.sampled_from(["flag", "flag", "number", "contains", "not", "and", "truth", "any"])):
        case "number":
            compare = draw(st.sampled_from(["<", ">=", "==", "!="]))
            return f"{draw(_number(names, 0))} {compare} {draw(_number(names, 0))}"
        case "contains":
            return f"'a' in {draw(_string(names, 0))}"
        case "not" if depth > 0:
            return f"not ({draw(_condition(names, depth - 1))})"
        case "and" if depth > 0:
            word = draw(st.sampled_from(["and", "or"]))
            return f"({draw(_condition(names, depth - 1))}) {word} ({draw(_condition(names, depth - 1))})"
        case "truth":
            return draw(st.sampled_from([*names.strings, *names.lists]))
        case "any" if names.lists:
            word = draw(st.sampled_from(["any", "all"]))
            return f"{word}(len(q) > 1 for q in {draw(st.sampled_from(names.lists))})"
    return draw(_field(names, "b"))


@st.composite
def _strings(draw: Any, names: _Names, depth: int = 1) -> str:
    options = ["literal"] + ["name"] * (2 * bool(names.lists))
    options += ["comprehension", "sorted", "slice", "add", "split"] if depth > 0 else []
    match draw(st.sampled_from(options)):
        case "name":
            return draw(st.sampled_from(names.lists))
        case "comprehension":
            inner = replace(names, strings=(*names.strings, "q"))
            condition = f" if {draw(_condition(inner, 0))}" if draw(st.booleans()) else ""
            return f"[{draw(_string(inner, 1))} for q in {draw(_strings(names, depth - 1))}{condition}]"
        case "sorted":
            key = draw(st.sampled_from(["", ", key=len", ", key=lambda q: q[::-1]", ", reverse=True"]))
            return f"sorted({draw(_strings(names, depth - 1))}{key})"
        case "slice":
            return f"{draw(_strings(names, depth - 1))}[{draw(st.sampled_from([':2', '1:', '::-1']))}]"
        case "add":
            return f"({draw(_strings(names, depth - 1))} + {draw(_strings(names, depth - 1))})"
        case "split":
            return f"{draw(_string(names, 0))}.split()"
    return "[" + ", ".join(draw(st.lists(_string(names, 1), max_size=3))) + "]"


@st.composite
def _call(draw: Any, names: _Names) -> tuple[str, str]:
    """Returns (attribute, call without await)."""
    attribute = draw(st.sampled_from(sorted(_OPERATORS)))
    template = _OPERATORS[attribute][0]
    while "{s}" in template or "{l}" in template:
        kind = min(("{s}", "{l}"), key=lambda mark: template.find(mark) if mark in template else 10**6)
        value = draw(_string(names, 1)) if kind == "{s}" else draw(_strings(names, 1))
        template = template.replace(kind, value.replace("{s}", "{ s}").replace("{l}", "{ l}"), 1)
    return attribute, f"self.{attribute}({template})"


@st.composite
def _statements(draw: Any, names: _Names, depth: int, *, most: int = 4) -> tuple[list[str], _Names]:
    lines: list[str] = []
    for _ in range(draw(st.integers(1, most))):
        added, names = draw(_statement(names, depth))
        lines += added
    return lines, names


def _indented(lines: list[str]) -> list[str]:
    return [_INDENT + line for line in lines]


@st.composite
def _statement(draw: Any, names: _Names, depth: int) -> tuple[list[str], _Names]:
    options = ["call", "call", "call", "string", "number", "list", "log"]
    options += ["append", "augment"] if names.lists else []
    options += ["mutate"] if names.results else []
    options += ["prompt", "unpack", "gather"]
    options += ["helper"] if names.helpers else []
    options += ["if", "for", "sample", "while", "try"] if depth else []
    options += ["jump"] if names.in_loop else []
    return draw(_KINDS[draw(st.sampled_from(options))](names, depth))


@st.composite
def _operator_call(draw: Any, names: _Names, _: int) -> tuple[list[str], _Names]:
    attribute, call = draw(_call(names))
    name = names.fresh("r")
    return [f"{name} = await {call}"], replace(names, results=(*names.results, (name, attribute)))


@st.composite
def _assign(draw: Any, names: _Names, _: int) -> tuple[list[str], _Names]:
    kind = draw(st.sampled_from("snl"))
    name = names.fresh(kind)
    if kind == "s":
        return [f"{name} = {draw(_string(names))}"], replace(names, strings=(*names.strings, name))
    if kind == "n":
        return [f"{name} = {draw(_number(names))}"], replace(names, numbers=(*names.numbers, name))
    return [f"{name} = {draw(_strings(names))}"], replace(names, lists=(*names.lists, name))


@st.composite
def _append(draw: Any, names: _Names, _: int) -> tuple[list[str], _Names]:
    name = draw(st.sampled_from(names.lists))
    change = draw(st.sampled_from(["{0}.append({1})", "{0}.insert(0, {1})", "{0} += [{1}]", "{0}.extend([{1}, {1}])"]))
    return [change.format(name, draw(_string(names, 1)))], names


@st.composite
def _augment(draw: Any, names: _Names, _: int) -> tuple[list[str], _Names]:
    name = draw(st.sampled_from([other for other in names.strings if other != "problem"] or ["problem"]))
    return [f"{name} += {draw(_string(names, 1))}"], names


@st.composite
def _mutate(draw: Any, names: _Names, _: int) -> tuple[list[str], _Names]:
    name, operator = draw(st.sampled_from(names.results))
    texts = [key for key, kind in _OPERATORS[operator][1].items() if kind == "s"]
    return [f"{name}['{draw(st.sampled_from(texts))}'] = {draw(_string(names, 1))}"], names


@st.composite
def _prompt(draw: Any, names: _Names, _: int) -> tuple[list[str], _Names]:
    return [f"prompt_custom.SOLVE = {draw(_string(names, 1))}"], names


@st.composite
def _unpack(draw: Any, names: _Names, _: int) -> tuple[list[str], _Names]:
    first, second = names.fresh("s"), names.fresh("s")
    line = f"{first}, {second} = {draw(_string(names, 1))}, {draw(_string(names, 1))}"
    return [line], replace(names, strings=(*names.strings, first, second))


@st.composite
def _gather(draw: Any, names: _Names, _: int) -> tuple[list[str], _Names]:
    name = names.fresh("g")
    attribute, call = draw(_call(names))
    key = next(key for key, kind in _OPERATORS[attribute][1].items() if kind == "s")
    form = draw(
        st.sampled_from(
            ["{0} = await asyncio.gather({1}, {1})", "{0} = await asyncio.gather(*[{1} for _ in range(2)])"]
        )
    )
    texts = names.fresh("l")
    lines = ["import asyncio", form.format(name, call), f"{texts} = [one['{key}'] for one in {name}]"]
    return lines, replace(names, lists=(*names.lists, texts))


@st.composite
def _helper(draw: Any, names: _Names, _: int) -> tuple[list[str], _Names]:
    name, helper = names.fresh("s"), draw(st.sampled_from(names.helpers))
    word = "await " if helper.startswith("ask") else ""
    return [f"{name} = {word}self.{helper}({draw(_string(names, 1))})"], replace(names, strings=(*names.strings, name))


@st.composite
def _log(draw: Any, names: _Names, _: int) -> tuple[list[str], _Names]:
    return [f"print({draw(_string(names, 1))})"], names


@st.composite
def _if(draw: Any, names: _Names, depth: int) -> tuple[list[str], _Names]:
    body, _ = draw(_statements(names, depth - 1, most=2))
    lines = [f"if {draw(_condition(names))}:", *_indented(body)]
    if draw(st.booleans()):
        lines += [f"elif {draw(_condition(names))}:", *_indented(draw(_statements(names, depth - 1, most=2))[0])]
    if draw(st.booleans()):
        lines += ["else:", *_indented(draw(_statements(names, depth - 1, most=2))[0])]
    if not names.in_loop and draw(st.integers(0, 5)) == 0:
        lines += [f"if {draw(_condition(names))}:", f"{_INDENT}return {draw(_string(names))}"]
    return lines, names


@st.composite
def _for(draw: Any, names: _Names, depth: int) -> tuple[list[str], _Names]:
    inner = replace(names, in_loop=True)
    if names.lists and draw(st.booleans()):
        name = names.fresh("s")
        header = f"for {name} in {draw(st.sampled_from(names.lists))}[:3]:"
        inner = replace(inner, strings=(*names.strings, name))
    else:
        name = names.fresh("n")
        header = f"for {name} in range({draw(st.integers(0, 3))}):"
        inner = replace(inner, numbers=(*names.numbers, name))
    body, _ = draw(_statements(inner, depth - 1, most=3))
    return [header, *_indented(body)], names


@st.composite
def _sample(draw: Any, names: _Names, _: int) -> tuple[list[str], _Names]:
    """The commonest loop of published workflows: several samples into a list."""
    texts, result = names.fresh("l"), names.fresh("r")
    attribute, call = draw(_call(names))
    key = next(key for key, kind in _OPERATORS[attribute][1].items() if kind == "s")
    tail = draw(st.sampled_from(["", ".strip()", "[:3]"]))
    lines = [
        f"{texts} = []",
        f"for _ in range({draw(st.integers(1, 3))}):",
        f"{_INDENT}{result} = await {call}",
        f"{_INDENT}{texts}.append({result}['{key}']{tail})",
    ]
    return lines, replace(names, lists=(*names.lists, texts))


@st.composite
def _while(draw: Any, names: _Names, depth: int) -> tuple[list[str], _Names]:
    name = names.fresh("n")
    inner = replace(names, in_loop=True, numbers=(*names.numbers, name))
    body, _ = draw(_statements(inner, depth - 1, most=2))
    lines = [f"{name} = 0", f"while {name} < {draw(st.integers(1, 3))}:", f"{_INDENT}{name} += 1", *_indented(body)]
    return lines, replace(names, numbers=(*names.numbers, name))


@st.composite
def _try(draw: Any, names: _Names, depth: int) -> tuple[list[str], _Names]:
    body, _ = draw(_statements(names, depth - 1, most=2))
    fails = draw(st.sampled_from(["", f"int({draw(_string(names, 0))})", "{}['missing']", "[][3]", "1 / 0"]))
    kind = draw(st.sampled_from(["Exception", "(ValueError, KeyError)", "Exception as error"]))
    handler, _ = draw(_statements(names, depth - 1, most=1))
    lines = ["try:", *_indented(body + [fails] * bool(fails)), f"except {kind}:", *_indented(handler)]
    if draw(st.booleans()):
        lines += ["finally:", *_indented(draw(_assign(names, 0))[0])]
    return lines, names


@st.composite
def _jump(draw: Any, names: _Names, _: int) -> tuple[list[str], _Names]:
    return [f"if {draw(_condition(names))}:", _INDENT + draw(st.sampled_from(["break", "continue"]))], names


_KINDS: dict[str, Any] = {
    "append": _append,
    "augment": _augment,
    "call": _operator_call,
    "for": _for,
    "gather": _gather,
    "helper": _helper,
    "if": _if,
    "jump": _jump,
    "list": _assign,
    "log": _log,
    "mutate": _mutate,
    "number": _assign,
    "prompt": _prompt,
    "sample": _sample,
    "string": _assign,
    "try": _try,
    "unpack": _unpack,
    "while": _while,
}


@st.composite
def workflows(draw: Any) -> str:
    """Draws the source of a workflow that passes the checker."""
    counter = [0]
    helper_names = _Names(strings=("text",), counter=counter)
    methods: list[str] = []
    helpers: list[str] = []
    for name, header in (("ask", "async def ask(self, text):"), ("tidy", "def tidy(self, text='x'):")):
        if draw(st.integers(0, 2)):
            continue
        helpers.append(name)
        if name == "ask":
            body, names = draw(_statements(helper_names, 1, most=2))
        else:
            body, names = draw(_assign(helper_names, 0))
        body.append(f"return {draw(_string(names))}")
        methods += [header, *_indented(body), ""]
    body, names = draw(_statements(_Names(counter=counter, helpers=tuple(helpers)), 3, most=6))
    answer = draw(_string(names))
    body.append(f"return {answer}, self.llm.cost_manager.total_cost" if draw(st.booleans()) else f"return {answer}")
    methods += ["async def __call__(self, problem):", *_indented(body)]
    return "class Workflow:\n" + "\n".join(_indented(methods)) + "\n"
