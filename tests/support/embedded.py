"""Tiny embedded checkpoints for the real runtime: of random weights, which write nonsense, or of one set reply."""

import json
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from flowreasoner.models.embedded.checkpoint import CONFIG, GENERATION, TOKENIZER, WEIGHTS, LlamaConfig

SHAPE = {
    "model_type": "llama",
    "hidden_size": 48,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "tie_word_embeddings": True,
}
_TEXT = ["user\nassistant\nsystem\ndef f(x):\n    return x + 1\n", "Write a function that sorts a list of numbers."]


def tiny_tokenizer() -> Tokenizer:
    """Returns a byte-level BPE with the ChatML marks."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    marks = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=320, special_tokens=marks, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(_TEXT, trainer)
    return tokenizer


def tiny_checkpoint(folder: Path, seed: int = 0, generation: dict | None = None, **changes) -> Path:
    """Writes a checkpoint; `changes` are fields of its configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = tiny_tokenizer()
    shape = {**SHAPE, "vocab_size": tokenizer.get_vocab_size(), **changes}
    random, weights = np.random.default_rng(seed), {}
    for name, size in LlamaConfig.model_validate(shape).shapes().items():
        if len(size) == 1:
            weights[name] = np.ones(size, np.float32)
        else:
            weights[name] = random.integers(-127, 128, size, np.int8)
            weights[f"{name}.scale"] = np.full(size[0], 0.1 / size[1] ** 0.5, np.float32)
    return _write(folder, shape, tokenizer, weights, generation)


def parrot_checkpoint(folder: Path, reply: str) -> Path:
    """Writes a checkpoint that answers everything with one reply.

    The reply is a token of its own. Embeddings are unit vectors and the layer is empty, so that a token decides the
    next: the line break before an answer leads to the reply, and the reply to the end.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = tiny_tokenizer()
    line_break = tokenizer.encode("assistant\n").ids[-1]
    tokenizer.add_tokens([reply])
    size = tokenizer.get_vocab_size() // 4 * 4 + 4
    shape = {**SHAPE, "vocab_size": size, "hidden_size": size, "num_hidden_layers": 1, "tie_word_embeddings": False}
    shape |= {"max_position_embeddings": 16_384, "head_dim": 2}
    weights = {}
    for name, wanted in LlamaConfig.model_validate(shape).shapes().items():
        weights[name] = np.ones(wanted, np.float32) if len(wanted) == 1 else np.zeros(wanted, np.int8)
        if len(wanted) == 2:
            weights[f"{name}.scale"] = np.ones(wanted[0], np.float32)
    np.fill_diagonal(weights["model.embed_tokens.weight"], 1)
    said, end = tokenizer.token_to_id(reply), tokenizer.token_to_id("<|im_end|>")
    weights["lm_head.weight"][[said, end], [line_break, said]] = 100
    return _write(folder, shape, tokenizer, weights)


def _write(folder: Path, shape: dict, tokenizer: Tokenizer, weights: dict, generation: dict | None = None) -> Path:
    np.savez(folder / WEIGHTS, **weights)
    (folder / CONFIG).write_text(json.dumps(shape))
    tokenizer.save(str(folder / TOKENIZER))
    if generation is not None:
        (folder / GENERATION).write_text(json.dumps(generation))
    return folder
