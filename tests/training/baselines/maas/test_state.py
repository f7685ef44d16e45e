"""Fittings that were interrupted, finished, of other settings, or damaged."""

import asyncio

import pytest
import torch
from maas_runs import FILE, QUERIES, bench, fitted, state, worker
from processes import kill_when, start_script

from flowreasoner.baselines.words import MINIATURE
from flowreasoner.errors import ModelError, StoreError
from flowreasoner.models import FunctionModel
from flowreasoner_training.baselines.maas.embedding import hashed_ngrams


async def test_a_failing_worker_is_an_error_and_the_fitting_goes_on_where_it_was(tmp_path):
    await fitted(tmp_path / "whole")
    whole, progress = state(tmp_path / "whole")
    steady, calls = worker(), 0

    async def failing(request):
        nonlocal calls
        calls += 1
        return ModelError("no worker") if calls > 25 else await steady.complete(request)

    with pytest.raises(ModelError, match="no worker"):
        await fitted(tmp_path / "cut", bench(FunctionModel(failing, steady.name)))
    _, cut = state(tmp_path / "cut")
    assert 0 < len(cut["batches"]) < 4
    assert cut["spent"]["model_calls"] == 25  # also what the broken batch cost
    result = await fitted(tmp_path / "cut")
    tensors, resumed = state(tmp_path / "cut")
    assert tensors == whole
    assert resumed["batches"] == progress["batches"]
    assert result.spent.model_calls > progress["spent"]["model_calls"]


async def test_a_cancelled_fitting_keeps_what_it_spent_and_goes_on(tmp_path):
    await fitted(tmp_path / "whole")
    steady, reached = worker(), asyncio.Event()

    async def stuck(request):
        if len(model.history) > 25:
            reached.set()
            await asyncio.sleep(100)
        return await steady.complete(request)

    model = FunctionModel(stuck, steady.name)
    task = asyncio.ensure_future(fitted(tmp_path / "cut", bench(model)))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert state(tmp_path / "cut")[1]["spent"]["model_calls"] == len(steady.history) >= 25
    await fitted(tmp_path / "cut")
    assert state(tmp_path / "cut")[0] == state(tmp_path / "whole")[0]


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_after_kill_9_the_same_weights_come_out(tmp_path):
    await fitted(tmp_path / "whole")
    cut = tmp_path / "cut"
    process = start_script("maas_runs.py", cut, 0.05)
    kill_when(process, (cut / FILE).exists)
    assert 1 <= len(state(cut)[1]["batches"]) < 4
    await fitted(cut)
    assert state(cut)[0] == state(tmp_path / "whole")[0]
    assert state(cut)[1]["batches"] == state(tmp_path / "whole")[1]["batches"]


async def test_a_finished_fitting_is_only_read(tmp_path):
    first = await fitted(tmp_path)
    silent = FunctionModel(lambda _: ModelError("not to be asked"), worker().name)
    second = await fitted(tmp_path, bench(silent))
    assert (second.spent, second.facts) == (first.spent, first.facts)
    for one, two in zip(first.designer.controller.parameters(), second.designer.controller.parameters(), strict=True):
        assert torch.equal(one, two)


async def test_how_slow_the_worker_is_changes_nothing(tmp_path):
    await fitted(tmp_path / "one")
    steady = worker()

    async def uneven(request):
        for _ in range(sum(request.draw.encode()) % 7):
            await asyncio.sleep(0)
        return await steady.complete(request)

    await fitted(tmp_path / "two", bench(FunctionModel(uneven, steady.name)))
    assert state(tmp_path / "one")[0] == state(tmp_path / "two")[0]


async def test_another_fitting_is_refused_in_the_same_folder(tmp_path):
    await fitted(tmp_path)
    for changes in ({"samples": 3}, {"words": MINIATURE}, {"embed": lambda text: hashed_ngrams(text[::-1])}):
        with pytest.raises(StoreError, match="was begun with"):
            await fitted(tmp_path, **changes)
    with pytest.raises(StoreError, match="was begun with queries"):
        await fitted(tmp_path, asked=QUERIES[:2])
    with pytest.raises(StoreError, match="was begun with seed"):
        await fitted(tmp_path, bench(seed=1))


@pytest.mark.parametrize("content", [b"", b"\xff" * 64, b"\x02\x00\x00\x00\x00\x00\x00\x00{}"])
async def test_a_damaged_state_is_said_to_be(tmp_path, content):
    await fitted(tmp_path)
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(StoreError, match=r"controller\.safetensors' is damaged"):
        await fitted(tmp_path)


async def test_damaged_settings_and_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "settings.json").write_text("{")
    with pytest.raises(StoreError, match="damaged"):
        await fitted(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot write"):
        await fitted(tmp_path / "file" / "folder")
