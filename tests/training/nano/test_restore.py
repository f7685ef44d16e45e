import numpy as np
import pytest

pytest.importorskip("torch", reason="restored checkpoints are torch's: the extra train")

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from flowreasoner.errors import ModelRefused
from flowreasoner.models.embedded import PAIR
from flowreasoner.models.embedded.checkpoint import load_checkpoint
from flowreasoner_training.nano.export import export_embedded
from flowreasoner_training.nano.restore import restore_embedded
from flowreasoner_training.nano.tokenizer import CHAT_TEMPLATE, make_tokenizer

SHIPPED = PAIR / "meta_agent"


def test_a_restored_checkpoint_is_what_it_was_exported_from(tmp_path):
    restore_embedded(SHIPPED, tmp_path / "hf")
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "hf")
    for name, value in load_checkpoint(SHIPPED).weights.items():
        assert torch.equal(model.state_dict()[name], torch.tensor(value)), name
    assert model.generation_config.top_k == 0
    export_embedded(tmp_path / "hf", tmp_path / "again")
    first, again = (np.load(folder / "weights.npz") for folder in (SHIPPED, tmp_path / "again"))
    assert all(np.array_equal(first[name], again[name]) for name in first if first[name].dtype == np.int8)


def test_its_tokenizer_is_that_of_training(tmp_path):
    restore_embedded(SHIPPED, tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    made = make_tokenizer(["a few words"], [], 300)
    assert tokenizer.chat_template == CHAT_TEMPLATE
    for name in ("pad_token", "eos_token", "padding_side", "clean_up_tokenization_spaces"):
        assert getattr(tokenizer, name) == getattr(made, name)
    rendered = tokenizer.apply_chat_template([{"role": "user", "content": "a"}], add_generation_prompt=True)
    assert tokenizer.eos_token_id in rendered["input_ids"]


def test_what_is_no_checkpoint_is_refused(tmp_path):
    with pytest.raises(ModelRefused, match=r"config\.json"):
        restore_embedded(tmp_path, tmp_path / "out")
