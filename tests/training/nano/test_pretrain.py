"""The worker's training: only answers are learned, batches keep all examples, an interruption changes nothing."""

import math
import random

import pytest

pytest.importorskip("torch")

import torch

from flowreasoner.errors import TrainingError
from flowreasoner_training.nano.architecture import new_model
from flowreasoner_training.nano.lessons import lessons
from flowreasoner_training.nano.pretrain import _loss, _tensors, batches, encode, pretrain
from flowreasoner_training.nano.tokenizer import make_tokenizer
from flowreasoner_training.recipes.schema import NanoModel, NanoSettings

SHAPE = NanoModel(width=32, layers=1, vocabulary=600, positions=1024)
SETTINGS = NanoSettings(worker=SHAPE, learning_rate=3e-3, batch_tokens=600)
TAUGHT = list(lessons(1, 500))
TOKENIZER = make_tokenizer([text for lesson in TAUGHT[:100] for text in (lesson.prompt, lesson.answer)], [], 600)
EXAMPLES = [encode(TOKENIZER, lesson.prompt, lesson.answer) for lesson in TAUGHT]
EXAMPLES = [example for example in EXAMPLES if len(example.ids) < 600]


class Killed(Exception):
    pass


def train(folder, stop_at=None, settings=SETTINGS, examples=EXAMPLES):
    model, losses = new_model(TOKENIZER, SHAPE, 0), {}

    def report(step, steps, loss):
        losses[step] = loss
        if step == stop_at:
            raise Killed

    try:
        pretrain(model, examples, settings, seed=0, checkpoint=folder / "state.pt", report=report)
    except Killed:
        return losses, None
    return losses, model


def test_an_example_is_the_conversation_that_the_template_renders():
    lesson = TAUGHT[0]
    turns = [{"role": "user", "content": lesson.prompt}, {"role": "assistant", "content": lesson.answer}]
    rendered = TOKENIZER.apply_chat_template(turns, return_dict=False)
    example = encode(TOKENIZER, lesson.prompt, lesson.answer)
    assert list(example.ids) == rendered[: len(example.ids)]
    asked = TOKENIZER.apply_chat_template(turns[:1], add_generation_prompt=True, return_dict=False)
    assert example.asked == len(asked)


def test_the_loss_is_that_of_transformers_over_the_answers():
    model = new_model(TOKENIZER, SHAPE, 0)
    ids, labels = _tensors(EXAMPLES[:7], TOKENIZER.pad_token_id)
    expected = model(input_ids=ids, labels=labels, use_cache=False).loss
    torch.testing.assert_close(_loss(model, ids, labels), expected)
    assert (labels != -100).sum() < ids.numel() / 2, "most tokens are questions"


def test_every_example_is_in_one_batch_and_batches_keep_their_size():
    made = list(batches(EXAMPLES, 600, random.Random(0)))
    assert sorted(example.ids for batch in made for example in batch) == sorted(example.ids for example in EXAMPLES)
    assert all(len(batch) * max(len(example.ids) for example in batch) <= 600 for batch in made if len(batch) > 1)


def test_only_the_answer_is_learned():
    ids, labels = _tensors(EXAMPLES[:3], 0)
    for row, example in enumerate(EXAMPLES[:3]):
        kept = labels[row] != -100
        assert kept.sum() == len(example.ids) - example.asked
        assert not kept[: example.asked].any()
        assert torch.equal(labels[row][kept], ids[row][kept])


@pytest.mark.slow
def test_the_loss_falls_and_an_interruption_changes_nothing(tmp_path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    whole.mkdir()
    cut.mkdir()
    losses, model = train(whole)
    assert sum(list(losses.values())[-10:]) < 0.7 * sum(list(losses.values())[:10])
    before, _ = train(cut, stop_at=130)
    after, again = train(cut)
    assert min(after) == 101  # from the last saved step
    assert {**before, **after} == losses
    for name, weights in model.state_dict().items():
        assert torch.equal(weights, again.state_dict()[name])


def test_a_loss_that_is_no_number_ends_the_training(tmp_path):
    with pytest.raises(TrainingError, match=r"step \d+ is nan; lower nano.learning_rate"):
        train(tmp_path, settings=SETTINGS.model_copy(update={"learning_rate": math.inf}), examples=EXAMPLES[:40])
