import inspect
from dataclasses import replace

import numpy as np
import pytest
import score_dpo
import torch
from scoreflow_runs import TINY_DPO
from tiny_model import tiny_model
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import DPOConfig, DPOTrainer

from flowreasoner.models import Message
from flowreasoner_training.baselines.scoreflow.pairs import Pair
from flowreasoner_training.baselines.scoreflow.settings import PUBLISHED_LORA
from flowreasoner_training.baselines.scoreflow.train import make_trainer
from flowreasoner_training.baselines.scoreflow.trainer import RELIED_ON, ScoreDPOTrainer
from flowreasoner_training.rendering import render, use_training_template

PROMPTS = [(Message("system", "Design."), Message("user", "Add numbers.")), (Message("user", "Sort a list of words."),)]
PAIRS = [Pair(0, "call it twice", "no", 1.0, 0.25), Pair(1, "sort", "reverse and then sort", 0.5, 0.0)]
SCORES = [1.0, 0.5], [0.25, 0.0]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return [tiny_model(tmp_path_factory.mktemp(f"tiny{seed}"), seed) for seed in (0, 1)]


def trainer(policy, reference, out, **settings):
    made = make_trainer(policy, reference, PROMPTS, PAIRS, replace(TINY_DPO, **settings), 0, out)
    made.model.train()
    return made


def batch(here):
    return here.data_collator([here.train_dataset[index] for index in range(len(PAIRS))])


def sums(folder):
    """Log-probabilities of the replies, chosen and rejected, by rendering and the plain model alone; and the model."""
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)
    use_training_template(tokenizer)

    def of(pair, reply):
        messages = [{"role": message.role, "content": message.content} for message in PROMPTS[pair.query]]
        rendered = render(tokenizer, [*messages, {"role": "assistant", "content": reply}])
        shares = model(torch.tensor([rendered.input_ids])).logits[0].log_softmax(-1)
        own = [place for place, mask in enumerate(rendered.mask) if mask]
        return sum(shares[place - 1, rendered.input_ids[place]] for place in own)

    chosen = torch.stack([of(pair, pair.chosen) for pair in PAIRS])
    return chosen, torch.stack([of(pair, pair.rejected) for pair in PAIRS]), model


def test_what_is_relied_on_is_there():
    assert [name for name in RELIED_ON if not callable(getattr(DPOTrainer, name, None))] == []
    for method in RELIED_ON:
        source = inspect.getsource(getattr(DPOTrainer, method))
        assert "log_probs" in source
        assert "labels=labels, fused_lm_head=True" in source  # named arguments only
    source = inspect.getsource(DPOTrainer._compute_loss)
    assert "logps = per_token_logps.sum(dim=1)" in source
    assert 'inputs["ref_chosen_logps"], inputs["ref_rejected_logps"]' in source
    assert "chosen_logps, rejected_logps = logps.chunk(2, dim=0)" in source
    assert "per_sequence_loss = -F.logsigmoid(self.beta * delta_score)" in source


def test_the_reference_loss_is_the_formula_on_a_worked_example():
    given = ([-1.0], [-4.0], [-2.0], [-3.0], [1.0], [0.25])
    assert score_dpo.margins(*given) == pytest.approx([1 * 1 - 0.75 * -1])
    assert score_dpo.loss(*given, beta=0.1) == pytest.approx(-np.log(1 / (1 + np.exp(-0.175))))
    ordinary = (*given[:4], [1.0], [0.0])
    assert score_dpo.margins(*ordinary) == pytest.approx([2.0])  # DPO itself


def test_the_gradient_is_that_of_finite_differences():
    draw = np.random.default_rng(0)
    chosen, rejected, *references = draw.normal(-20, 5, (4, 6))
    scores = draw.uniform(0.5, 1, 6), draw.uniform(0, 0.5, 6)
    by_chosen, by_rejected = score_dpo.gradient(chosen, rejected, *references, *scores, beta=0.1)
    for index in range(6):
        for place, expected in enumerate((by_chosen, by_rejected)):
            moved = [[chosen.copy(), rejected.copy()] for _ in range(2)]
            moved[0][place][index] += 1e-5
            moved[1][place][index] -= 1e-5
            up, down = (score_dpo.loss(*both, *references, *scores, beta=0.1) for both in moved)
            assert (up - down) / 2e-5 == pytest.approx(expected[index], abs=1e-9)
    assert (by_chosen < 0).all()
    assert (by_rejected > 0).all()


def test_the_trainers_loss_and_gradient_are_the_formulas(folders, tmp_path):
    start, policy = folders
    here = trainer(policy, start, tmp_path)
    loss = here.compute_loss(here.model, batch(here))
    chosen, rejected, plain = sums(policy)
    references = [value.detach().numpy() for value in sums(start)[:2]]
    given = (chosen.detach().numpy(), rejected.detach().numpy(), *references, *SCORES)
    assert loss.item() == pytest.approx(score_dpo.loss(*given, beta=0.1), rel=1e-5)
    assert abs(loss.item() - np.log(2)) > 1e-3  # the two models differ
    loss.backward()
    slopes = [torch.tensor(value) for value in score_dpo.gradient(*given, beta=0.1)]
    (slopes[0] @ chosen.double() + slopes[1] @ rejected.double()).backward()
    expected = dict(plain.named_parameters())
    for name, value in here.model.named_parameters():
        torch.testing.assert_close(value.grad, expected[name].grad, rtol=1e-3, atol=1e-6)


def test_a_generator_that_is_its_own_reference_has_the_loss_of_even_odds(folders, tmp_path):
    here = trainer(folders[0], folders[0], tmp_path)
    assert here.compute_loss(here.model, batch(here)).item() == pytest.approx(np.log(2), abs=1e-6)


def test_new_adapters_leave_the_reference_as_it_is(folders, tmp_path):
    here = trainer(folders[0], folders[0], tmp_path, lora=PUBLISHED_LORA)
    chosen, rejected, _ = sums(folders[0])
    weights = torch.tensor([*SCORES[0], *(1 - score for score in SCORES[1])])
    found = [*here.train_dataset["ref_chosen_logps"], *here.train_dataset["ref_rejected_logps"]]
    assert found == pytest.approx((weights * torch.cat([chosen, rejected]).detach()).tolist(), rel=1e-4)
    assert here.compute_loss(here.model, batch(here)).item() == pytest.approx(np.log(2), abs=1e-6)
    trained = [name for name, value in here.model.named_parameters() if value.requires_grad]
    assert trained
    assert all("lora" in name and ("q_proj" in name or "v_proj" in name) for name in trained)


def test_the_reference_must_be_computed_before():
    with pytest.raises(ValueError, match="precompute_ref_log_probs"):
        ScoreDPOTrainer(args=DPOConfig(output_dir="out", report_to="none", bf16=False))
