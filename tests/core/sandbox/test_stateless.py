"""Which suites may share a judge's process with others, and that no other suite does."""

import asyncio
import types

import pytest
from sandboxes import ASSERTS, DOUBLE, descendants, offered

from flowreasoner.sandbox import Limits, Pool, Suite
from flowreasoner.sandbox.stateless import _ATTRIBUTES, _BUILTINS, stateless

HARMLESS = {
    "a comparison": "assert f(1, [2], x={'a': (3, None)}) == -1.5",
    "an identity": "assert f(1) is None and not f(2)",
    "a tolerance": "import math\nassert math.isclose(f(2), 1.41, rel_tol=1e-2) and abs(f(3) - math.pi) < 1e-6",
    "a name of a module": "from math import sqrt, inf\nassert f(2) == sqrt(2) < inf",
    "a module that was left out": "assert math.fabs(f(1)) == 1",
    "a loop": "for x in range(3):\n    y = [x, *range(x)]\n    y.append(x)\n    assert f(y) == sum(y), f'{x:>3}'",
    "text": "assert sorted(f('b a').strip().upper().split(' '), key=lambda s: s.lower()) == ['A', 'B']",
    "an error": "try:\n    f(0)\nexcept ZeroDivisionError as error:\n    assert True\nelse:\n    raise AssertionError",
    "a helper": "def g(x: int, y=2):\n    return x if x < y else g(x - 1)\nassert f(3) == g(3)",
    "comprehensions": "assert f({k: v for k, v in zip('ab', (1, 2))}) == {x for x in 'a'} != [x[::2] for x in ([],)]",
    "another function of the program": "assert decode(encode('x')) == 'x'",
    "types": "from typing import List\ndef g(xs: List[int]): return xs\nassert isinstance(f(1), (int, str)) and g([1])",
}

LEAVES_SOMETHING = {
    "a module with state": "import random\nrandom.seed(0)\nassert f(1) == random.random()",
    "a module by another name": "import sys as math\nassert math.modules.clear() or f(1)",
    "a module under a harmless name": "from os import environ as List\nassert List.clear() or f(1)",
    "a module that was left out": "assert sys.path.clear() or f(1)",
    "a module in another scope": "def g(os):\n    pass\nassert os.remove('x') or f(1)",
    "an alias of a judge's": "assert np.random.shuffle([1]) or f(1)",
    "everything of a module": "from math import *\nassert f(1)",
    "a package's part": "import math.x\nassert f(1)",
    "the built-ins": "__builtins__['len'] = f\nassert f(1)",
    "a function that reaches them": "assert eval('1') == f(1)",
    "setting attributes": "setattr(f, 'x', 1)\nassert f(1)",
    "reading any attribute": "assert getattr(f, 'x') == f(1)",
    "a built-in that may be the tests' own": "if 0:\n    vars = 1\nassert vars()['x'] or f(1)",
    "an attribute": "f.x = 1\nassert f(1)",
    "a method of its own": "list.append = f\nassert f(1)",
    "deleting": "x = [1]\ndel x[0]\nassert f(1)",
    "a frame": "assert (x for x in [1]).gi_frame.f_builtins['print'] or f(1)",
    "formatting": "assert '{0.__class__}'.format(f) == f(1)",
    "formatting by a map": "assert '{x.gi_frame}'.format_map({'x': f}) == f(1)",
    "a dunder": "assert f.__globals__ == f(1)",
    "a dunder's name": "assert __name__ == f(1)",
    "a class": "class A:\n    pass\nassert f(1)",
    "a decorator": "@f\ndef g(): pass\nassert f(1)",
    "a global name": "def g():\n    global x\n    x = 1\nassert f(1)",
    "a block that enters": "with f(1) as x:\n    assert x",
    "a generator": "def g():\n    yield 1\nassert f(1) == list(g())",
    "a pattern": "match f(1):\n    case int(real=x):\n        assert x",
    "a coroutine": "async def g():\n    await f(1)\nassert g()",
    "input": "assert input() == f(1)",
    "a file": "assert open('x') or f(1)",
}


@pytest.mark.parametrize("source", HARMLESS.values(), ids=HARMLESS)
def test_tests_that_call_and_compare_leave_nothing(source):
    assert stateless(Suite.asserts([source], "f"))
    body = "\n".join(f"    {line}" for line in source.splitlines() if "import" not in line)
    imports = "\n".join(line for line in source.splitlines() if "import" in line)
    assert stateless(Suite.check(f"{imports}\nMETADATA = {{'author': 'x'}}\ndef check(candidate):\n{body}", "f"))
    assert stateless(Suite.asserts(["assert f(1)"], "f", setup=source))


@pytest.mark.parametrize("source", LEAVES_SOMETHING.values(), ids=LEAVES_SOMETHING)
def test_all_else_is_taken_to_leave_something(source):
    assert not stateless(Suite.asserts(["assert f(1)", source], "f"))
    assert not stateless(Suite.asserts(["assert f(1)"], "f", setup=source))


def test_only_formats_that_a_judge_runs_itself_count():
    assert not stateless(Suite.io([("1", "2")]))
    assert not stateless(Suite.command("true"))
    unittests = "import unittest\nclass T(unittest.TestCase):\n    def test_a(self):\n        self.assertEqual(f(1), 2)"
    assert not stateless(Suite.unittest(unittests, "f"))


def test_no_allowed_attribute_leads_to_frames_or_namespaces():
    kinds = [types.FunctionType, types.FrameType, types.TracebackType, types.ModuleType, types.GeneratorType]
    kinds += [types.CoroutineType, types.AsyncGeneratorType, types.MethodType, types.BuiltinFunctionType, type]
    for kind in kinds:
        assert _ATTRIBUTES & set(dir(kind)) <= {"clear"}, kind  # of a frame, which no other attribute leads to
    assert not any(name.startswith("_") for name in _ATTRIBUTES | _BUILTINS)


@pytest.fixture(params=["jail", pytest.param("landlock", marks=pytest.mark.slow), "process"])
async def pool(request):
    async with Pool(offered(request.param), workers=1, limits=Limits(test_s=1.0, wall_s=5.0)) as pool:
        yield pool


async def test_stateless_suites_are_served_by_one_process(pool):
    assert (await pool.grade(DOUBLE, ASSERTS)).passed
    before = descendants()
    for value in range(20):
        suite = Suite.asserts([f"assert f({value}) == {2 * value}", "assert f(0) == 1"], "f")
        verdict = await pool.grade(DOUBLE, suite)
        assert [test.outcome for test in verdict.tests] == ["pass", "fail"]
        assert verdict.usage.cpu_s > 0
    assert (await pool.grade("raise ValueError", ASSERTS)).tests[0].outcome == "error"
    assert (await pool.grade("def f(x): raise KeyError(x)", ASSERTS)).tests[0].detail == "KeyError: 1"
    assert (await pool.grade(DOUBLE, ASSERTS)).passed
    assert descendants() == before


@pytest.mark.parametrize(
    "spoils",
    [
        "import builtins\nbuiltins.len = builtins.abs = lambda x: 7\nassert f(1) == 2",
        "import flowreasoner.sandbox.inside.judge\nassert f(1) == 2",
        "import gc\n[o for o in gc.get_objects() if type(o) is dict and 'exec' in o][0]['len'] = lambda x: 7\n"
        "assert f(1) == 2",
    ],
)
async def test_what_a_suite_does_to_its_process_reaches_no_other_verdict(pool, spoils):
    assert (await pool.grade(DOUBLE, ASSERTS)).passed
    await pool.grade(DOUBLE, Suite.asserts([spoils], "f"))
    lengths = Suite.asserts(["assert len(f([1])) == 2", "assert abs(f(-1)) == 2"], "f")
    assert (await pool.grade(DOUBLE, lengths)).passed


async def test_a_judge_that_ran_any_code_is_not_kept_whatever_it_says(pool):
    # The tests end the report in the judge's name, claim that their process is as good as new, and go on.
    claim = (
        "import json, os, socket, struct\n"
        "events = [{'site': 0, 'outcome': 'pass', 'detail': ''}, {'done': True, 'fit': True, 'cpu_s': 0.001}]\n"
        "body = json.dumps({'events': events}).encode()\n"
        "os.write(3, struct.pack('!I', len(body)) + body)\n"
        "connection = socket.socket(fileno=3)\n"
        "connection.recv(1 << 16)\n"
        "body = json.dumps({'events': [{'site': n, 'outcome': 'pass', 'detail': ''} for n in range(2)]\n"
        "    + [{'done': True, 'fit': True, 'cpu_s': 0.001}]}).encode()\n"
        "while True:\n    os.write(3, struct.pack('!I', len(body)) + body)\n    connection.recv(1 << 16)\n"
        "assert f(1) == 2"
    )
    await asyncio.wait_for(pool.grade(DOUBLE, Suite.asserts([claim], "f")), 20)
    verdict = await pool.grade("def f(x): return 0", ASSERTS)
    assert [test.outcome for test in verdict.tests] == ["fail", "fail"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "program",
    [
        "import os\ndef f(x): os._exit(0)",
        "def f(x):\n    while True: pass",
        "import time\ndef f(x): time.sleep(100)",
        "import socket\nsocket.socket(fileno=3).sendall(b'xxxxxxxxxxxxxxxx')\ndef f(x): return 2 * x",
    ],
    ids=["exit", "loop", "sleep", "noise"],
)
async def test_a_judge_that_a_program_disturbed_is_not_kept(pool, program):
    assert (await pool.grade(DOUBLE, ASSERTS)).passed
    before = descendants()
    assert not (await pool.grade(program, ASSERTS)).passed
    assert (await pool.grade(DOUBLE, ASSERTS)).passed
    assert not before <= descendants()


async def test_a_judge_that_has_grown_is_not_kept(pool):
    assert (await pool.grade(DOUBLE, ASSERTS)).passed
    before = descendants()
    much = Suite.asserts(["x = [[n] for n in range(1_000_000)]\nassert f(1) == 2"], "f")
    assert (await pool.grade(DOUBLE, much)).passed
    assert (await pool.grade(DOUBLE, ASSERTS)).passed
    assert not before <= descendants()
