"""Generates replies with a checkpoint of transformers, each from its own stream of random numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
    LogitsProcessor,
    LogitsProcessorList,
    StoppingCriteria,
    StoppingCriteriaList,
)

from flowreasoner.errors import ModelRefused, RequestRefused
from flowreasoner_training.noise import less_noise
from flowreasoner_training.rendering import opened_thought

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence
    from pathlib import Path

__all__ = ["Generator", "Reply"]


@dataclass(frozen=True, slots=True)
class Reply:
    """A generated reply: its text, and the tokens that were read and written."""

    text: str
    read: int
    written: int


class Generator:
    """A loaded checkpoint.

    Args:
        path: Folder of the checkpoint.
        device: ``auto``, or as torch names it.
        dtype: ``auto``, or as torch names it.

    Raises:
        ModelRefused: If it cannot be loaded, or has no chat template.
    """

    def __init__(self, path: Path, device: str, dtype: str) -> None:
        chosen = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
        try:
            with less_noise():
                self.tokenizer = AutoTokenizer.from_pretrained(path)
                model: Any = AutoModelForCausalLM.from_pretrained(path, dtype=dtype)
            self.model = model.to(chosen).eval()
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            raise ModelRefused(f"cannot load the checkpoint {str(path)!r}: {str(error).splitlines()[0]}") from error
        if not self.tokenizer.chat_template:
            raise ModelRefused(f"the checkpoint {str(path)!r} has no chat template; add chat_template.jinja to it")
        self.path = path
        self.ends = self._ends()
        self.pad = next(token for token in (self.tokenizer.pad_token_id, *self.ends, 0) if token is not None)
        self.longest = getattr(self.model.config.get_text_config(), "max_position_embeddings", None) or 1 << 30
        self._opened = opened_thought(self.tokenizer)

    def prompt(self, messages: list[dict[str, str]]) -> list[int]:
        """Returns a conversation as token ids, up to where the reply begins.

        Raises:
            RequestRefused: If the template refuses it, or it leaves no room for a reply.
        """
        try:
            output: Any = self.tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=True)
        except Exception as error:  # templates raise what they like
            raise RequestRefused(
                f"the chat template of {str(self.path)!r} refuses the conversation: {error}"
            ) from error
        ids = list(output["input_ids"])
        if len(ids) >= self.longest:
            raise RequestRefused(
                f"the conversation has {len(ids)} tokens, and the model in {str(self.path)!r} takes {self.longest}"
            )
        return ids

    @torch.inference_mode()
    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        streams: Sequence[random.Random],
        temperature: float,
        top_p: float,
        max_tokens: int,
        stop: Callable[[], bool] = lambda: False,
    ) -> list[Reply]:
        """Generates a reply to each prompt.

        Args:
            prompts: Token ids of B conversations.
            streams: Random numbers for each of them.
            temperature: 0 takes the likeliest token.
            top_p: Share of the probability to sample from.
            max_tokens: Tokens per reply.
            stop: Asked after every token; ends all replies at once.
        """
        if not prompts:
            return []
        width = max(map(len, prompts))
        padded = [[self.pad] * (width - len(prompt)) + list(prompt) for prompt in prompts]
        mask = [[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts]
        room = [min(max_tokens, self.longest - len(prompt)) for prompt in prompts]
        output = self.model.generate(
            input_ids=torch.tensor(padded, device=self.model.device),
            attention_mask=torch.tensor(mask, device=self.model.device),
            generation_config=GenerationConfig(  # type: ignore[no-untyped-call]
                max_new_tokens=max(room),
                do_sample=False,  # the processor below has drawn already
                eos_token_id=self.ends or None,
                pad_token_id=self.pad,
            ),
            logits_processor=LogitsProcessorList([_Draw(streams, temperature, top_p)]),
            stopping_criteria=StoppingCriteriaList([_Room(width, room, stop)]),
        )
        return [
            self._reply(prompt, written[:limit])
            for prompt, written, limit in zip(prompts, output[:, width:].tolist(), room, strict=True)
        ]

    def _reply(self, prompt: Sequence[int], written: list[int]) -> Reply:
        """Cuts a reply at its end; what the template has opened for it is put back in front."""
        end = next((index for index, token in enumerate(written) if token in self.ends), None)
        own = written if end is None else written[:end]
        text = self._opened + str(
            self.tokenizer.decode(own, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        )
        return Reply(text, len(prompt), len(own) + (end is not None))

    def _ends(self) -> list[int]:
        """Returns all tokens that end a reply: the tokenizer's, and those that the checkpoint names."""
        named: Any = self.model.generation_config.eos_token_id
        listed = named if isinstance(named, list) else [named]
        return [token for token in dict.fromkeys([self.tokenizer.eos_token_id, *listed]) if token is not None]


class _Draw(LogitsProcessor):
    """Draws each row's next token with the row's own random numbers, and rules out all others.

    Drawing is by inversion in double precision: of all tokens in the order of the vocabulary, the one in whose share
    of the probability the random number falls.
    """

    def __init__(self, streams: Sequence[random.Random], temperature: float, top_p: float) -> None:
        self.streams, self.temperature, self.top_p = streams, temperature, top_p

    def __call__(self, _: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        """Returns scores of shape (B, V) with one token per row left."""
        if self.temperature <= 0:
            return scores
        shares = torch.softmax(scores.double() / self.temperature, dim=-1)
        if self.top_p < 1:
            shares = _likeliest(shares, self.top_p)
        sums = shares.cumsum(dim=-1)
        points = torch.tensor([[stream.random()] for stream in self.streams], dtype=torch.double, device=sums.device)
        chosen = torch.searchsorted(sums, points * sums[:, -1:], right=True).clamp(max=sums.shape[-1] - 1)
        only = torch.full_like(scores, float("-inf"))
        return only.scatter(1, chosen, 0.0)  # type: ignore[return-value]


def _likeliest(shares: torch.Tensor, top_p: float) -> torch.Tensor:
    """Returns probabilities of shape (B, V) with all but the likeliest tokens set to 0."""
    ordered, order = shares.sort(dim=-1, descending=True, stable=True)
    before = ordered.cumsum(dim=-1) - ordered
    return torch.zeros_like(shares).scatter(1, order, ordered.masked_fill(before >= top_p, 0.0))


class _Room(StoppingCriteria):
    """Ends a reply when its own room is used up, whatever the others have; and all of them when asked to stop."""

    def __init__(self, width: int, room: Sequence[int], stop: Callable[[], bool]) -> None:
        self.width, self.room, self.stop = width, list(room), stop

    def __call__(self, input_ids: torch.LongTensor, *_: Any, **__: Any) -> torch.BoolTensor:
        """Returns which rows are done, of shape (B,)."""
        written = input_ids.shape[1] - self.width
        ended = [self.stop() or written >= room for room in self.room]
        return torch.tensor(ended, device=input_ids.device)  # type: ignore[return-value]
