import json
from dataclasses import replace

import pytest
import torch
from scoreflow_runs import TINY_DPO
from transformers import AutoModelForCausalLM

from flowreasoner.errors import QueryError, TrainingError
from flowreasoner.models import ChatRequest, Message
from flowreasoner_training.baselines.scoreflow.pairs import Pair
from flowreasoner_training.baselines.scoreflow.settings import Dpo
from flowreasoner_training.baselines.scoreflow.train import losses_of, train_on_pairs
from flowreasoner_training.hf_model import HFModel
from flowreasoner_training.recipes.schema import LoraSettings

pytestmark = pytest.mark.slow

PROMPTS = [(Message("user", "Write f."),)]
PAIRS = [Pair(0, "a good one", "", 1.0, 0.0), Pair(0, "a good one", "a bad one", 1.0, 0.5)] * 4


def train(tiny, out, settings=TINY_DPO, seed=0):
    train_on_pairs(tiny, tiny, PROMPTS, PAIRS, settings, seed, out)
    return losses_of(out)


@pytest.mark.parametrize("settings", [TINY_DPO, Dpo(learning_rate=1e-1, dtype="float32"), Dpo(learning_rate=1e-1)])
async def test_the_loss_falls_and_the_folder_is_a_generator(tiny, tmp_path, settings):
    losses = train(tiny, tmp_path / "out", settings)
    assert len(losses) == len(PAIRS) / settings.batch_size
    assert losses[-1] < losses[0] - 0.01
    assert [json.loads(line)["rejected"] for line in (tmp_path / "out" / "pairs.jsonl").read_text().splitlines()] == [
        pair.rejected for pair in PAIRS
    ]
    assert not list(tmp_path.glob("*.part"))
    assert not list((tmp_path / "out").glob("*.bin"))
    before, after = (AutoModelForCausalLM.from_pretrained(folder).state_dict() for folder in (tiny, tmp_path / "out"))
    assert before.keys() == after.keys()
    assert any(not torch.equal(before[name], after[name]) for name in before)
    reply = await HFModel(tmp_path / "out", max_tokens=4).complete(ChatRequest(PROMPTS[0]))
    assert reply.output_tokens


def test_a_training_is_repeated_exactly(tiny, tmp_path):
    first, second, other = (train(tiny, tmp_path / name, seed=seed) for name, seed in (("a", 0), ("b", 0), ("c", 1)))
    assert first == second
    assert first != other
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in "ab"]
    assert weights[0] == weights[1]


def test_what_a_kill_left_is_no_generator(tiny, tmp_path):
    (tmp_path / "out.part").mkdir()
    (tmp_path / "out.part" / "log.jsonl").write_text("half a li")
    train(tiny, tmp_path / "out")
    assert not (tmp_path / "out.part").exists()


def test_a_loss_that_is_no_number_ends_it_and_keeps_nothing(tiny, tmp_path):
    with pytest.raises(TrainingError, match=r"no finite number, and nothing of .* lower learning rate than 1e\+30"):
        train(tiny, tmp_path / "out", replace(TINY_DPO, learning_rate=1e30))
    assert not (tmp_path / "out").exists()


def test_a_generator_that_is_not_there_is_named(tmp_path):
    with pytest.raises(TrainingError, match=r"cannot load the generator '.*nowhere'"):
        train(tmp_path / "nowhere", tmp_path / "out")


def test_the_published_settings():
    made = Dpo()
    assert (made.beta, made.learning_rate, made.batch_size, made.epochs) == (0.1, 1e-6, 1, 1)
    assert (made.lora.rank, made.lora.alpha, made.lora.dropout, made.lora.targets) == (
        8,
        16,
        0.01,
        ("q_proj", "v_proj"),
    )
    with pytest.raises(QueryError, match="4 bits"):
        Dpo(lora=LoraSettings(four_bit=True))
