"""Asynchronous work inside synchronous hosts."""

import asyncio
import contextvars
import gc
import threading
import time

from sandboxes import descendants

from flowreasoner_adapters.hosting import Sandboxes, run_sync

_setting = contextvars.ContextVar("setting", default="")


async def _where(delay=0.0):
    await asyncio.sleep(delay)
    return threading.current_thread().name, _setting.get()


def test_work_runs_in_one_background_thread_with_the_callers_context():
    _setting.set("mine")
    assert run_sync(_where()) == run_sync(_where()) == ("flowreasoner", "mine")


async def test_work_runs_where_an_event_loop_is_running():
    assert run_sync(_where())[0] == "flowreasoner"


def test_what_runs_may_itself_run_work():
    """A metric that a design calls may run a program of ours: the loop that waits for it cannot also run it."""

    async def inner():
        return run_sync(_where())[1], await asyncio.to_thread(run_sync, _where())

    async def outer():
        _setting.set("inside")
        return run_sync(inner())

    deepest, in_thread = run_sync(outer())
    assert deepest == "inside"
    assert in_thread[1] == "inside"


def test_many_threads_run_work_at_the_same_time():
    results = []
    threads = [threading.Thread(target=lambda: results.append(run_sync(_where(0.05)))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 20


_ECHO = "print('here')"


async def _run(sandboxes):
    return (await sandboxes.here().run(_ECHO)).stdout.strip()


def test_each_loop_has_a_sandbox_of_its_own():
    sandboxes = Sandboxes("process")

    async def two():
        return sandboxes.here(), sandboxes.here()

    first, again = asyncio.run(two())
    other, _ = run_sync(two())
    assert first is again is not other


def test_the_processes_of_a_closed_loop_end_with_the_next_one():
    sandboxes, before = Sandboxes("process"), descendants()
    assert asyncio.run(_run(sandboxes)) == "here"
    first = descendants() - before
    assert first
    assert asyncio.run(_run(sandboxes)) == "here"
    _wait_for(lambda: not descendants() & first)


def test_the_processes_of_forgotten_sandboxes_end():
    sandboxes, before = Sandboxes("process"), descendants()
    assert run_sync(_run(sandboxes)) == "here"
    assert descendants() - before
    del sandboxes
    gc.collect()
    _wait_for(lambda: descendants() <= before)


def _wait_for(condition):
    for _ in range(100):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen within 5 seconds")
