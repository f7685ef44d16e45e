"""Low-rank adapters and weights in 4 bits, as a recipe's model section sets them, for SFT and GRPO alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from peft import LoraConfig
    from transformers import BitsAndBytesConfig

    from flowreasoner_training.recipes.schema import ModelSettings

__all__ = ["four_bit_config", "lora_config"]


def lora_config(model: ModelSettings) -> LoraConfig | None:
    """Returns PEFT's settings for new adapters; None when all weights are trained."""
    if model.lora is None:
        return None
    from peft import LoraConfig

    lora = model.lora
    return LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=lora.targets if isinstance(lora.targets, str) else list(lora.targets),
        task_type="CAUSAL_LM",
    )


def four_bit_config(model: ModelSettings) -> BitsAndBytesConfig | None:
    """Returns the settings of frozen weights in 4 bits (QLoRA), or None."""
    if model.lora is None or not model.lora.four_bit:
        return None
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(  # type: ignore[no-untyped-call]
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=getattr(torch, model.dtype),
    )
