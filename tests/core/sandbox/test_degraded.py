"""Machines that offer less, and users who are not root: the tier drops visibly, or the run refuses."""

import json
import os
import platform
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from sandboxes import offered

from flowreasoner.sandbox import missing

ROOT = Path(__file__).parents[3]
REFUSING = str(ROOT / "tests" / "support" / "refusing.py")
NOBODY = 54_321

PROGRAM = """
import asyncio, json, sys
from flowreasoner.errors import SandboxError
from flowreasoner.sandbox import Pool, Suite, best_sandbox, try_forbidden
async def main():
    try:
        sandbox = best_sandbox() if sys.argv[1] == "best" else Pool(sys.argv[1], workers=1)
        async with sandbox:
            right = await sandbox.grade("def f(x): return 2 * x", Suite.asserts(["assert f(1) == 2"], "f"))
            wrong = await sandbox.grade("def f(x): return x", Suite.asserts(["assert f(1) == 2"], "f"))
            tried = [] if sandbox.tier == "interpreter" else await try_forbidden(sandbox)
            print(json.dumps([right.tier, right.passed, wrong.passed, [a.what for a in tried if a.succeeded]]))
    except SandboxError as error:
        print(json.dumps([type(error).__name__, str(error)]))
asyncio.run(main())
"""

only_x86 = pytest.mark.skipif(
    platform.machine() != "x86_64", reason="the filter that takes things away has x86_64's numbers"
)


def run(tier, refused=(), **settings):
    command = [sys.executable, "-c", PROGRAM, tier]
    if refused:
        command = [sys.executable, REFUSING, *refused, "--", *command]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=100, **settings)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@only_x86
def test_without_namespaces_the_best_tier_is_landlock_and_a_demanded_jail_is_refused():
    offered("jail"), offered("landlock")
    assert run("best", ["namespaces"]) == ["landlock", True, False, []]
    kind, words = run("jail", ["namespaces"])
    assert kind == "IsolationUnavailable"
    assert "bubblewrap cannot make namespaces here" in words


@only_x86
def test_without_landlock_a_jail_still_isolates_and_the_tier_landlock_is_refused():
    offered("jail")
    assert run("jail", ["landlock"]) == ["jail", True, False, []]
    kind, words = run("landlock", ["landlock"])
    assert kind == "IsolationUnavailable"
    assert "the kernel has no Landlock" in words


@only_x86
def test_without_both_the_interpreter_is_left_or_the_run_refuses_and_names_every_reason():
    got = run("best", ["namespaces", "landlock"])
    if not missing("interpreter"):
        assert got == ["interpreter", True, False, []]
        return
    assert got[0] == "IsolationUnavailable"
    for part in ("bubblewrap cannot make namespaces", "no Landlock", "flowreasoner[interpreter]", "'process'"):
        assert part in got[1]


def readable_by_others(path):
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in [*path.parents, path])


@pytest.fixture(scope="module")
def unprivileged():
    """A Python, a copy of the package and a home that an ordinary user, made up for the purpose, can use."""
    if os.geteuid() != 0:
        pytest.skip("these tests run as an ordinary user already")
    candidates = [Path(sys.executable).resolve(), Path("/usr/bin/python3"), Path("/usr/local/bin/python3")]
    pythons = [path for path in candidates if path.exists() and readable_by_others(path)]
    for python in pythons:
        version = subprocess.run([python, "-c", "import sys; print(sys.version_info >= (3, 11))"], capture_output=True)
        if version.stdout == b"True\\n" or version.stdout == b"True\n":
            break
    else:
        pytest.skip("every Python here lies in a folder that is closed to other users")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(ROOT / "core" / "flowreasoner", folder / "flowreasoner")
        (folder / "home").mkdir()
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755)
        os.chown(folder / "home", NOBODY, NOBODY)
        yield str(python), folder


@pytest.mark.parametrize("tier", ["jail", "landlock"])
def test_an_ordinary_user_has_the_same_tiers_with_the_same_verdicts(unprivileged, tier):
    offered(tier)
    python, folder = unprivileged
    ended = subprocess.run(
        [python, "-c", PROGRAM, tier],
        capture_output=True,
        text=True,
        timeout=100,
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        cwd=folder / "home",
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(folder / "home"),
            "PYTHONPATH": str(folder),
            "TMPDIR": str(folder / "home"),
        },
    )
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout) == [tier, True, False, []]
    assert list((folder / "home").iterdir()) == []
