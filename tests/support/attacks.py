"""Runs the hostile programs of tests/attacks in a sandbox, and tells what each achieved.

Every program is judged from outside: by files that appear in a folder of the host, connections to its
sockets, processes that are left, and by the verdict. A program that wants a wrong answer scored as right
has failed if the verdict is anything but a pass.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sandboxes import descendants

from flowreasoner.errors import SandboxError
from flowreasoner.sandbox import Limits, Suite

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flowreasoner.sandbox import Pool, Verdict

__all__ = ["ATTACKS", "LIMITS", "Host", "attempt", "program", "styles"]

FOLDER = Path(__file__).parents[1] / "attacks"
ATTACKS = sorted(path.stem for path in FOLDER.glob("*.py"))
LIMITS = Limits(test_s=0.5, wall_s=2.0, cpu_s=2, memory_mib=512)
SECRETS = {"file": "S3CR3T-file", "env": "S3CR3T-env"}
MOST_S = 30.0  # a run has 2 s of its own time, on a machine that others use too

_TESTS = ["assert add(2, 3) == 5", "assert add(-1, 1) == 0", "assert add(100, 23) == 123", "assert add(0, 0) == 0"]
_CHECK = """
def check(candidate):
    assert candidate(2, 3) == 5
    assert candidate(-1, 1) == 0
    assert abs(candidate(100, 23) - 123) < 1e-6
    for n in range(3):
        assert candidate(n, n) == 2 * n
    assert candidate(5, 7) in (12, 12.0)
"""
_UNITTEST = """
import contextlib
import unittest
import os

class TestAdd(unittest.TestCase):
    def test_small(self):
        self.assertEqual(add(2, 3), 5)

    def test_negative(self):
        self.assertEqual(add(-1, 1), 0)

    def test_close(self):
        self.assertAlmostEqual(add(100, 23), 123)

    def test_zero(self):
        self.assertTrue(add(0, 0) == 0)

    def test_member(self):
        self.assertIn(add(5, 7), [12])

    def test_inside(self):
        with contextlib.nullcontext(add(1, 1)) as total:
            self.assertEqual(total, 2)
"""
SUITES = {
    "asserts": Suite.asserts(_TESTS, "add"),
    "check": Suite.check(_CHECK, "add"),
    "in_process": Suite.unittest(_UNITTEST, "add"),
}
HONEST = """
import os
assert os.listdir() == [], "something was left here"
with open("own.txt", "w") as file:
    file.write("written")

def add(a, b):
    return a + b
"""
MARKS = ("ESCAPED", "OBTAINED")  # what an attack prints that got what it wanted, and may be unable to leave a trace


def styles(attack: str) -> list[str]:
    """Returns the ways of grading that an attack is tried in."""
    return ["check", "in_process"] if attack.startswith("forgery") else ["asserts"]


@dataclass
class Host:
    """What an attack could reach: a folder with a secret and something precious, and two sockets that listen."""

    folder: Path
    port: int
    listeners: list[socket.socket]

    @classmethod
    @contextlib.contextmanager
    def prepared(cls) -> Iterator[Host]:
        """Lays everything out, readable and writable for everybody, so that only the sandbox is in the way."""
        with tempfile.TemporaryDirectory(prefix="attacked_") as name, contextlib.ExitStack() as stack:
            folder = Path(name)
            tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            unix = stack.enter_context(socket.socket(socket.AF_UNIX))
            unix.bind(str(folder / "socket"))
            unix.listen()
            abstract = stack.enter_context(socket.socket(socket.AF_UNIX))
            abstract.bind("\0" + str(folder / "socket"))
            abstract.listen()
            (folder / "home").mkdir()
            (folder / "home" / "secret.txt").write_text(SECRETS["file"])
            (folder / "precious").mkdir()
            (folder / "precious" / "keep.txt").write_text("keep")
            for path in (folder, *folder.rglob("*")):
                path.chmod(0o777)
            os.environ["FLOWREASONER_TEST_SECRET"] = SECRETS["env"]
            for listener in (tcp, unix, abstract):
                listener.setblocking(False)
            try:
                yield cls(folder, tcp.getsockname()[1], [tcp, unix, abstract])
            finally:
                os.environ.pop("FLOWREASONER_TEST_SECRET", None)

    def damage(self) -> list[str]:
        """Returns what was done to it, and puts it right."""
        found = []
        for path in sorted(self.folder.rglob("*")):
            if str(path.relative_to(self.folder)) not in {
                "home", "home/secret.txt", "precious", "precious/keep.txt", "socket",
            }:  # fmt: skip
                found.append(f"{path.name} appeared: {path.read_text(errors='replace')[:60] if path.is_file() else ''}")
                path.unlink() if not path.is_dir() else path.rmdir()
        keep = self.folder / "precious" / "keep.txt"
        if not keep.exists() or keep.read_text() != "keep":
            found.append("a file was changed or removed")
        for listener in self.listeners:
            with contextlib.suppress(BlockingIOError):
                listener.accept()[0].close()
                found.append("it connected")
        return found


def program(attack: str, host: Host) -> str:
    """Returns an attack's source, aimed at the host."""
    source = (FOLDER / f"{attack}.py").read_text()
    return source.replace("@EVIDENCE@", str(host.folder)).replace("@PORT@", str(host.port))


async def attempt(pool: Pool, attack: str, style: str, host: Host) -> list[str]:
    """Runs an attack against a suite and returns what went wrong; nothing if it was contained."""
    before = descendants()
    found: list[str] = []
    for _ in range(2):  # the second time, it may find what it left the first time
        found += await _once(pool, attack, style, host)
    left = descendants() - before
    for _ in range(50):
        if not left - descendants():
            await asyncio.sleep(0.02)
        left &= descendants()
    if len(left) > 8:  # a jail that was broken has been started anew, with other numbers
        found.append(f"{len(left)} processes are left")
    return list(dict.fromkeys(found))


async def _once(pool: Pool, attack: str, style: str, host: Host) -> list[str]:
    began = time.monotonic()
    found: list[str] = []
    verdict: Verdict | None = None
    try:
        async with asyncio.timeout(4 * MOST_S):
            verdict = await pool.grade(program(attack, host), SUITES[style])
    except SandboxError as error:
        found.append(f"the sandbox itself failed: {error}")
    except TimeoutError:
        found.append("the run did not end")
    if time.monotonic() - began > MOST_S:
        found.append(f"it took {time.monotonic() - began:.0f} s")
    if verdict is not None:
        said = verdict.output + "".join(test.detail for test in verdict.tests)
        found += [f"it learned the secret in the {name}" for name, secret in SECRETS.items() if secret in said]
        found += [f"it says: {line[:100]}" for line in said.splitlines() if line.startswith(MARKS)]
        if len(verdict.output) > LIMITS.output_kib << 10:
            found.append(f"{len(verdict.output)} characters of output were kept")
        if verdict.passed and attack.startswith("forgery"):
            found.append("a wrong answer was scored as right")
    found += host.damage()
    control = await pool.grade(HONEST, SUITES[style])
    if not control.passed:
        found.append(f"an honest program failed after it: {[test.detail for test in control.tests]}")
    return found
