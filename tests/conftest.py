"""Shared fixtures: a private home and store for every test, and where the public benchmark files are."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
os.environ["HF_HUB_OFFLINE"] = "1"  # read when the libraries are imported; no test may wait for a network


@pytest.fixture(autouse=True)
def private_environment(tmp_path, monkeypatch):
    """No test reads the developer's keys, configuration or store."""
    for name in list(os.environ):
        if name.startswith(("FLOWREASONER_", "OPENAI_", "DEEPSEEK_", "OPENROUTER_")) and name != "FLOWREASONER_DATA":
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("FLOWREASONER_STORE", str(tmp_path / "store.sqlite"))


@pytest.fixture(scope="session")
def shared_data():
    """The folder with the public benchmark files; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("FLOWREASONER_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"the public benchmark files are not at {folder} (set FLOWREASONER_DATA)")
    return folder
