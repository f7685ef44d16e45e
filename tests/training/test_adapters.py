"""Adapters are set the same way for SFT and GRPO."""

import pytest

pytest.importorskip("peft")

import torch

from flowreasoner_training.adapters import four_bit_config, lora_config
from flowreasoner_training.recipes.schema import LoraSettings, ModelSettings


def test_without_adapters_there_are_no_settings():
    model = ModelSettings(name="m")
    assert lora_config(model) is None
    assert four_bit_config(model) is None


def test_a_recipe_s_adapters_reach_peft():
    made = lora_config(ModelSettings(name="m", lora=LoraSettings(rank=8, alpha=16, targets=("q_proj", "v_proj"))))
    assert (made.r, made.lora_alpha, made.target_modules) == (8, 16, {"q_proj", "v_proj"})
    assert lora_config(ModelSettings(name="m", lora=LoraSettings())).target_modules == "all-linear"


def test_four_bits_are_computed_with_in_the_model_s_format():
    assert four_bit_config(ModelSettings(name="m", lora=LoraSettings())) is None
    made = four_bit_config(ModelSettings(name="m", lora=LoraSettings(four_bit=True)))
    assert made.load_in_4bit
    assert made.bnb_4bit_compute_dtype == torch.bfloat16
