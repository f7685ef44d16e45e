"""What a child of the warm process keeps of root's rights."""

import os
import sys
import tempfile
from pathlib import Path

import pytest

from flowreasoner.sandbox.inside.confine import needed, reads_as

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only root can become another user"
)
SOMEBODY = 60_000


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="confine_") as name:  # pytest's own are closed to others
        for path in (Path(name), Path(name, "lib"), Path(name, "lib", "package")):
            path.mkdir(exist_ok=True)
            path.chmod(0o755)
        (Path(name) / "lib" / "module.py").write_text("")
        (Path(name) / "lib" / "module.py").chmod(0o644)
        yield Path(name)


def test_what_others_may_read_needs_no_privilege(folder, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(folder / "lib"), "/root/elsewhere"])
    config = {"readable": [str(folder / "lib")], "writable": [str(folder)]}
    assert reads_as(SOMEBODY, needed(config))
    assert str(folder / "lib" / "module.py") in needed(config)
    assert reads_as(SOMEBODY, [*needed(config), str(folder / "missing")])


@pytest.mark.parametrize("closed", [".", "lib", "lib/package", "lib/module.py"])
def test_a_closed_folder_on_the_way_is_found(folder, monkeypatch, closed):
    monkeypatch.setattr(sys, "path", [str(folder / "lib")])
    (folder / closed).chmod(0o700 if (folder / closed).is_dir() else 0o600)
    assert not reads_as(SOMEBODY, needed({"readable": [str(folder / "lib")], "writable": []}))
