"""The set-up script that both of the README's commands begin with."""

import subprocess
from pathlib import Path

import pytest

SETUP = Path(__file__).parents[1] / "scripts" / "setup"


@pytest.mark.parametrize(("extras", "wanted"), [(None, "."), ("", "."), ("langgraph,dspy", ".[langgraph,dspy]")])
def test_setup_installs_the_package_with_the_extras_that_were_asked_for(tmp_path, monkeypatch, extras, wanted):
    python = tmp_path / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/said\n')  # stands in for an environment's own
    python.chmod(0o755)
    if extras is not None:
        monkeypatch.setenv("FLOWREASONER_EXTRAS", extras)
    subprocess.run([SETUP, tmp_path / "venv", "--group", "test"], check=True)
    said = (tmp_path / "said").read_text().split("\n")[:-1]
    assert said[said.index("--editable") :] == ["--editable", wanted, "--group", "test"]
