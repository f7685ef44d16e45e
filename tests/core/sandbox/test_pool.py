"""The pool: what it leaves behind, cancellation, several loops, back-pressure, and broken processes."""

import asyncio
import contextlib
import gc
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sandboxes import ASSERTS, DOUBLE, descendants, descriptors, offered, outcomes

from flowreasoner.errors import IsolationUnavailable, SandboxError
from flowreasoner.sandbox import Limits, Pool, Suite, Verdict
from flowreasoner.sandbox.inside import wire
from flowreasoner.sandbox.jails.channel import socket_pair

CHECK = Suite.check("def check(c):\n    for n in range(3):\n        assert c(n) == 2 * n", "f")
CODES = [DOUBLE, "raise ValueError", "import os; os._exit(1)", "def f(x): return x", "print('x' * 100000)"]
SUITES = [ASSERTS, CHECK, Suite.io([("", "")]), Suite.command("true")]
SLEEP = "import time\ntime.sleep(1000)\n"


@pytest.fixture(autouse=True)
def own_temporary_place(monkeypatch):
    with tempfile.TemporaryDirectory() as place:  # pytest's own is closed to the users that runs are given by root
        Path(place).chmod(0o755)
        monkeypatch.setattr(tempfile, "tempdir", place)
        yield


@pytest.fixture(autouse=True)
def no_strangers(monkeypatch):
    """Leaves out processes that other tests keep warm, as adapters do for synchronous callers."""
    before = descendants()
    monkeypatch.setitem(globals(), "descendants", lambda pid=None, every=descendants: every(pid) - before)


@pytest.fixture(params=["jail", pytest.param("landlock", marks=pytest.mark.slow), "process"])
def tier(request):
    return offered(request.param)


def folders():
    return set(Path(tempfile.gettempdir()).iterdir())


def memory_kib():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 10


def _command(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return "gone"


async def settled(pool):
    """Leaves every worker with what it has between runs: two warm processes, and a judge that waits for suites."""
    await asyncio.gather(*(pool.grade(DOUBLE, ASSERTS) for _ in range(pool.workers)))


@pytest.mark.slow
async def test_a_thousand_mixed_runs_leave_no_process_descriptor_file_or_task(tier):
    async with Pool(tier) as pool:
        for n in range(20):
            await pool.grade(CODES[n % 5], SUITES[n % 4])
        await settled(pool)
        before = descriptors(), len(descendants()), folders(), len(asyncio.all_tasks())
        held = memory_kib()
        verdicts = [v async for v in pool.grade_all((CODES[n % 5], SUITES[n % 4]) for n in range(1000))]
        gc.collect()
        assert len(verdicts) == 1000
        await settled(pool)
        assert (descriptors(), len(descendants()), folders(), len(asyncio.all_tasks())) == before
        assert memory_kib() - held < 20_000
        assert all(not list(folder.iterdir()) for folder in folders())
    assert descendants() == set()
    assert folders() == set()


async def test_the_same_program_has_the_same_verdict_every_time(tier):
    code = (
        "import random\ndef f(x):\n    print(random.random(), {'a', 'b', 'c'}, hash('x'))\n"
        "    return 2 * x if random.random() < 0.5 else object()\n"
    )
    suite = Suite.asserts([f"assert f({n}) == {2 * n}" for n in range(8)], "f")
    async with Pool(tier) as pool:
        seen = {(verdict.tests, verdict.output) for verdict in [await pool.grade(code, suite) for _ in range(20)]}
    assert len(seen) == 1
    assert {"pass", "fail"} == set(outcomes(Verdict(next(iter(seen))[0], "ok", tier, "separated")))


@pytest.mark.slow
@pytest.mark.parametrize("delay", [0.0, 0.005, 0.3])
@pytest.mark.parametrize("kind", ["grade", "run", "command", "unittest"])
async def test_cancelling_ends_what_was_started_and_the_worker_goes_on(tier, kind, delay):
    code = f"import subprocess, time\nsubprocess.Popen(['sleep', '1000'])\n{SLEEP}"
    unittests = Suite.unittest("import unittest, os\nclass T(unittest.TestCase):\n def test_a(self): f(1)", "f")
    async with Pool(tier, workers=1, profile="lib") as pool:
        await settled(pool)
        before = descriptors(), len(descendants()), folders()
        task = asyncio.create_task(
            {
                "grade": lambda: pool.grade(code, ASSERTS),
                "run": lambda: pool.run(code),
                "command": lambda: pool.grade(code, Suite.command("python3 solution.py")),
                "unittest": lambda: pool.grade(code, unittests),
            }[kind]()
        )
        await asyncio.sleep(delay)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        for _ in range(100):
            if len(descendants()) <= before[1]:
                break
            await asyncio.sleep(0.02)
        await settled(pool)
        assert (descriptors(), len(descendants()), folders()) == before
        assert (await pool.grade(DOUBLE, ASSERTS)).passed


async def test_leaving_a_pool_ends_the_runs_that_are_under_way(tier):
    pool = Pool(tier, workers=1, profile="lib")
    task = asyncio.create_task(pool.run(f"import subprocess\nsubprocess.Popen(['sleep', '1000'])\n{SLEEP}"))
    await asyncio.sleep(0.5)
    await pool.aclose()
    with pytest.raises(SandboxError):
        await task
    assert descendants() == set()
    assert folders() == set()


@pytest.mark.slow
def test_a_pool_that_is_forgotten_ends_with_its_last_reference(tier):
    pool = Pool(tier, workers=1)
    assert asyncio.run(pool.run("print(1)")).ok
    assert descendants()
    del pool
    gc.collect()
    assert descendants() == set()
    assert folders() == set()


def test_one_pool_serves_several_event_loops_in_turn(tier):
    pool = Pool(tier, workers=2)

    async def several():
        return await asyncio.gather(*(pool.run("print(1)") for _ in range(3)))

    for _ in range(2):
        assert [ran.stdout for ran in asyncio.run(several())] == ["1\n"] * 3
    asyncio.run(pool.aclose())


def test_a_run_whose_loop_was_closed_under_it_does_not_spoil_the_next(tier):
    pool = Pool(tier, workers=1)
    asyncio.run(pool.run(""))
    loop = asyncio.new_event_loop()
    run = pool.run(SLEEP)
    task = loop.create_task(run)
    loop.run_until_complete(asyncio.sleep(0.1))
    task._log_destroy_pending = False
    loop.close()
    del task
    with contextlib.suppress(RuntimeError):
        run.close()
    gc.collect()
    assert asyncio.run(pool.run("print(2)")).stdout == "2\n"
    asyncio.run(pool.aclose())


async def test_no_more_runs_than_workers_are_under_way_at_once(tier):
    async with Pool(tier, workers=1) as pool:
        await pool.run("")
        began = time.perf_counter()
        await asyncio.gather(*(pool.run("import time; time.sleep(0.2)") for _ in range(3)))
        assert time.perf_counter() - began > 0.6


async def test_a_bulk_of_jobs_is_taken_only_as_fast_as_it_is_consumed():
    taken = []

    def jobs():
        for n in range(50):
            taken.append(n)
            yield (DOUBLE if n % 2 else "def f(x): return 0"), ASSERTS

    async with Pool("process", workers=2) as pool:
        verdicts = []
        async for verdict in pool.grade_all(jobs()):
            verdicts.append(verdict.passed)
            assert len(taken) <= len(verdicts) + 4
            if len(verdicts) == 20:
                break
    assert verdicts == [False, True] * 10


async def test_a_pool_works_in_a_forked_child_of_its_owner():
    async with Pool("process", workers=1) as pool:
        await pool.run("")
        mine = descendants()
        child = os.fork()
        if child == 0:
            code = 1
            with contextlib.suppress(BaseException):
                asyncio.events._set_running_loop(None)
                code = 0 if asyncio.run(pool.run("print(3)")).stdout == "3\n" else 1
            os._exit(code)
        ended = await asyncio.to_thread(os.waitpid, child, 0)
        assert os.waitstatus_to_exitcode(ended[1]) == 0
        assert descendants() == mine
        assert (await pool.run("print(4)")).stdout == "4\n"


# --- broken processes ------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("when", ["idle", "during a run"])
async def test_the_pool_survives_kill_9_of_any_of_its_processes(tier, when):
    async with Pool(tier, workers=1) as pool:
        await pool.grade(DOUBLE, ASSERTS)
        index = 0
        while True:
            task = asyncio.create_task(
                pool.grade("import time\ndef f(x):\n    time.sleep(0.4)\n    return 2 * x", ASSERTS)
            )
            await asyncio.sleep(0.2 if when == "during a run" else 0)
            victims = sorted(descendants())
            if when == "idle":
                await task
                victims = sorted(descendants())
            if index >= len(victims):
                assert (await task).passed
                break
            os.kill(victims[index], signal.SIGKILL)
            await asyncio.sleep(0.3)
            if when == "during a run":
                with contextlib.suppress(SandboxError):
                    # Bubblewrap's outer process only waits: without it the run may still come to its end.
                    assert (await task).passed
            verdict = await pool.grade(DOUBLE, ASSERTS)
            assert verdict.passed
            index += 1
        assert index >= 2
    assert descendants() == set()


async def test_a_run_whose_process_is_killed_has_no_verdict(tier):
    async with Pool(tier, workers=1) as pool:
        await pool.grade(DOUBLE, ASSERTS)
        warm = descendants()
        for _ in range(2):
            task = asyncio.create_task(
                pool.grade("def f(x):\n    import time\n    time.sleep(2)\n    return 2 * x", ASSERTS)
            )
            await asyncio.sleep(0.3)
            for pid in descendants() - warm:
                os.kill(pid, signal.SIGKILL)
            with pytest.raises(SandboxError, match="killed from outside"):
                await task


@pytest.mark.slow
def test_nothing_survives_a_host_that_is_killed(tier, tmp_path):
    note = tmp_path / "pids"
    program = (
        "import asyncio, os, sys\nfrom pathlib import Path\nfrom flowreasoner.sandbox import Pool\n"
        "sys.path.insert(0, sys.argv[3])\nfrom sandboxes import descendants\n"
        "async def main():\n    pool = Pool(sys.argv[1], workers=1, profile='lib')\n"
        "    task = asyncio.create_task(pool.run('import subprocess, time\\n"
        'subprocess.Popen(["sleep", "1000"])\\ntime.sleep(1000)\'))\n'
        "    await asyncio.sleep(1)\n    Path(sys.argv[2]).write_text(' '.join(map(str, descendants())))\n"
        "    await task\nasyncio.run(main())\n"
    )
    support = str(Path(__file__).parents[2] / "support")
    host = subprocess.Popen([sys.executable, "-c", program, tier, str(note), support])
    while not note.exists() or not note.read_text():
        time.sleep(0.05)
        assert host.poll() is None
    pids = note.read_text().split()
    assert len(pids) >= 3
    host.kill()
    host.wait()
    for _ in range(100):
        alive = [pid for pid in pids if _command(int(pid)).strip() not in {"", "gone"}]
        if not alive:
            break
        time.sleep(0.05)
    assert alive == []


async def test_a_machine_without_descriptors_is_a_sandbox_error_and_leaks_none(monkeypatch):
    import resource

    async with Pool("process", workers=1) as pool:
        await pool.run("")
        before = descriptors()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (before + 2, hard))
        try:
            with pytest.raises(SandboxError, match=r"Too many open files|Bad file descriptor"):  # by its number
                await pool.grade(DOUBLE, ASSERTS)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        gc.collect()
        assert descriptors() == before
        assert (await pool.grade(DOUBLE, ASSERTS)).passed


async def test_a_temporary_place_that_is_missing_is_a_sandbox_error(monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", "/nonexistent")
    with pytest.raises(SandboxError, match=r"cannot be started: .*/nonexistent"):
        await Pool("process").grade(DOUBLE, ASSERTS)


def test_a_tier_that_there_is_not_is_refused_with_those_that_there_are():
    with pytest.raises(
        IsolationUnavailable, match="there is no such tier; there are jail, landlock, interpreter, process"
    ):
        Pool("cage")
    with pytest.raises(ValueError, match="at least one worker"):
        Pool("process", workers=0)


@pytest.mark.slow
async def test_a_busy_machine_does_not_change_a_verdict():
    burn = [sys.executable, "-c", "while True: pass"]
    # Each in a session of its own, since the kernel may share the cores out by session.
    burners = [
        subprocess.Popen(burn, start_new_session=True)  # noqa: ASYNC220
        for _ in range(4 * (os.cpu_count() or 1))
    ]
    code = (
        "import time\ndef f(x):\n    end = time.process_time() + 0.5\n"
        "    while time.process_time() < end: pass\n    return 2 * x"
    )
    try:
        async with Pool("process", workers=1, limits=Limits(test_s=1.0, wall_s=1.6)) as pool:
            verdict = await pool.grade(code, ASSERTS)
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()
    assert verdict.usage.wall_s > 1.6
    assert verdict.passed


async def test_a_message_that_was_awaited_in_vain_is_there_for_the_next_reader():
    channel, theirs = socket_pair()
    with channel, theirs:
        frame = wire.pack({"n": 1})
        theirs.send(frame[:6])
        for _ in range(3):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(channel.receive(), 0.01)
        waiting = asyncio.create_task(channel.receive())
        await asyncio.sleep(0)
        theirs.send(frame[6:])
        waiting.cancel()  # in the same turn of the loop in which the rest arrives
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await channel.receive() == {"n": 1}


# --- misuse ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "kind", "complaint"),
    [
        (lambda: Pool("process", profile="network"), ValueError, "there is no profile 'network'; there are pure, lib"),
        (lambda: Pool("process", preimport="json"), TypeError, "as a list: ['json']"),
        (lambda: Pool("process", workers=0), ValueError, "at least one worker, not 0"),
        (lambda: Limits(test_s=-1), ValueError, "test_s must be a number above 0, not -1"),
        (lambda: Limits(wall_s=0), ValueError, "wall_s must be a number above 0, not 0"),
        (lambda: Limits(memory_mib="1"), ValueError, "memory_mib must be a number above 0, not '1'"),
        (lambda: asyncio.run(Pool("process").grade(b"", ASSERTS)), TypeError, "a program is text, not bytes"),
    ],
)
def test_wrong_arguments_are_named(make, kind, complaint):
    with pytest.raises(kind, match=re.escape(complaint)):
        make()


def test_event_loops_that_use_one_pool_at_the_same_time_are_told():
    pool = Pool("process", workers=1)

    def run():
        try:
            asyncio.run(pool.run("import time; time.sleep(0.3)"))
        except RuntimeError as error:
            return str(error)
        return "ran"

    with ThreadPoolExecutor(3) as threads:
        said = [future.result() for future in [threads.submit(run) for _ in range(3)]]
    assert set(said) <= {"ran", "this pool is in use by another event loop; make one pool for each"}
    assert len(set(said)) == 2
    assert asyncio.run(pool.run("print(1)")).stdout == "1\n"
    asyncio.run(pool.aclose())
