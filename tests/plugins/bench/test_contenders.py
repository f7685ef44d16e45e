from dataclasses import replace
from types import SimpleNamespace

import pytest

from flowreasoner.baselines.adas import ADAS
from flowreasoner.baselines.aflow import AFlow
from flowreasoner.baselines.small import SMALL_MANUAL, SMALL_SEEDS, SMALL_START
from flowreasoner.designers import FlowReasoner
from flowreasoner.errors import PluginError, QueryError
from flowreasoner_plugins import hookimpl, load_plugins
from flowreasoner_plugins.bench.contenders import Unfitted, contenders_of, method_settings
from flowreasoner_plugins.bench.plan import Settings

PLUGINS = load_plugins()
SETTINGS = Settings("sim:", rounds=3)
SMALL = replace(SETTINGS, small=True)


def contenders(*names, settings=SETTINGS, plugins=PLUGINS):
    return contenders_of(names, plugins, settings, lambda: lambda *_: None)


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


def test_methods_are_made_with_their_settings_and_are_still_to_be_fitted():
    settings = replace(SETTINGS, methods={"aflow": {"max_rounds": 8}})
    aflow, adas, fixed = contenders("aflow", "adas", "cot", settings=settings)
    assert isinstance(aflow, Unfitted)
    assert (aflow.method, adas.method) == (AFlow(max_rounds=8), ADAS())
    assert not isinstance(fixed, Unfitted)
    again, *_ = contenders("aflow")
    assert aflow.mark != again.mark


def test_small_models_are_asked_in_the_words_that_they_know():
    aflow, adas, vanilla, autoagents, itself = contenders(
        "aflow", "adas", "vanilla", "autoagents", "flowreasoner", settings=SMALL
    )
    assert aflow.method == AFlow(wording="conversation", start=SMALL_START)
    assert adas.method == ADAS(wording="conversation", seeds=SMALL_SEEDS)
    assert vanilla.designer.workflow == SMALL_MANUAL["vanilla"]
    assert autoagents.designer.wording == "operators"
    assert itself.designer == FlowReasoner(3, 3)
    large = contenders("vanilla", "aflow")
    assert large[0].checkpoint != vanilla.checkpoint
    assert large[1].mark != aflow.mark


def test_maas_weighs_calls_where_models_are_free():
    pytest.importorskip("torch")
    (small,), (large,) = contenders("maas", settings=SMALL), contenders("maas")
    assert (small.method.cost, large.method.cost) == ("calls", "usd")


def test_a_designer_that_knows_nothing_of_small_models_is_named():
    class Plugin:
        @hookimpl
        def flowreasoner_designers(self):
            return {"strict": lambda rounds, evaluations, early_stop: SimpleNamespace(name="strict")}

    plugins = load_plugins(entry_points=False, extra={"strict": Plugin()})
    assert contenders("strict", plugins=plugins)
    with pytest.raises(QueryError, match="the designer 'strict' knows nothing of small models"):
        contenders("strict", settings=SMALL, plugins=plugins)


def test_who_is_not_known_is_told_designers_and_methods():
    with pytest.raises(PluginError, match=r"no designer 'aflo'; known are aflow-seed, .*; methods .* are adas, aflow"):
        contenders("aflo")


@pytest.mark.parametrize(
    ("methods", "told"),
    [
        ({"adas": {"debug": 1}}, "--set is for methods that are fitted in this bench, and 'adas' is none"),
        ({"cot": {"debug": 1}}, "'cot' is none of them"),
        ({"aflow": {"rounds": 1}}, "the method 'aflow' cannot be made with {'rounds': 1}"),
        ({"aflow": {"max_rounds": "many"}}, "the method 'aflow' cannot be made with"),
        ({"aflow": {"max_rounds": 0}}, "max_rounds must be at least 1"),
        ({"aflow": {"max_rounds": 1.5}}, "aflow.max_rounds must be int, got 1.5"),
        ({"aflow": {"sample": True}}, "aflow.sample must be int, got True"),
        ({"aflow": {"wording": "other"}}, "wording must be one of"),
        ({"aflow": {"task": 3}}, "aflow.task must be str, got 3"),
        ({"aflow": {"start": "x.py"}}, "aflow.start cannot be set on the command line"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(methods, told):
    with pytest.raises(QueryError) as raised:
        contenders("aflow", "cot", settings=replace(SETTINGS, methods=methods))
    assert told in str(raised.value)


def test_settings_are_json_or_text():
    given = ["aflow.max_rounds=8", "maas.cost=calls", "maas.threshold=0.5", "aflow.task=maths=hard"]
    assert method_settings(given) == {
        "aflow": {"max_rounds": 8, "task": "maths=hard"},
        "maas": {"cost": "calls", "threshold": 0.5},
    }
    for wrong in ("aflow", "aflow=3", "aflow.max_rounds", ".x=1", "aflow.=1"):
        with pytest.raises(QueryError, match=r"--set takes NAME.SETTING=VALUE"):
            method_settings([wrong])
