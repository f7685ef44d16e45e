"""The embedded runtime samples the policy that is trained, as transformers would, and each reply by its own draws."""

from types import SimpleNamespace

import pytest

pytest.importorskip("torch")

import torch
from grpo_runs import lines, recipe, train
from transformers import AutoModelForCausalLM, AutoTokenizer

from flowreasoner.errors import TrainingError
from flowreasoner_training.grpo import train as training
from flowreasoner_training.grpo.sampling import EmbeddedSampling, TrainerSampling

PROMPTS = [[5, 6, 7, 8], list(range(20, 110)), [5, 6, 7]]


def holder(folder):
    """The part of a trainer that holds the policy."""
    model = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager").eval()
    return SimpleNamespace(model=model, accelerator=SimpleNamespace(unwrap_model=lambda model: model))


def embedded(folder, temperature=0.8):
    return EmbeddedSampling(folder, AutoTokenizer.from_pretrained(folder).eos_token_id, temperature)


def test_it_writes_what_transformers_writes(tiny):
    trainer = holder(tiny)
    replies = embedded(tiny, temperature=0)(PROMPTS, 12, 3, trainer)
    for prompt, (ids, logprobs) in zip(PROMPTS, replies, strict=True):
        with torch.no_grad():
            whole = trainer.model.generate(torch.tensor([prompt]), max_new_tokens=12, do_sample=False)
        assert ids == whole[0, len(prompt) :].tolist()
        assert logprobs is None


def test_it_samples_the_weights_of_this_step(tiny):
    trainer, sampling = holder(tiny), embedded(tiny, temperature=0)
    before = sampling(PROMPTS, 12, 3, trainer)
    with torch.no_grad():
        for weight in trainer.model.parameters():
            weight.neg_()
    assert sampling(PROMPTS, 12, 3, trainer) != before


def test_draws_follow_the_seed_and_the_place_alone(tiny):
    trainer, sampling = holder(tiny), embedded(tiny)
    first = sampling(PROMPTS, 12, 3, trainer)
    assert sampling(PROMPTS, 12, 3, trainer) == first
    assert sampling(PROMPTS[:2], 12, 3, trainer) == first[:2]
    assert sampling(PROMPTS, 12, 4, trainer) != first
    same = sampling([PROMPTS[0]] * 4, 12, 3, trainer)
    assert len({tuple(ids) for ids, _ in same}) > 1, "candidates of a group must differ"


def test_frequencies_are_the_policys(tiny):
    trainer = holder(tiny)
    with torch.no_grad():
        trainer.model.get_output_embeddings().weight.mul_(40)  # a random model is nearly uniform
        shares = torch.softmax(trainer.model(torch.tensor([PROMPTS[0]])).logits[0, -1].double() / 0.8, -1)
    drawn = [ids[0] for ids, _ in embedded(tiny)([PROMPTS[0]] * 1500, 1, 3, trainer)]
    counts = torch.bincount(torch.tensor(drawn), minlength=len(shares)) / len(drawn)
    likely = shares.topk(5).indices
    error = (shares * (1 - shares) / len(drawn)).sqrt()
    assert shares[likely[0]] > 0.05
    assert ((counts - shares)[likely].abs() < 4.5 * error[likely]).all()


def test_a_model_of_another_kind_is_refused_with_the_remedy(tiny, tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "qwen2"}')
    with pytest.raises(TrainingError, match=r"model_type must be 'llama', not 'qwen2'; set hardware\.generation to"):
        EmbeddedSampling(tmp_path, 2, 1.0)


def test_the_recipe_chooses(tiny):
    tokenizer, plain = AutoTokenizer.from_pretrained(tiny), recipe()
    hardware = plain.hardware.model_copy(update={"generation": "embedded"})
    chosen = training._sampling(plain.model_copy(update={"hardware": hardware}), tiny, tokenizer)
    assert isinstance(chosen, EmbeddedSampling)
    assert isinstance(training._sampling(plain, tiny, tokenizer), TrainerSampling)


@pytest.mark.slow
def test_a_training_samples_so_and_the_same_again_is_the_same(tiny, tmp_path):
    for name in ("a", "b"):
        made = train(tiny, tmp_path / name, max_steps=2, hardware={"generation": "embedded"})
        assert made.steps == 2
    assert lines(tmp_path / "a") == lines(tmp_path / "b")
    # What was sampled is what is trained: at the first step the ratio of probabilities is 1, and nothing is clipped.
    assert lines(tmp_path / "a")[0]["clip_ratio/region_mean"] == 0
