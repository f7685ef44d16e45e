"""A missing framework and one of a version that is not supported: one clear error each."""

from importlib import metadata

import pytest

from flowreasoner.errors import PluginError
from flowreasoner_plugins.requires import require


def _versions(monkeypatch, **versions):
    def version(name):
        if name not in versions:
            raise metadata.PackageNotFoundError(name)
        return versions[name]

    monkeypatch.setattr(metadata, "version", version)


def test_a_missing_framework_names_the_extra(monkeypatch):
    _versions(monkeypatch)
    with pytest.raises(PluginError, match=r'pip install "flowreasoner\[langgraph\]"'):
        require("langgraph", "langgraph", least=(1, 1), below=(2, 0))


@pytest.mark.parametrize("version", ["0.9.7", "1.0.3", "2.0.0rc1", "12.1"])
def test_another_version_names_what_is_there_and_what_is_wanted(monkeypatch, version):
    _versions(monkeypatch, langgraph=version)
    with pytest.raises(PluginError, match=rf"langgraph {version} is installed.*>=1.1,<2.0"):
        require("langgraph", "langgraph", least=(1, 1), below=(2, 0))


@pytest.mark.parametrize("version", ["1.1", "1.2.22", "1.10.0a1"])
def test_supported_versions_pass(monkeypatch, version):
    _versions(monkeypatch, langgraph=version)
    assert require("langgraph", "langgraph", least=(1, 1), below=(2, 0)) is None


@pytest.mark.parametrize(
    ("module", "backend", "extra"),
    [("langgraph", "LangGraphBackend", "langgraph"), ("dspy", "DSPyBackend", "dspy")],
)
def test_adapters_explain_their_extra_and_leave_the_others_alone(monkeypatch, module, backend, extra):
    import importlib

    adapter = importlib.import_module(f"flowreasoner_adapters.{module}")
    _versions(monkeypatch)
    with pytest.raises(PluginError, match=rf"flowreasoner\[{extra}\]"):
        getattr(adapter, backend)()
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        adapter.Nothing  # noqa: B018
    aflow = importlib.import_module("flowreasoner_adapters.aflow")
    assert aflow.AFlowBackend().name == "aflow"
