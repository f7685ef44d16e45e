"""Renders trajectories to token ids and a mask: the meta-agent's words are trained on, feedback never is (§4.1).

Thoughts of earlier turns stay. Where a model's chat template deletes them, as R1-distill's does, or does not
mark the assistant's words, TRL's training version of it takes its place; it is saved with the trained model.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowreasoner.errors import TrainingError
from flowreasoner.text import shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Rendered", "opened_thought", "render", "use_training_template"]

_PROBE = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]
_NO_THOUGHT = "<think>\n\n</think>\n\n"


@dataclass(frozen=True, slots=True)
class Rendered:
    """A conversation as tokens.

    Attributes:
        input_ids: Token ids, of length T.
        mask: 1 for a token that is trained on, else 0; of length T.
    """

    input_ids: list[int]
    mask: list[int]

    @property
    def labels(self) -> list[int]:
        """Targets of length T: the token's id, or -100 where nothing is learned."""
        return [token if own else -100 for token, own in zip(self.input_ids, self.mask, strict=True)]


def use_training_template(tokenizer: Any, template: Path | str = "own") -> None:
    """Gives a tokenizer a chat template that keeps all turns whole and marks the assistant's words.

    Args:
        tokenizer: A fast tokenizer of transformers; it is changed.
        template: ``own`` for the model's, in TRL's training version where it lacks the marks; ``r1-distill``;
            or a file with a template.

    Raises:
        TrainingError: If there is no such template, or it does not train the end of a turn.
    """
    from trl import chat_template_utils as known

    if isinstance(template, Path):
        try:
            tokenizer.chat_template = template.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise TrainingError(f"cannot read the chat template {str(template)!r}: {error}") from None
    elif template == "r1-distill":
        tokenizer.chat_template = known.deepseek_r1_distill_training_chat_template
    if not tokenizer.chat_template:
        raise TrainingError(
            f"the tokenizer of {_name(tokenizer)} has no chat template; name a file with one as model.chat_template"
        )
    if not known.has_generation_markers(tokenizer.chat_template):
        try:
            better = known.get_training_chat_template(tokenizer)
        except ValueError:
            raise TrainingError(
                f"the chat template of {_name(tokenizer)} does not mark the assistant's words with "
                "{% generation %}, and no training version of it is known; name a file with one as model.chat_template"
            ) from None
        tokenizer.chat_template = better or tokenizer.chat_template
    _check_end_of_turn(tokenizer)


def opened_thought(tokenizer: Any) -> str:
    """Returns what a template opens a reply with for the model: ``<think>`` and a line end, or nothing."""
    asked = _apply(tokenizer, _PROBE, tokenize=False, add_generation_prompt=True)
    start = asked.rfind("<think>")
    opened = asked[start:] if start >= 0 else ""
    return opened if opened.strip() == "<think>" else ""


def render(tokenizer: Any, messages: Sequence[dict[str, str]]) -> Rendered:
    """Renders a conversation.

    A reply without thoughts gets empty ones where the template opens them for the model at inference.

    Args:
        tokenizer: One that `use_training_template` prepared.
        messages: Roles and contents, as `Trajectory.messages` returns them.

    Raises:
        TrainingError: If the template or tokenizer loses text, or does not mark each of the assistant's turns.
    """
    messages = [dict(message) for message in messages]
    if opened_thought(tokenizer):
        for message in messages:
            if message["role"] == "assistant" and not message["content"].lstrip().startswith("<think>"):
                message["content"] = _NO_THOUGHT + message["content"]
    rendered = _render(tokenizer, messages)
    _check_whole(tokenizer, messages, rendered)
    return rendered


def _render(tokenizer: Any, messages: Sequence[dict[str, str]]) -> Rendered:
    output = _apply(tokenizer, messages, tokenize=True, return_dict=True, return_assistant_tokens_mask=True)
    return Rendered(list(output["input_ids"]), list(output["assistant_masks"]))


def _apply(tokenizer: Any, messages: Sequence[dict[str, str]], **how: Any) -> Any:
    try:
        return tokenizer.apply_chat_template(messages, **how)
    except Exception as error:  # templates raise what they like
        raise TrainingError(f"the chat template of {_name(tokenizer)} refuses a conversation: {error}") from error


def _check_whole(tokenizer: Any, messages: Sequence[dict[str, str]], rendered: Rendered) -> None:
    """Looks for the text of each message in the part of the tokens where it belongs."""
    wanted = [message["content"] for message in messages if message["role"] == "assistant"]
    spans = _spans(rendered)
    if len(spans) != len(wanted):
        raise TrainingError(
            f"the chat template of {_name(tokenizer)} marks {len(spans)} of {len(wanted)} assistant turns; "
            "put {% generation %} around each, or name another file as model.chat_template"
        )
    for content, span in zip(wanted, spans, strict=True):
        _expect(tokenizer, content, span, "an assistant's turn")
    rest = _bare(tokenizer.decode(rendered.input_ids, clean_up_tokenization_spaces=False))
    for message in messages:
        if message["role"] != "assistant" and _bare(message["content"]) not in rest:
            _lost(tokenizer, message["content"], f"a {message['role']} message")


def _expect(tokenizer: Any, content: str, ids: list[int], what: str) -> None:
    if _bare(content) not in _bare(tokenizer.decode(ids, clean_up_tokenization_spaces=False)):
        _lost(tokenizer, content, what)


def _lost(tokenizer: Any, content: str, what: str) -> None:
    raise TrainingError(
        f"the chat template or tokenizer of {_name(tokenizer)} loses text of {what} ({shorten(content, 60)!r}); "
        "set model.chat_template to r1-distill for such models, or to a file with a template that keeps all"
    )


def _spans(rendered: Rendered) -> list[list[int]]:
    """Returns the runs of trained tokens."""
    spans: list[list[int]] = []
    before = 0
    for token, own in zip(rendered.input_ids, rendered.mask, strict=True):
        if own and not before:
            spans.append([])
        if own:
            spans[-1].append(token)
        before = own
    return spans


def _check_end_of_turn(tokenizer: Any) -> None:
    """Refuses a template under which the model would never learn to stop."""
    spans = _spans(_render(tokenizer, _PROBE))
    own = [token for token in (spans[-1] if spans else []) if tokenizer.decode([token]).strip()]
    special = {*tokenizer.get_added_vocab().values(), *tokenizer.all_special_ids}
    if not own or own[-1] not in special:
        raise TrainingError(
            f"the chat template of {_name(tokenizer)} leaves the end of the assistant's turn untrained, so that the "
            "model would not learn to stop; put its end token inside {% generation %}"
        )


def _bare(text: str) -> str:
    """Returns text without white space, which templates trim and tokenizers may move."""
    return "".join(text.split())


def _name(tokenizer: Any) -> str:
    return repr(getattr(tokenizer, "name_or_path", "") or type(tokenizer).__name__)
