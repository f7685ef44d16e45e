"""Tokenizers of the miniature's models: byte-pair encoding over what they read and write, and a ChatML template.

Fixed sentences of the product's prompts become one token each, so that a prompt of a thousand words costs a small
model a few dozen positions. Encoding stays lossless: whatever is new falls back to ordinary pieces and bytes.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["CHAT_TEMPLATE", "END", "START", "chat_tokenizer", "frequent_sentences", "make_tokenizer"]

START, END, PADDING = "<|im_start|>", "<|im_end|>", "<|pad|>"
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' }}"
    "{% if message['role'] == 'assistant' %}"
    "{% generation %}{{ message['content'] + '<|im_end|>' }}{% endgeneration %}{{ '\\n' }}"
    "{% else %}{{ message['content'] + '<|im_end|>\\n' }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
"""ChatML, with the marks that tell TRL which words are the assistant's."""

_PIECES = Regex(r" ?[A-Za-z_]+|[0-9]| ?[^\sA-Za-z0-9_]+|\s+")
_LEAST_LETTERS = 24
_SHARE = 0.03


def frequent_sentences(prompts: Iterable[str]) -> list[str]:
    """Returns the stretches of text that many prompts share, longest first.

    Args:
        prompts: Messages that a model will read; a stretch ends at a line's end, a backtick or a tag.
    """
    counts: Counter[str] = Counter()
    total = 0
    for prompt in prompts:
        total += 1
        counts.update({part.strip() for part in re.split(r"[`\n]|<|>", prompt) if len(part.strip()) >= _LEAST_LETTERS})
    return sorted((part for part, count in counts.items() if count >= max(2, _SHARE * total)), key=len, reverse=True)


def make_tokenizer(texts: Sequence[str], sentences: Sequence[str], size: int) -> PreTrainedTokenizerFast:
    """Trains a tokenizer.

    Args:
        texts: What the model reads and writes, without the sentences.
        sentences: Stretches of text that become one token each.
        size: Tokens in all, the sentences included.

    Returns:
        The tokenizer, with template, padding and end set.
    """
    special = [PADDING, START, END]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(_PIECES, "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size - len(sentences),
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    cut = re.compile("|".join(map(re.escape, sentences)) or r"(?!)")
    tokenizer.train_from_iterator((part for text in texts for part in cut.split(text)), trainer)
    tokenizer.add_tokens([AddedToken(sentence, normalized=False) for sentence in sentences])
    return chat_tokenizer(tokenizer)


def chat_tokenizer(tokenizer: Tokenizer) -> PreTrainedTokenizerFast:
    """Returns a tokenizer of the miniature's with its chat template, padding and end set."""
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        chat_template=CHAT_TEMPLATE,
        pad_token=PADDING,
        eos_token=END,
        additional_special_tokens=[START],
        padding_side="left",
        clean_up_tokenization_spaces=False,
    )
