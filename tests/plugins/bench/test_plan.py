from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from agents import ADD

from flowreasoner.errors import QueryError
from flowreasoner.sandbox import Suite
from flowreasoner_plugins import load_plugins
from flowreasoner_plugins.bench.plan import Settings, data_of, plan

PLUGINS = load_plugins()
SETTINGS = Settings("sim:", rounds=3)


def benchmark(*queries, training="", **others):
    """Returns plugins with the benchmark ``mine``, and others by their names, each with its queries."""
    known = {name: SimpleNamespace(name=name, queries=lambda _, own=own: own) for name, own in others.items()}
    known["mine"] = SimpleNamespace(name="mine", queries=lambda _: queries, training=training)
    return SimpleNamespace(pick=lambda _, name: known[name], benchmarks=known)


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


def fitted_on(plugins, **changes):
    (cell,) = plan(plugins, ["mine"], ["sim:"], {}, replace(SETTINGS, **changes), fits=True)
    return cell.fit_on, [query.id for query in cell.training]


OTHERS = [replace(ADD, id=f"other-{number}", problem=f"Add {number}.") for number in range(3)]


def test_methods_are_fitted_on_a_benchmarks_own_training_part_or_on_another():
    plugins = benchmark(ADD, training="own", own=OTHERS, another=OTHERS[:1])
    assert fitted_on(plugins) == ("own", ["other-0", "other-1", "other-2"])
    assert fitted_on(plugins, fit_first=2) == ("own", ["other-0", "other-1"])
    assert fitted_on(plugins, fit_on="another") == ("another", ["other-0"])
    assert planned(ADD).training == ()


def test_all_tests_of_a_training_query_may_steer_unless_it_divides_them():
    tests = Suite.asserts(["assert add(1, 0) == 1", "assert add(2, 0) == 2"], "add")
    undivided = replace(OTHERS[0], feedback=None, hidden=tests)
    (cell,) = plan(
        benchmark(ADD, training="own", own=[undivided, OTHERS[1]]), ["mine"], ["sim:"], {}, SETTINGS, fits=True
    )
    assert [len(query.feedback) for query in cell.training] == [2, len(ADD.feedback)]


def test_a_training_query_that_is_scored_by_a_metric_is_taken_as_it_is():
    scored = replace(OTHERS[0], feedback=None, hidden=None, metric=lambda query, answer: 1.0)
    (cell,) = plan(benchmark(ADD, training="own", own=[scored]), ["mine"], ["sim:"], {}, SETTINGS, fits=True)
    assert cell.training == (scored,)


def test_where_it_is_not_known_what_to_fit_on_the_option_is_named():
    with pytest.raises(QueryError, match=r"not known what to fit on before mine is tried; .* --fit-on"):
        fitted_on(benchmark(ADD))
    needy = replace(OTHERS[0], metadata={"libraries": ["no_such_library"]})
    with pytest.raises(QueryError, match="no query of own can be fitted on here"):
        fitted_on(benchmark(ADD, training="own", own=[needy]))


@pytest.mark.parametrize("same", [{"id": "add"}, {"problem": ADD.problem}])
def test_what_is_tried_is_never_fitted_on(same):
    plugins = benchmark(ADD, training="own", own=[*OTHERS, replace(OTHERS[0], **{"id": "last", **same})])
    with pytest.raises(QueryError, match=r"of own would be fitted on, and tried as part of mine; .* --fit-on"):
        fitted_on(plugins)
    assert fitted_on(plugins, fit_first=3)[0] == "own"


def test_a_part_that_leaves_them_out_is_the_remedy():
    plugins = benchmark(ADD, training="own", own=[ADD], **{"mine-test": []})
    with pytest.raises(QueryError, match=r"; try mine-test$"):
        fitted_on(plugins)
