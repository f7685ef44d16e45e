import pytest

from flowreasoner.errors import PluginError
from flowreasoner.operators import BUILTIN, Operator, OperatorField
from flowreasoner_plugins import hookimpl, hookspecs, load_plugins

PARROT = Operator("Parrot", "parrot", "Repeats.", (OperatorField("text"),), (OperatorField("echo"),), "{text}")


class Good:
    @hookimpl
    def flowreasoner_operators(self):
        return [PARROT]

    @hookimpl
    def flowreasoner_metrics(self):
        return {"one": lambda query, answer: 1.0}


def _load(**extra):
    return load_plugins(entry_points=False, extra=extra)


def test_built_ins_come_through_the_same_hooks():
    plugins = _load()
    assert plugins.operators.keys() == BUILTIN.keys()
    assert {"openai", "sim"} <= plugins.chat_models.keys()
    assert {"demo", "humaneval", "mbpp"} <= plugins.benchmarks.keys()
    assert {"flowreasoner", "autoagents"} <= plugins.designers.keys()
    assert {"aflow", "adas"} == plugins.methods.keys()
    assert "process" in plugins.sandboxes
    assert {"performance", "simplicity", "diversity", "efficiency"} == plugins.reward_terms.keys()


def test_a_plugin_adds_to_what_is_there():
    plugins = _load(good=Good())
    assert plugins.operators["Parrot"] is PARROT
    assert set(plugins.metrics) == {"one"}
    info = plugins.infos[-1]
    assert (info.name, info.hooks, info.problem) == ("good", ("metrics", "operators"), "")


def test_each_load_is_fresh():
    assert "Parrot" in _load(good=Good()).operators
    assert "Parrot" not in _load().operators


class Misspelt:
    @hookimpl
    def flowreasoner_operator(self):
        return []


class WrongArguments:
    @hookimpl
    def flowreasoner_operators(self, unexpected):
        return []


class WrongAnnotation:
    @hookimpl
    def flowreasoner_metrics(self) -> list:
        return []


class Raises:
    @hookimpl
    def flowreasoner_metrics(self):
        raise ValueError("no metrics today")


class WrongReturn:
    @hookimpl
    def flowreasoner_metrics(self):
        return ["a list"]


class WrongItem:
    @hookimpl
    def flowreasoner_operators(self):
        return ["not an operator"]


@pytest.mark.parametrize(
    ("plugin", "problem"),
    [
        (Misspelt(), "there is no hook 'flowreasoner_operator'; known are flowreasoner_backends"),
        (WrongArguments(), "unexpected"),
        (WrongAnnotation(), "flowreasoner_metrics must return Mapping, but is annotated as list"),
        (Raises(), "metrics raised ValueError: no metrics today"),
        (WrongReturn(), "metrics must return a mapping, not list"),
        (WrongItem(), "operators must hold Operator objects, not 'not an operator'"),
    ],
)
def test_a_broken_plugin_is_reported_and_skipped(plugin, problem, monkeypatch):
    plugins = _load(bad=plugin, good=Good())
    assert "one" in plugins.metrics
    assert "Parrot" in plugins.operators
    assert [info.name for info in plugins.problems] == ["bad"]
    assert problem in plugins.problems[0].problem
    monkeypatch.setenv("FLOWREASONER_STRICT_PLUGINS", "1")
    with pytest.raises(PluginError, match=r"the plugin 'bad'.* is broken"):
        _everything(bad=plugin)


def _everything(**extra):
    plugins = _load(**extra)
    return plugins.metrics, plugins.operators


def test_two_plugins_may_not_provide_the_same_name():
    plugins = _load(first=Good(), second=Good())
    with pytest.raises(PluginError, match=r"the plugins '(first|second)' and '(first|second)' both provide 'Parrot'"):
        _ = plugins.operators


def test_what_is_not_there_is_named_with_what_is():
    plugins = _load(bad=Misspelt())
    with pytest.raises(PluginError, match=r"is no designer 'x'; known are aflow-seed, .*vanilla; the plugin 'bad' was"):
        plugins.pick("designers", "x")


def test_an_observer_that_raises_is_silenced_after_one_warning(capsys):
    class Noisy:
        @hookimpl
        def flowreasoner_observers(self):
            def fail(event):
                raise RuntimeError("cannot listen")

            return [fail]

    (observer,) = _load(noisy=Noisy()).observers
    observer(None)
    observer(None)
    err = capsys.readouterr().err
    assert err.count("the observer of plugin 'noisy' failed") == 1


def test_hook_calls_can_be_traced(monkeypatch, capsys):
    _ = _load(good=Good()).metrics
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("FLOWREASONER_TRACE_PLUGINS", "1")
    _ = _load(good=Good()).metrics
    assert "hook metrics of plugin 'good' -> {'one':" in capsys.readouterr().err


def test_every_hook_has_one_sentence_and_a_documented_name(request):
    docs = (request.config.rootpath / "docs" / "plugins.md").read_text()
    names = [name for name in vars(hookspecs) if name.startswith("flowreasoner_")]
    assert len(names) == 12
    for name in names:
        doc = getattr(hookspecs, name).__doc__
        assert doc
        assert doc.strip().endswith(".")
        assert f"### {name}" in docs
