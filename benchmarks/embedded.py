"""The embedded runtime against `transformers` on the same weights: tokens per second at several batch sizes.

Makes a Llama of about 3 million random weights, exports it to eight bits, and lets both sample replies of a set
length to the same prompts: the runtime as concurrent requests, transformers as one padded batch. Both on one thread.

    python benchmarks/embedded.py [--tokens 64] [--repeats 3] [--json]

Exits with 1 if a target is missed: 1,000 tokens/s with 32 requests at once, and every answer the same as alone.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # read when NumPy is loaded

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
import transformers

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from embedded import tiny_tokenizer

from flowreasoner.models import ChatRequest
from flowreasoner.models.embedded.model import EmbeddedModel
from flowreasoner_training.nano.export import export_embedded

SIZES = (1, 8, 32)
PROMPT = "Write a function that sorts a list of numbers. "


def make_model(folder: Path) -> tuple[transformers.LlamaForCausalLM, EmbeddedModel]:
    """Returns the same random weights for both."""
    tokenizer = tiny_tokenizer()
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=1024,
        hidden_size=224,
        intermediate_size=608,
        num_hidden_layers=5,
        num_attention_heads=7,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=None,
        pad_token_id=0,
    )
    model = transformers.LlamaForCausalLM(config).eval()
    model.save_pretrained(folder / "hf")
    tokenizer.save(str(folder / "hf" / "tokenizer.json"))
    export_embedded(folder / "hf", folder / "embedded")
    return model, EmbeddedModel(folder / "embedded")


async def run_embedded(embedded: EmbeddedModel, requests: list[ChatRequest]) -> list[str]:
    """Returns the replies to concurrent requests."""
    return [reply.text for reply in await asyncio.gather(*(embedded.complete(request) for request in requests))]


def run_transformers(model: transformers.LlamaForCausalLM, prompts: list[list[int]], tokens: int) -> None:
    """Samples one batch of prompts, padded on the left."""
    longest = max(map(len, prompts))
    ids = torch.tensor([[0] * (longest - len(prompt)) + prompt for prompt in prompts])
    mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    model.generate(ids, attention_mask=mask, do_sample=True, max_new_tokens=tokens, min_new_tokens=tokens)


def measure(folder: Path, tokens: int, repeats: int) -> dict[str, Any]:
    """Returns tokens per second of both by batch size, and whether concurrent answers were those given alone."""
    model, embedded = make_model(folder)
    embedded = EmbeddedModel(folder / "embedded", max_tokens=tokens)
    embedded._runtime.batcher.end = -1  # replies of random weights would end early
    rates: dict[str, Any] = {}
    same = True
    for size in SIZES:
        times: dict[str, list[float]] = {"embedded": [], "transformers": []}
        for repeat in range(repeats):
            requests = [
                ChatRequest.ask(PROMPT * 4 + f"{size} {repeat} {index}", draw=str(index)) for index in range(size)
            ]
            prompts = [embedded.tokens(request.messages) for request in requests]
            start = time.perf_counter()
            replies = asyncio.run(run_embedded(embedded, requests))
            times["embedded"].append(time.perf_counter() - start)
            start = time.perf_counter()
            run_transformers(model, prompts, tokens)
            times["transformers"].append(time.perf_counter() - start)
            same = same and replies[:2] == [asyncio.run(run_embedded(embedded, [item]))[0] for item in requests[:2]]
        found = {name: size * tokens / statistics.median(taken) for name, taken in times.items()}
        rates[str(size)] = {**found, "ratio": found["embedded"] / found["transformers"]}
    return {"parameters": model.num_parameters(), "tokens_per_second": rates, "same_alone": same}


def main() -> None:
    """Measures, prints, and compares with the targets."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        result = measure(Path(folder), given.tokens, given.repeats)
    if given.json:
        print(json.dumps(result))
    else:
        print(f"{result['parameters'] / 1e6:.1f} million parameters, one thread")
        for size, rate in result["tokens_per_second"].items():
            print(
                f"{size:>3} at once: {rate['embedded']:6,.0f} tokens/s embedded, {rate['transformers']:6,.0f} "
                f"transformers: {rate['ratio']:.2f} times"
            )
        print(f"answers the same as alone: {'yes' if result['same_alone'] else 'NO'}")
    fast = result["tokens_per_second"]["32"]["embedded"] >= 1_000
    raise SystemExit(0 if fast and result["same_alone"] else 1)


if __name__ == "__main__":
    main()
