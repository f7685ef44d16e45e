import inspect
import math
import random

import grpo_reference as reference
import pytest
import torch
from fake_sandbox import FakeSandbox
from grpo_runs import plugins, queries, recipe
from tiny_model import tiny_model
from transformers import GenerationMixin
from trl import GRPOTrainer

from flowreasoner.models import FunctionModel
from flowreasoner_training.grpo.advantages import spread_over_tokens
from flowreasoner_training.grpo.background import BackgroundLoop
from flowreasoner_training.grpo.queries import QueryRows
from flowreasoner_training.grpo.train import make_trainer
from flowreasoner_training.grpo.trainer import RELIED_ON, NotFinite


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def trainer(model, tmp_path):
    made = []

    def make(**settings):
        asked, worker = recipe(**settings), FunctionModel(lambda _: "def f(x): return x")
        known = plugins()
        rows = QueryRows(asked, queries(), lambda _: worker, FakeSandbox(), known.operators, known.reward_terms)
        loop = BackgroundLoop().__enter__()
        made.append(loop)
        here = make_trainer(asked, model, rows, tmp_path / "out", loop, ())
        here.model.train()
        return here

    yield make
    for loop in made:
        loop.__exit__(None, None, None)


def test_what_is_relied_on_is_there():
    assert [name for name in RELIED_ON if not callable(getattr(GRPOTrainer, name, None))] == []
    source = inspect.getsource(GRPOTrainer)
    for assumed in (
        "if advantages.dim() == 1:",  # advantages may be (B, T)
        'extra_fields.pop("env_mask", None)',
        'completion_mask * inputs["tool_mask"]',
        "inp[key] = values[i]",  # extra fields of the rollouts reach the rows
        "self._metrics[mode]",
        "self.generation_config = GenerationConfig(",
        "self._generate(prompts)",
    ):
        assert assumed in source
    assert "_previous_max_cache_length" in inspect.getsource(GenerationMixin._prepare_static_cache)
    assert "num_generations" in inspect.signature(GRPOTrainer._generate_single_turn).parameters


def cases(seed, beta):
    """Random trajectories as lists: log-probabilities, advantages of rounds, and the policy's tokens."""
    draw = random.Random(seed)
    written = [[1, 1, 1, 0, 1, 1, 0, 1], [1, 0, 0, 1, 1, 1, 1, 1], [1, 1, 0, 1, 1, 0, 0, 0]]
    rounds = [reference.rounds_of_tokens(mask) for mask in written]
    per_round = [[draw.uniform(-3, 3) for _ in range(4)] for _ in written]
    spread = [[0.0 if n < 0 else line[n] for n in row] for line, row in zip(per_round, rounds, strict=True)]
    new = [[draw.uniform(-3, -0.1) for _ in row] for row in written]
    old = [[value + draw.uniform(-0.5, 0.5) for value in row] for row in new]
    ref = [[value + draw.uniform(-0.5, 0.5) for value in row] for row in new]
    return new, old, ref, spread, written, rounds, per_round


def batch(ref, old, written, rounds, per_round):
    number = {"dtype": torch.float64}
    advantages = spread_over_tokens(torch.tensor(per_round, **number), torch.tensor(rounds))
    mask = torch.ones(len(written), len(written[0]), dtype=torch.long)
    ids = {"prompt_ids": mask[:, :2], "completion_ids": mask, "prompt_mask": mask[:, :2], "completion_mask": mask}
    return {
        **ids,
        "tool_mask": torch.tensor(written),
        "advantages": advantages,
        "old_per_token_logps": torch.tensor(old, **number),
        "ref_per_token_logps": torch.tensor(ref, **number),
        "token_rounds": torch.tensor(rounds),
    }


@pytest.mark.parametrize("beta", [0.0, 0.1])
@pytest.mark.parametrize("seed", range(3))
def test_trls_objective_is_equation_3_in_value_and_gradient(trainer, monkeypatch, seed, beta):
    here = trainer(rounds=4, beta=beta, micro_batch=6)
    new, old, ref, spread, written, rounds, per_round = cases(seed, beta)
    leaf = torch.tensor(new, dtype=torch.float64, requires_grad=True)
    given = (leaf, torch.zeros_like(leaf), None)
    monkeypatch.setattr(GRPOTrainer, "_get_per_token_logps_and_entropies", lambda *_, **__: given)
    here.current_gradient_accumulation_steps = 1
    loss = here._compute_loss(here.model, batch(ref, old, written, rounds, per_round))
    loss.backward()
    rest = (old, ref, spread, written, 0.2, beta)
    assert -loss.item() == pytest.approx(reference.objective(new, *rest), abs=1e-12)
    slopes = torch.tensor(reference.gradient(new, *rest), dtype=torch.float64)
    torch.testing.assert_close(-leaf.grad, slopes, atol=1e-7, rtol=1e-6)
    environment = torch.tensor(written) == 0
    assert not leaf.grad[environment].any()
    assert leaf.grad[~environment].any()


def test_what_only_pads_a_batch_is_not_computed_and_changes_nothing(trainer):
    here = trainer(rounds=4, micro_batch=6)
    lengths, prompt, longest = [3, 9, 4, 12], 5, 12
    ids = torch.randint(5, 200, (4, prompt + longest), generator=torch.Generator().manual_seed(0))
    mask = torch.tensor([[1] * (prompt + length) + [0] * (longest - length) for length in lengths])
    widths = []
    hook = here.model.register_forward_pre_hook(
        lambda _, given, named: widths.append(named["input_ids"].shape[1]), with_kwargs=True
    )
    found = {}
    for name, compute in (
        ("TRL's", lambda *a, **k: GRPOTrainer._get_per_token_logps_and_entropies(here, *a, **k)),
        ("ours", here._get_per_token_logps_and_entropies),
    ):
        here.model.zero_grad()
        logprobs, entropies, _ = compute(here.model, ids, mask, longest, batch_size=2, compute_entropy=True)
        written = mask[:, prompt:].bool()
        (logprobs * written).sum().backward()
        gradient = torch.cat([value.grad.flatten() for value in here.model.parameters()])
        found[name] = logprobs[written], entropies[written], gradient
        assert logprobs.shape == (4, longest)
    hook.remove()
    assert widths == [17, 17, prompt + 9, prompt + 12]
    for theirs, own in zip(found["TRL's"], found["ours"], strict=True):
        torch.testing.assert_close(own, theirs, rtol=1e-5, atol=1e-6)


def test_the_divergence_of_each_round_is_noted(trainer, monkeypatch):
    here = trainer(rounds=4, beta=0.1, micro_batch=6)
    new, old, ref, _, written, rounds, per_round = cases(0, 0.1)
    given = (torch.tensor(new, dtype=torch.float64), torch.zeros(3, 8), None)
    monkeypatch.setattr(GRPOTrainer, "_get_per_token_logps_and_entropies", lambda *_, **__: given)
    here.current_gradient_accumulation_steps = 1
    here._compute_loss(here.model, batch(ref, old, written, rounds, per_round))
    for number in range(4):
        gaps = [
            lp_ref - lp
            for lines in zip(new, ref, rounds, strict=True)
            for lp, lp_ref, owner in zip(*lines, strict=True)
            if owner == number
        ]
        found = here._metrics["train"][f"round_{number + 1}/kl"][-1]
        if gaps:
            assert found == pytest.approx(math.fsum(math.exp(gap) - gap - 1 for gap in gaps) / len(gaps))
        else:
            assert math.isnan(found)


def scored(here):
    rows = [dict(here.train_dataset[index]) for index in (0, 1) for _ in range(3)]
    return rows, here._generate_and_score_completions(rows)


def test_each_round_carries_the_advantage_of_the_reference(trainer):
    rows, made = scored(trainer(rounds=3, excluded_rounds=1, beta=0.0))
    for first in (0, 3):
        group = rows[first : first + 3]
        rewards = [[step.reward for step in row["steps"]] for row in group]
        valid = [[step.valid for step in row["steps"]] for row in group]
        expected = reference.advantages(rewards, valid, 1.1, 1)
        for place, row in enumerate(group):
            spread = [0.0 if owner < 0 else expected[place][owner] for owner in row["round_ids"]]
            found = made["advantages"][first + place]
            torch.testing.assert_close(found[: len(spread)], torch.tensor(spread), atol=1e-4, rtol=1e-4)
            assert not found[len(spread) :].any()
    assert len({step.reward for row in rows for step in row["steps"]}) > 3


def test_outcome_advantages_are_what_trl_itself_computes(trainer, monkeypatch):
    own = []
    real = GRPOTrainer._generate_and_score_completions

    def kept(self, inputs):
        made = real(self, inputs)
        own.append(made["advantages"])
        return made

    monkeypatch.setattr(GRPOTrainer, "_generate_and_score_completions", kept)
    rows, made = scored(trainer(rounds=3, advantage="outcome", beta=0.0))
    for row, found, trl in zip(rows, made["advantages"], own[0], strict=True):
        written = torch.tensor(row["round_ids"]) >= 0
        assert trl.item() != 0
        torch.testing.assert_close(found[: len(written)], trl * written, atol=1e-5, rtol=1e-5)


def test_what_happened_is_noted_round_by_round(trainer):
    here = trainer(rounds=2, beta=0.0)
    rows, _ = scored(here)
    noted = {name: values[-1] for name, values in here._metrics["train"].items()}
    for number in (1, 2):
        rewards = [row["steps"][number - 1].reward for row in rows]
        assert noted[f"round_{number}/reward"] == pytest.approx(sum(rewards) / len(rewards), abs=1e-6)
        assert noted[f"round_{number}/vowels"] == pytest.approx(noted[f"round_{number}/reward"], abs=1e-6)
        assert noted[f"round_{number}/valid"] == 0
        assert noted[f"round_{number}/tokens"] <= 8
        assert {f"round_{number}/{name}" for name in ("calls", "usd", "score", "advantage_mean", "advantage_std")} <= {
            *noted
        }


def test_a_gradient_that_is_no_number_stops_before_the_step(trainer):
    here = trainer()
    here.create_optimizer_and_scheduler(1)
    for parameter in here.model.parameters():
        parameter.grad = torch.full_like(parameter, math.nan)
    with pytest.raises(NotFinite, match="gradient"):
        here._get_grad_norm(here.model)
