import pytest

from flowreasoner.errors import QueryError
from flowreasoner_plugins import load_plugins
from flowreasoner_plugins.bench.contenders import contenders_of, method_settings
from flowreasoner_plugins.bench.plan import Settings
from flowreasoner_plugins.bench.table1 import BENCHMARKS, METHODS, MINIATURE, stands_for

PLUGINS = load_plugins()
DEFAULTS = {
    "designers": ("vanilla", "flowreasoner"),
    "workers": ("embedded:",),
    "meta_agent": "embedded:",
    "method_settings": (),
}
MODELS = {"workers": ("openai:w",), "meta_agent": "openai:m"}


def meant(*benchmarks, miniature=False, **chosen):
    given = DEFAULTS | chosen
    return stands_for(benchmarks or ("table1",), given, frozenset(chosen), PLUGINS, miniature=miniature)


def test_the_word_stands_for_the_papers_benchmarks_and_methods():
    found = meant(**MODELS)
    assert found["benchmarks"] == BENCHMARKS
    assert BENCHMARKS == ("bigcodebench-test", "humaneval-test", "mbpp-test")
    assert set(METHODS) <= PLUGINS.designers.keys() | PLUGINS.methods.keys()
    assert set(METHODS) - set(found["designers"]) == {"scoreflow"}, "which generator it is to train is not said"
    assert not found.keys() & MODELS.keys()
    assert meant(**MODELS, method_settings=("scoreflow.generator=here",))["designers"] == METHODS
    assert meant(miniature=True)["designers"] == METHODS


def test_every_benchmark_has_a_part_to_fit_on():
    for name in (*BENCHMARKS, "miniature"):
        assert PLUGINS.benchmarks[PLUGINS.benchmarks[name].training]


def test_in_miniature_it_stands_for_small_models_and_short_searches():
    found = meant(miniature=True, designers=("aflow", "maas"))
    assert found["benchmarks"] == ("miniature",)
    assert (found["workers"], found["meta_agent"], found["small"]) == (("embedded:",), "embedded:", True)
    assert (found["seeds"], found["fit_seeds"], found["fit_first"]) == (3, 3, 20)
    assert set(found["method_settings"]) == {"aflow.max_rounds=8", "aflow.validation_rounds=1"}
    assert "designers" not in found


def test_what_is_on_the_command_line_counts():
    found = meant(miniature=True, seeds=1, workers=("mine:",), method_settings=("aflow.max_rounds=2",))
    assert not found.keys() & {"seeds", "workers"}
    assert found["fit_seeds"] == MINIATURE.fit_seeds
    settings = method_settings(found["method_settings"])
    assert settings["aflow"] == {"max_rounds": 2, "validation_rounds": 1}


def test_the_settings_of_the_miniature_are_ones_that_there_are():
    settings = Settings("sim:", small=True, methods=method_settings(MINIATURE.methods))
    aflow, adas, scoreflow = contenders_of(("aflow", "adas", "scoreflow"), PLUGINS, settings, lambda: lambda *_: None)
    assert (aflow.method.max_rounds, adas.method.generations, scoreflow.method.workflows) == (8, 6, 4)


def test_scoreflow_needs_a_generator_that_it_trains():
    with pytest.raises(QueryError, match=r"--set scoreflow\.generator=FOLDER"):
        contenders_of(("scoreflow",), PLUGINS, Settings("sim:"), lambda: lambda *_: None)


def test_without_the_word_nothing_is_meant():
    assert meant("demo") == {}


@pytest.mark.parametrize(
    ("benchmarks", "more", "told"),
    [
        (("table1", "demo"), {}, "table1 stands for benchmarks of its own"),
        (("demo",), {"miniature": True}, "--miniature is for table1 only"),
        (("table1",), {}, "the embedded models know none of table1's benchmarks"),
    ],
)
def test_what_makes_no_sense_is_refused(benchmarks, more, told):
    with pytest.raises(QueryError) as raised:
        meant(*benchmarks, **more)
    assert told in str(raised.value)
