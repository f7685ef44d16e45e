from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from agents import ADD

from flowreasoner.designers import FlowReasoner
from flowreasoner.errors import QueryError
from flowreasoner.sandbox import Suite
from flowreasoner_plugins import load_plugins
from flowreasoner_plugins.bench.plan import Settings, contenders_of, data_of, plan

PLUGINS = load_plugins()
SETTINGS = Settings("sim:", rounds=3)


def contenders(*names, settings=SETTINGS):
    return contenders_of(names, PLUGINS, settings, lambda: lambda *_: None)


def test_only_designers_that_ask_a_meta_agent_get_one():
    one, two = contenders("cot", "flowreasoner")
    assert one.meta_agent is None
    assert two.meta_agent is not None
    assert two.designer == FlowReasoner(3, 3)


def test_a_designers_mark_follows_all_that_its_outcomes_depend_on(tmp_path):
    (one, fixed), (other, same), (last, _) = (
        contenders("flowreasoner", "cot", settings=settings)
        for settings in (SETTINGS, replace(SETTINGS, rounds=4), replace(SETTINGS, meta_agent="embedded:"))
    )
    assert len({one.checkpoint, other.checkpoint, last.checkpoint}) == 3
    assert fixed.checkpoint == same.checkpoint
    path = tmp_path / "mine.py"
    source = "class Workflow:\n    async def __call__(self, problem):\n        return {}\n"
    marks = set()
    for answer in ("problem", "'no'"):
        path.write_text(source.format(answer))
        marks |= {own.checkpoint for own in contenders(str(path))}
    assert len(marks) == 2


def benchmark(*queries):
    found = SimpleNamespace(name="mine", queries=lambda _: queries)
    return SimpleNamespace(pick=lambda *_: found, benchmarks={"mine": found})


def planned(*queries, **changes):
    return plan(benchmark(*queries), ["mine"], ["sim:"], {}, replace(SETTINGS, **changes))[0]


def test_a_benchmarks_own_division_is_kept_and_undivided_tests_are_split():
    tests = Suite.asserts([f"assert add({n}, 0) == {n}" for n in range(6)], "add")
    undivided = replace(ADD, id="b", feedback=None, hidden=tests)
    first, second = planned(ADD, undivided).queries
    assert first is ADD
    assert (second.policy, len(second.feedback), len(second.hidden)) == ("split", 3, 3)
    assert all(query.leaky for query in planned(ADD, undivided, tests="all").queries)


def test_queries_of_one_id_are_not_made_one():
    assert len(planned(ADD, replace(ADD, problem="Another sum.")).queries) == 2  # and refused when they are tried


def test_what_cannot_be_tried_is_told_apart():
    needy = replace(ADD, id="needy", metadata={"libraries": ["no_such_library"]})
    cell = planned(ADD, needy)
    assert ([query.id for query in cell.queries], cell.not_run) == (["add"], {"needy": "it needs no_such_library"})
    with pytest.raises(QueryError, match="no query of mine can be tried here: it needs no_such_library"):
        planned(needy)


def test_the_fingerprint_is_that_of_the_whole_benchmark_with_its_hidden_tests():
    other = replace(ADD, id="b")
    assert planned(ADD, other, first=1).fingerprint == planned(ADD, other).fingerprint
    changed = replace(other, hidden=Suite.asserts(["assert add(9, 9) == 18"], "add"))
    assert planned(ADD, changed).fingerprint != planned(ADD, other).fingerprint


def test_workers_that_look_alike_in_a_file_name_are_refused():
    with pytest.raises(QueryError, match="two workers look the same"):
        plan(benchmark(ADD), ["mine"], ["sim:?skill=1", "sim:&skill=1"], {}, SETTINGS)


def test_data_is_for_one_benchmark_or_for_all():
    assert data_of(["mbpp=a.json", "rest"], PLUGINS) == {"mbpp": Path("a.json"), "": Path("rest")}
    assert data_of(["odd=name.json"], PLUGINS) == {"": Path("odd=name.json")}
    with pytest.raises(QueryError, match="twice for mbpp"):
        data_of(["mbpp=a", "mbpp=b"], PLUGINS)
