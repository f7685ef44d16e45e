"""What the interpreter runs beside the program and its tests, and how their code is made ready for it.

The texts below are in the part of Python that the interpreter knows. Program and tests live in two sessions; a
call crosses as a text, JSON with a tag in front of what JSON does not know, so that the host only passes texts on.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import re
from typing import TYPE_CHECKING

from flowreasoner.python_source import parse_python
from flowreasoner.sandbox.inside.prepared import ALIASES, HELPERS, MODULES, is_the_programs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flowreasoner.sandbox.suite import Suite

__all__ = ["JUDGE_SIDE", "PROGRAM_SIDE", "SCRIPT_SIDE", "adapted", "explained", "is_limit", "names_of"]

# The built-in names are parameters, since a program may well have a variable `list`.
_VALUES = """
def __values__(refer, opaque, bool, bytes, dict, float, frozenset, int, isinstance, len, list, set, str, tuple, type,
               zip, RecursionError, ValueError):
    left = [0]

    def pack(value, depth=0):
        kind = type(value)
        if value is None or kind is bool or kind is int or kind is float or kind is str:
            return value
        if kind is bytes:
            return ["b", value.hex()]
        if not isinstance(value, (list, tuple, set, frozenset, dict)):
            return refer(value)
        left[0] = (left[0] if depth else 200000) - len(value)
        if left[0] < 0:
            raise ValueError("the value is too large to be compared")
        if depth > 150:
            raise RecursionError("the value is nested too deeply to be compared")
        depth += 1
        if kind is list:
            return ["l", *[pack(item, depth) for item in value]]
        if isinstance(value, tuple):
            return ["t", *[pack(item, depth) for item in value]]
        if kind is set:
            return ["s", *[pack(item, depth) for item in value]]
        if kind is frozenset:
            return ["z", *[pack(item, depth) for item in value]]
        return ["d", *[pack(part, depth) for item in value.items() for part in item]]

    def unpack(form):
        if type(form) is not list:
            return form
        tag = form[0]
        if tag == "b":
            return bytes.fromhex(form[1])
        if tag == "?":
            return opaque(form[1])
        parts = [unpack(part) for part in form[1:]]
        if tag == "t":
            return tuple(parts)
        if tag == "s":
            return set(parts)
        if tag == "z":
            return frozenset(parts)
        if tag == "d":
            return dict(zip(parts[::2], parts[1::2]))
        return parts

    return pack, unpack
"""
_WITH = "bool, bytes, dict, float, frozenset, int, isinstance, len, list, set, str, tuple, type, zip, RecursionError"

PROGRAM_SIDE = f"""{_VALUES}
def __harness__(type, TypeError):
    import json
    dumps, loads = json.dumps, json.loads

    def refer(value):
        if value:
            return ["?", type(value).__name__]
        raise TypeError(f"a {{type(value).__name__}} of the program cannot be handed to the interpreter of its tests")

    pack, unpack = __values__(refer, None, {_WITH}, ValueError)

    def reply(function, given):
        form = loads(given)
        args, named = unpack(form)
        value = pack(function(*args, **named))
        after = pack(args)
        return dumps([value, after if after != form[1] else None])

    def show(value):
        return dumps(pack(value))

    return reply, show

__reply_SECRET__, __show_SECRET__ = __harness__(type, TypeError)
"""

JUDGE_SIDE = f"""{_VALUES}
class __Opaque__:
    def __init__(self, name):
        self.name = name
    def __repr__(self):
        return f"<{{self.name}}>"

def __harness__(opaque, dict, list, set, type, zip, TypeError):
    import json
    dumps, loads = json.dumps, json.loads

    def refer(value):
        raise TypeError(f"the interpreter hands plain data to the program, no {{type(value).__name__}}")

    pack, unpack = __values__(refer, opaque, {_WITH}, ValueError)

    def change(mine, theirs):
        if type(mine) is list and type(theirs) is list:
            mine[:] = theirs
        elif (type(mine) is dict and type(theirs) is dict) or (type(mine) is set and type(theirs) is set):
            mine.clear()
            mine.update(theirs)

    def program(name, form):
        def call(*args, **named):
            value, changed = loads(__ask__(name, dumps(pack([list(args), named]))))
            if changed is not None:
                for mine, theirs in zip(args, unpack(changed)):
                    change(mine, theirs)
            return unpack(value)

        value = unpack(loads(form))
        return call if type(value) is opaque else value

    return program

__program__ = __harness__(__Opaque__, dict, list, set, type, zip, TypeError)
__number__ = None

class __Site__:
    def __init__(self, number, alone):
        self.number, self.alone = number, alone
    def __enter__(self):
        number = self.number
        if self.alone:
            __tell__(number, "started", "")
        def record(got, *expected):
            if (got == expected[0]) if expected else got:
                __tell__(number, "pass", "")
            elif expected:
                __tell__(number, "fail", f"expected {{f'{{expected[0]!r}}'[:300]}}, got {{f'{{got!r}}'[:300]}}")
            else:
                __tell__(number, "fail", "the condition is false")
        return record
    def __exit__(self, kind, error, trace):
        if kind is None:
            return False
        if kind is KeyboardInterrupt:
            return self.alone
        __tell__(self.number, "error", f"{{type(error).__name__}}: {{error}}"[:300])
        return True

def __site__(number):
    return __Site__(number, True) if __number__ is None else __Site__(__number__, False)
"""

SCRIPT_SIDE = """
EOFError = OSError

class __Stdin__:
    def __init__(self, lines):
        self.lines = lines
    def __iter__(self):
        return self
    def __next__(self):
        if not self.lines:
            raise StopIteration
        return self.lines.pop()
    def readline(self):
        return self.lines.pop() if self.lines else ""
    def readlines(self):
        lines, self.lines = self.lines[::-1], []
        return lines
    def read(self):
        return "".join(self.readlines())

def __print__(print):
    def write(text):
        print(text, end="")
    return write

__write__ = __print__(print)
__stdin__ = __Stdin__(__lines__)

def input(prompt=""):
    __write__(prompt)
    line = __stdin__.readline()
    if not line:
        raise EOFError("EOF when reading a line")
    return line[:-1] if line[-1] == "\\n" else line

def exit(code=0):
    raise SystemExit(f"{code}")

quit = exit
"""

_STANDS_IN = {
    "sys.setrecursionlimit": "(lambda limit: None)",
    "sys.stdin": "__stdin__",
    "sys.stdout.write": "__write__",
    "sys.stdout.flush": "(lambda: None)",
    "sys.exit": "exit",
}
_NOTE = " (the interpreter knows a part of Python only; tiers jail and landlock run all of it)"
_MISSING_NAME = re.compile(r"name '(\w+)' is not defined")
_MISSING_PART = re.compile(r"(?:(module|type object) )?'([\w.]+)'(?: object)? has no attribute '(\w+)'")


def adapted(code: str, *, script: bool) -> str:
    """Returns a program with stand-ins for the parts of `sys` that the interpreter does not have.

    They are put in place in the text: to write a hostile program anew from its syntax tree fails for some.

    Args:
        code: The program.
        script: Whether it is run with `SCRIPT_SIDE` before it.
    """
    if "sys." not in code:
        return code
    wanted = {name: text for name, text in _STANDS_IN.items() if script or "lambda" in text}
    code = code.replace("\r\n", "\n").replace("\r", "\n")  # as the parser counts lines
    try:
        places = {place for node in ast.walk(parse_python(code)) if (place := _place_of(node, wanted))}
    except SyntaxError:
        return code  # the interpreter will say what it makes of it
    lines = [line.encode() for line in code.split("\n")]
    for line, start, end, name in sorted(places, reverse=True):
        if lines[line][start:end] == name.encode():  # before Python 3.12, places in an f-string may be wrong
            lines[line] = lines[line][:start] + wanted[name].encode() + lines[line][end:]
    return b"\n".join(lines).decode()


def _place_of(node: ast.AST, wanted: Mapping[str, str]) -> tuple[int, int, int, str] | None:
    """Returns line, first and last column in bytes, and name, of a name with dots that is wanted."""
    match node:
        case ast.Attribute(value=ast.Name(id="sys")):
            name = f"sys.{node.attr}"
        case ast.Attribute(value=ast.Attribute(value=ast.Name(id="sys"), attr=part)):
            name = f"sys.{part}.{node.attr}"
        case _:
            return None
    return (node.lineno - 1, node.col_offset, node.end_col_offset or 0, name) if name in wanted else None


def names_of(suite: Suite) -> tuple[list[str], list[str]]:
    """Returns the imports that tests may have left out, and the names that they may want of the program."""
    used: dict[str, None] = {}
    called = set()
    for source in (suite.setup, suite.body, *(case.program for case in suite.cases)):
        with contextlib.suppress(SyntaxError):  # the interpreter will say so
            for node in ast.walk(parse_python(source)):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                    used[node.id] = None
                elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    called.add(node.func.id)
    wanted = [name for name in used if is_the_programs(name, called=name in called) and name[:2] != "__"]
    imports = []
    for name in (name for name in used if name not in wanted):
        if HELPERS.get(name):
            imports.append(f"from {HELPERS[name]} import {name}")
        elif ALIASES.get(name, name) in MODULES:
            imports.append(f"import {ALIASES.get(name, name)} as {name}")
    return imports, wanted


def explained(detail: str) -> str:
    """Returns an error's text, with a note if it tells of the interpreter's limits and not of the code's faults."""
    return detail + _NOTE if is_limit(detail) else detail


def is_limit(detail: str) -> bool:
    """Tells whether an error is one that Python itself would not have raised."""
    if "monty" in detail or detail.startswith(("NotImplementedError: ", "ModuleNotFoundError: ", "ImportError: ")):
        return True
    name, part = _MISSING_NAME.search(detail), _MISSING_PART.search(detail)
    if name:
        return hasattr(builtins, name[1]) or name[1] in MODULES
    if part and (part[1] == "module" or "." in part[2]):
        return part[2].partition(".")[0] in MODULES
    return bool(part and hasattr(getattr(builtins, part[2], None), part[3]))
