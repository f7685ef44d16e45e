import asyncio
import threading
from concurrent.futures import CancelledError

import numpy as np
import pytest
from embedded import tiny_checkpoint

from flowreasoner.models.embedded.batching import Batcher
from flowreasoner.models.embedded.checkpoint import load_checkpoint
from flowreasoner.models.embedded.prompts import PromptReader
from flowreasoner.models.embedded.sampling import Sampler
from flowreasoner.models.embedded.transformer import CHUNK, Memory, Transformer

NEVER = -1  # no token has this id, so that replies go to their limit


@pytest.fixture(scope="module")
def transformer(tmp_path_factory):
    checkpoint = load_checkpoint(tiny_checkpoint(tmp_path_factory.mktemp("checkpoint")))
    return Transformer(checkpoint.config, checkpoint.weights)


class Gated:
    """A transformer that waits for leave before each step, and notes how many sequences the step has."""

    def __init__(self, transformer):
        self.config, self.read, self._step = transformer.config, transformer.read, transformer.step
        self.leave, self.stepping, self.sizes = threading.Semaphore(0), threading.Semaphore(0), []

    def step(self, tokens, memories):
        self.sizes.append(len(tokens))
        self.stepping.release()
        assert self.leave.acquire(timeout=10)
        return self._step(tokens, memories)


def submit(batcher, limit=8, name="a"):
    return batcher.submit([5, 6, 7], Sampler(name.encode().hex(), 1.0, 1.0), limit)


def idle(batcher):
    thread = batcher._thread
    if thread is not None:
        thread.join(10)
    return batcher._thread is None


def test_logits_do_not_depend_on_what_else_is_in_the_step(transformer):
    def after(others):
        memories = [Memory(transformer.config, 200) for _ in range(others + 1)]
        for index, memory in enumerate(memories):
            transformer.read(range(1, 10 + (index * 7) % 40), memory)
        return transformer.step([9] * (others + 1), memories)[0]

    assert all((after(others) == after(0)).all() for others in (1, 2, 5, 11, 31))


def test_reading_a_prompt_is_reading_its_tokens_one_by_one(transformer):
    ids = np.random.default_rng(0).integers(0, transformer.config.vocab_size, 2 * CHUNK + 9)
    at_once, stepped = (Memory(transformer.config, len(ids)) for _ in range(2))
    logits = PromptReader(transformer).read(ids, at_once)
    for token in ids:
        last = transformer.step([token], [stepped])[0]
    assert at_once.length == stepped.length == len(ids)
    np.testing.assert_allclose(logits, last, atol=1e-4)


def test_a_remembered_beginning_changes_no_bit(transformer):
    ids = np.random.default_rng(0).integers(0, transformer.config.vocab_size, 3 * CHUNK)
    reader = PromptReader(transformer, most=2)
    for prompt in (ids, ids, ids[: 2 * CHUNK], np.append(ids[:CHUNK], [1, 2]), ids):
        fresh, again = (Memory(transformer.config, len(prompt)) for _ in range(2))
        assert (PromptReader(transformer).read(prompt, fresh) == reader.read(prompt, again)).all()
        assert (fresh.keys == again.keys).all()
        assert (fresh.values == again.values).all()
        assert len(reader._known) <= 2


def test_requests_join_a_batch_under_way_and_the_rest_wait(transformer):
    gated = Gated(transformer)
    batcher = Batcher(gated, NEVER, most=2)
    futures = [submit(batcher, limit=3)]
    assert gated.stepping.acquire(timeout=10)
    futures += [submit(batcher, limit=3) for _ in range(3)]
    for _ in range(20):
        gated.leave.release()
    assert [len(future.result(10)) for future in futures] == [3] * 4
    assert gated.sizes[0] == 1
    assert max(gated.sizes) == 2
    assert idle(batcher)


def test_a_cancelled_request_makes_room(transformer):
    gated = Gated(transformer)
    batcher = Batcher(gated, NEVER, most=1)
    first, second, third = (submit(batcher, limit=400 if name == "a" else 2, name=name) for name in "abc")
    assert gated.stepping.acquire(timeout=10)
    assert first.cancel()
    assert second.cancel()
    for _ in range(20):
        gated.leave.release()
    assert len(third.result(10)) == 2
    with pytest.raises(CancelledError):
        first.result(0)
    assert len(gated.sizes) == 2  # one of the first, which was under way, and one of the third
    assert idle(batcher)


async def test_cancelling_who_waits_cancels_the_request(transformer):
    gated = Gated(transformer)
    batcher = Batcher(gated, NEVER)
    task = asyncio.create_task(asyncio.wait_for(asyncio.wrap_future(submit(batcher, limit=400)), 0.05))
    with pytest.raises(TimeoutError):
        await task
    for _ in range(3):
        gated.leave.release()
    assert await asyncio.to_thread(idle, batcher)
    assert len(gated.sizes) <= 2


def test_a_failing_step_is_told_to_all_who_wait_and_the_next_request_is_answered(transformer):
    gated = Gated(transformer)
    batcher = Batcher(gated, NEVER)
    working, gated._step = gated._step, lambda tokens, memories: 1 / 0
    for _ in range(20):
        gated.leave.release()
    with pytest.raises(ZeroDivisionError):
        submit(batcher).result(10)
    gated._step = working
    assert len(submit(batcher).result(10)) == 8
    assert idle(batcher)


def test_a_sampler_draws_by_the_probabilities():
    logits = np.log(np.array([0.5, 0.3, 0.15, 0.05], np.float32))

    def shares(temperature, top_p):
        sampler = Sampler("ab", temperature, top_p)
        return np.bincount([sampler.draw(logits) for _ in range(20_000)], minlength=4) / 20_000

    np.testing.assert_allclose(shares(1.0, 1.0), [0.5, 0.3, 0.15, 0.05], atol=0.015)
    np.testing.assert_allclose(shares(1.0, 0.7), [0.625, 0.375, 0, 0], atol=0.015)
    np.testing.assert_allclose(shares(1.0, 0.4), [1, 0, 0, 0])
    np.testing.assert_allclose(shares(0.5, 1.0), np.array([0.25, 0.09, 0.0225, 0.0025]) / 0.365, atol=0.015)
    np.testing.assert_allclose(shares(0, 1.0), [1, 0, 0, 0])
