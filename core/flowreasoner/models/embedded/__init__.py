"""``embedded:``, language models that come with the package and run on the CPU (docs/models.md).

A worker and a meta-agent of a few million parameters each, trained from scratch by this project on its miniature
family of queries. They really are language models, and know nothing but that family. The runtime is NumPy alone;
``embedded:PATH`` runs any checkpoint of its format.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flowreasoner.errors import ModelRefused

if TYPE_CHECKING:
    from flowreasoner.models.base import ChatModel
    from flowreasoner.models.uri import ModelContext, ModelURI

__all__ = ["PAIR", "embedded_model"]

PAIR = Path(__file__).parent / "pair"
"""Folder of the checkpoints that come with the package: ``worker``, ``meta_agent``, and that before GRPO,
``meta_agent_sft``."""

_MEMBERS = {"worker": "worker", "meta-agent": "meta_agent", "meta-agent-sft": "meta_agent_sft"}
_OPTIONS = ("max_tokens", "seed", "temperature", "top_p")


def embedded_model(uri: ModelURI, context: ModelContext) -> ChatModel:
    """Makes the model of an ``embedded:`` URI.

    Args:
        uri: Its name is empty for the pair that comes with the package, ``meta-agent-sft`` for the meta-agent as it was
            before GRPO, or a checkpoint's folder. Options: ``temperature``, ``top_p``, ``max_tokens``, ``seed``.
        context: The role, which decides which of the pair; and the query, which the pair must know.

    Raises:
        ModelRefused: If an option is wrong, numpy or tokenizers are not installed, the checkpoint cannot be used,
            or the query is not one that the pair was made for.
    """
    uri.expect(_OPTIONS)
    settings = {
        "temperature": uri.number("temperature", least=0),
        "top_p": uri.number("top_p", least=0),
        "max_tokens": uri.whole("max_tokens", least=1),
        "seed": uri.whole("seed"),
    }
    label = uri.name or context.role.replace("_", "-")
    shipped = label in _MEMBERS
    folder = PAIR / _MEMBERS[label] if shipped else Path(uri.name).expanduser()
    if shipped:
        _check_query(context)
        if not folder.is_dir():
            raise ModelRefused(f"this copy of flowreasoner comes without the embedded models; {_OTHERS}")
    elif not folder.exists() and folder.name == uri.name:
        raise ModelRefused(f"there is no folder {uri.name!r}, and no embedded model but {', '.join(_MEMBERS)}")
    try:
        from flowreasoner.models.embedded.model import EmbeddedModel
    except ImportError as error:
        raise ModelRefused(
            f'the embedded models need numpy and tokenizers: pip install "flowreasoner[embedded]" ({error}); {_OTHERS}'
        ) from None
    return EmbeddedModel(folder, label=label, **settings)  # type: ignore[arg-type]


_OTHERS = "or name a model of yours, e.g. --worker openai:gpt-4o-mini --meta-agent openai:o4-mini (docs/models.md)"


def _check_query(context: ModelContext) -> None:
    """Refuses what the pair cannot do: better said before the first round than shown by ten.

    Raises:
        ModelRefused: If the query is of no family that the pair was trained on.
    """
    from flowreasoner.miniature import recognises

    if context.query is not None and not recognises(context.query.problem):
        raise ModelRefused(
            "the embedded models cannot do this query: they are two tiny language models that know the miniature "
            "family of list, number and string functions only. See one of those with: flowreasoner solve --random; "
            "for this query name models of yours, e.g. --worker openai:gpt-4o-mini --meta-agent openai:o4-mini "
            "(docs/models.md)"
        )
