import asyncio
from types import SimpleNamespace

import pytest
from fake_sandbox import FakeSandbox
from grpo_runs import WORKFLOW, queries, recipe
from tiny_model import tiny_tokenizer

from flowreasoner.errors import ModelError
from flowreasoner.models import FunctionModel
from flowreasoner.operators import BUILTIN
from flowreasoner.reward import TERMS
from flowreasoner_training.grpo.background import BackgroundLoop
from flowreasoner_training.grpo.queries import QueryRows
from flowreasoner_training.grpo.rollout import NOT_THE_POLICY, Rollouts
from flowreasoner_training.grpo.turns import FeedbackTurns

TOKENIZER = tiny_tokenizer()
REPLIES = [WORKFLOW.format(modification="one"), "no graph at all", WORKFLOW.format(modification="three")]


class Sampler:
    """The part of the trainer that a rollout uses; it writes given replies, ended unless they are cut."""

    use_vllm, processing_class, model = False, TOKENIZER, SimpleNamespace()

    def __init__(self, rows, replies=REPLIES, step=7, cut=False, processes=1):
        self.accelerator = SimpleNamespace(process_index=0, num_processes=processes, unwrap_model=lambda model: model)
        self.rollout_rows, self.replies, self.cut = rows, replies, cut
        self.state = SimpleNamespace(global_step=step)
        self.generation_config = SimpleNamespace(max_new_tokens=999)
        self.prompts, self.caps = [], []

    def _tokenize_prompts(self, prompts):
        return [TOKENIZER.apply_chat_template(p, add_generation_prompt=True, return_dict=False) for p in prompts], 0, 0

    def _generate_single_turn(self, prompts, *_, num_generations):
        self.prompts.append(prompts)
        self.caps.append(self.generation_config.max_new_tokens)
        text = self.replies[len(self.prompts) - 1]
        ids = TOKENIZER(text, add_special_tokens=False)["input_ids"]
        return [ids if self.cut else [*ids, TOKENIZER.eos_token_id] for _ in prompts], None


def roll(worker=lambda _: "def f(x): return x", sampler=None, *, concurrency=4, **grpo):
    asked = recipe(rounds=3, **{"max_tokens": 9000, "round_tokens": 200, **grpo})
    source = FunctionModel(worker)
    data = QueryRows(asked, queries(2), lambda _: source, FakeSandbox(), BUILTIN, {**TERMS, "vowels": lambda *_: 1.0})
    rows = [row for row in data.rows() for _ in range(asked.grpo.group_size)]
    sampler = sampler or Sampler(rows)
    sampler.rollout_rows = rows
    with BackgroundLoop() as loop:
        rollouts = Rollouts(data.environment, FeedbackTurns(TOKENIZER), asked.grpo, loop, concurrency=concurrency)
        return rollouts([row["prompt"] for row in rows], sampler), sampler, source


def test_each_token_belongs_to_its_round_and_feedback_to_none():
    made, _, _ = roll()
    for ids, rounds, mask, steps in zip(
        made["completion_ids"], made["round_ids"], made["env_mask"], made["steps"], strict=True
    ):
        assert len(ids) == len(rounds) == len(mask)
        for index, reply in enumerate(REPLIES):
            own = [token for token, owner in zip(ids, rounds, strict=True) if owner == index]
            assert TOKENIZER.decode(own) == reply + "<|im_end|>"
        assert mask == [int(owner != NOT_THE_POLICY) for owner in rounds]
        assert rounds[-1] == 2
        assert [step.valid for step in steps] == [True, False, True]
        text = TOKENIZER.decode(ids)
        assert "# Feedback on round 1" in text
        assert "# Feedback on round 3" not in text


def test_ids_are_appended_and_never_written_anew():
    made, sampler, _ = roll()
    for before, after in zip(sampler.prompts, sampler.prompts[1:], strict=False):
        assert all(longer[: len(shorter)] == shorter for shorter, longer in zip(before, after, strict=True))
    last = [prompt + ids for prompt, ids in zip(made["prompt_ids"], made["completion_ids"], strict=True)]
    assert all(whole[: len(asked)] == asked for asked, whole in zip(sampler.prompts[-1], last, strict=True))


def test_a_cut_reply_is_closed_by_the_environment():
    made, _, _ = roll(sampler=Sampler([], cut=True))
    ids, rounds = made["completion_ids"][0], made["round_ids"][0]
    closing = [token for token, owner in zip(ids, rounds, strict=True) if owner == NOT_THE_POLICY]
    assert closing[0] == TOKENIZER.eos_token_id
    assert TOKENIZER.decode(ids).count("<|im_end|>") == 4


def test_the_cap_of_a_round_is_set_for_sampling_only():
    _, sampler, _ = roll()
    assert sampler.caps == [200] * 3
    assert sampler.generation_config.max_new_tokens == 999


def test_a_trajectory_without_room_ends_on_its_own_words():
    full, _, _ = roll()
    length = len(full["prompt_ids"][0]) + full["round_ids"][0].index(1)
    made, sampler, _ = roll(max_tokens=length + 199)
    assert [len(steps) for steps in made["steps"]] == [1] * 6
    assert all(set(rounds) == {0} for rounds in made["round_ids"])
    assert len(sampler.prompts) == 1


def test_a_trajectory_ends_at_a_perfect_round_where_that_is_asked_for():
    made, sampler, _ = roll(early_stop=True)
    assert [len(steps) for steps in made["steps"]] == [1] * 6
    assert len(sampler.prompts) == 1
    made, _, _ = roll(early_stop=True, sampler=Sampler([], replies=[REPLIES[1], REPLIES[0], REPLIES[2]]))
    assert [[step.valid for step in steps] for steps in made["steps"]] == [[False, True]] * 6
    made, _, _ = roll()
    assert [len(steps) for steps in made["steps"]] == [3] * 6


def test_of_several_processes_all_sample_in_every_round():
    made, sampler, _ = roll(early_stop=True, sampler=Sampler([], processes=2))
    assert [len(steps) for steps in made["steps"]] == [1] * 6
    assert [[len(prompt) for prompt in prompts] for prompts in sampler.prompts[1:]] == [[1] * 6] * 2


def test_a_repeated_step_repeats_its_draws_and_another_step_does_not():
    def draws(step):
        _, _, worker = roll(sampler=Sampler([], step=step))
        return sorted(request.draw for request in worker.history)

    assert draws(7) == draws(7)
    assert len(set(draws(7))) == len(draws(7))
    assert not set(draws(7)) & set(draws(8))


@pytest.mark.parametrize(("own", "runs"), [(None, 1), (3, 3)])
def test_each_workflow_is_run_as_often_as_the_recipe_says(own, runs):
    made, _, _ = roll(evaluations=own)
    ran = [step.round.feedback.evaluations for steps in made["steps"] for step in steps if step.valid]
    assert {len(evaluations) for evaluations in ran} == {runs}


def test_no_more_evaluations_run_at_once_than_allowed():
    running, most = 0, 0

    async def slow(_):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        return "def f(x): return x"

    roll(slow, concurrency=2)
    assert most == 2


def test_a_dead_worker_ends_the_rollout():
    asked = 0

    async def dying(_):
        nonlocal asked
        asked += 1
        if asked == 3:
            raise ModelError("the endpoint is gone")
        await asyncio.sleep(0.01)
        return "def f(x): return x"

    with pytest.raises(ModelError, match="gone"):
        roll(dying)
