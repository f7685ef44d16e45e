import json

import pytest
from recipes import make_recipe

from flowreasoner import Query, Suite
from flowreasoner.errors import PluginError, QueryError
from flowreasoner_plugins import hookimpl, load_plugins
from flowreasoner_training.queries import training_queries

PLUGINS = load_plugins(entry_points=False)
TESTS = ["assert f(1) == 1", "assert f(2) == 2", "assert f(3) == 3", "assert f(4) == 4"]


def humaneval(tmp_path, count):
    row = {
        "prompt": 'def f(x):\n    """Same.\n    >>> f(7)\n    7\n\n    """\n',
        "entry_point": "f",
        "canonical_solution": "    return x\n",
        "test": "def check(candidate):\n" + "".join(f"    assert candidate({n}) == {n}\n" for n in range(6)),
    }
    file = tmp_path / "data.jsonl"
    rows = [json.dumps({**row, "task_id": f"HumanEval/{number}"}) for number in range(count)]
    file.write_text("\n".join(rows))
    return file


def test_a_benchmark_s_own_division_is_kept():
    found = training_queries(make_recipe(), PLUGINS)
    assert len(found) == 12
    assert all(query.policy == "given" and query.feedback and query.hidden for query in found)


def test_a_count_is_drawn_by_the_seed_in_the_benchmark_s_order():
    every = [query.id for query in training_queries(make_recipe(), PLUGINS)]
    drawn = {
        seed: [query.id for query in training_queries(make_recipe(queries={"count": 5}, seed=seed), PLUGINS)]
        for seed in range(4)
    }
    assert all(len(ids) == 5 and ids == [item for item in every if item in ids] for ids in drawn.values())
    assert len({tuple(ids) for ids in drawn.values()}) > 1
    assert len(training_queries(make_recipe(queries={"count": 99}), PLUGINS)) == 12


@pytest.mark.parametrize(("policy", "expected"), [(None, "split"), ("public", "public"), ("all", "all")])
def test_one_set_of_tests_is_divided_by_the_policy(tmp_path, policy, expected):
    recipe = make_recipe(queries={"benchmark": "humaneval", "data": humaneval(tmp_path, 2), "tests": policy})
    found = training_queries(recipe, PLUGINS)
    assert [query.policy for query in found] == [expected] * 2
    shown, hidden = ({case.source for case in suite.cases} for suite in (found[0].feedback, found[0].hidden))
    assert (shown == hidden) is (policy == "all")


class _Benchmark:
    name, description = "mixed", "some with examples, some without"

    def __init__(self, problems):
        self.problems = problems

    def queries(self, data=None):
        for number, problem in enumerate(self.problems):
            yield Query(problem, str(number), "f", None, Suite.asserts(TESTS, "f"))


def plugins(*problems):
    class Plugin:
        @hookimpl
        def flowreasoner_benchmarks(self):
            return [_Benchmark(problems)]

    return load_plugins(entry_points=False, extra={"mixed": Plugin()})


def test_queries_that_the_policy_cannot_divide_are_left_out_with_a_warning(caplog):
    recipe = make_recipe(queries={"benchmark": "mixed", "tests": "public"})
    found = training_queries(recipe, plugins("Same.\n>>> f(7)\n7\n", "No example."))
    assert [query.id for query in found] == ["0"]
    assert "1 of 2 queries are left out: the problem of '1' has no >>> examples" in caplog.text


def test_nothing_to_train_on_is_an_error():
    recipe = make_recipe(queries={"benchmark": "mixed", "tests": "public"})
    with pytest.raises(QueryError, match="'mixed' has no query to train on: the problem of '0' has no >>> examples"):
        training_queries(recipe, plugins("No example."))
    with pytest.raises(PluginError, match=r"there is no benchmark 'nothing'; known are .*demo"):
        training_queries(make_recipe(queries={"benchmark": "nothing"}), PLUGINS)
