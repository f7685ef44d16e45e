"""What stands between two replies of the policy, as token ids.

A rollout only ever appends ids. Rendering the whole conversation anew would write the policy's tokens differently
than it sampled them, and some templates delete earlier thoughts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowreasoner.errors import TrainingError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

__all__ = ["FeedbackTurns"]

_REPLY = "REPLY-OF-THE-POLICY"


class FeedbackTurns:
    """Renders feedback as the template's end of a reply, a user message, and the beginning of the next reply.

    Args:
        tokenizer: With the chat template that the policy was fine-tuned with.

    Raises:
        TrainingError: If the tokenizer has no template, or one that drops replies.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer = tokenizer
        self._specials = sorted(_special_texts(tokenizer), key=len, reverse=True)
        if not tokenizer.chat_template:
            raise TrainingError(
                "the model's tokenizer has no chat template; name one in the recipe, as model.chat_template"
            )
        self.ids("probe")

    def ids(self, feedback: str, last: int | None = None) -> list[int]:
        """Returns the ids that follow a reply.

        Args:
            feedback: The user message.
            last: The last id that the policy wrote; where it ended its turn itself, the end is not repeated.
        """
        messages = [
            {"role": "user", "content": "a task"},
            {"role": "assistant", "content": _REPLY},
            {"role": "user", "content": self._harmless(feedback)},
        ]
        text = self._tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        _, found, after = str(text).partition(_REPLY)
        if not found:
            raise TrainingError(
                "the model's chat template leaves out what the assistant said before; "
                "set model.chat_template to one that keeps it, e.g. r1-distill"
            )
        ids = list(self._tokenizer(after, add_special_tokens=False)["input_ids"])
        return ids[1:] if ids[:1] == [last] else ids

    def _harmless(self, text: str) -> str:
        """Breaks special tokens that feedback quotes: a worker's output must not open a turn of its own."""
        for special in self._specials:
            text = text.replace(special, f"{special[0]} {special[1:]}")
        return text


def _special_texts(tokenizer: PreTrainedTokenizerBase) -> set[str]:
    """Returns the tokens that structure a conversation: special ones, and those that the template writes.

    A tokenizer may have other added tokens, which stand for ordinary text and must stay as training showed them.
    """
    added = tokenizer.added_tokens_decoder.values()
    structural = (str(token) for token in added if token.special or str(token) in str(tokenizer.chat_template))
    return {text for text in (*tokenizer.all_special_tokens, *structural) if len(text) > 1}
