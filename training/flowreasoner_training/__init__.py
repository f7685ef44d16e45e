"""Training of FlowReasoner: distil, SFT, GRPO with a reward per round (§4.1-4.2), and the pair that is shipped.

What needs torch is imported when it is used: this module is loaded for every command, also for ``--help``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowreasoner_plugins import hookimpl

if TYPE_CHECKING:
    import click

    from flowreasoner.baselines import Fittable
    from flowreasoner.models import ChatModel, ModelContext, ModelFactory, ModelURI
    from flowreasoner_plugins.manager import MethodFactory


@hookimpl
def flowreasoner_commands() -> Iterable[click.Command]:
    """Returns the commands of the training, each loaded when it is used."""
    from flowreasoner_training.commands import COMMANDS

    return COMMANDS


@hookimpl
def flowreasoner_chat_models() -> Mapping[str, ModelFactory]:
    """Returns ``hf:``, any local checkpoint, and ``nano:``, the miniature's teacher."""
    return {"hf": _hf, "nano": _nano}


@hookimpl
def flowreasoner_methods() -> Mapping[str, MethodFactory]:
    """Returns MaAS, which trains a controller, and ScoreFlow, which trains a generator."""
    return {"maas": _maas, "scoreflow": _scoreflow}


def _maas(*, small: bool = False, **settings: Any) -> Fittable:
    from flowreasoner.baselines.words import MINIATURE
    from flowreasoner_training.requires import explained

    with explained("the method maas"):
        from flowreasoner_training.baselines.maas import MaAS
    free: dict[str, Any] = {"cost": "calls", "words": MINIATURE} if small else {}
    return MaAS(**free | settings)


def _scoreflow(*, small: bool = False, generator: str = "", **settings: Any) -> Fittable:
    from flowreasoner.errors import QueryError
    from flowreasoner.models.embedded import PAIR
    from flowreasoner_training.requires import require_training

    if not (generator or small):
        raise QueryError(
            "ScoreFlow fine-tunes a generator of workflows: name the folder of a checkpoint with "
            "--set scoreflow.generator=FOLDER"
        )
    require_training()
    from flowreasoner_training.baselines.scoreflow import MINIATURE_DPO, MINIATURE_SAMPLING, ScoreFlow

    scaled = {"sampling": MINIATURE_SAMPLING, "dpo": MINIATURE_DPO, "tries": 8} if small else {}
    begin = Path(generator).expanduser() if generator else PAIR / "meta_agent_sft"
    return ScoreFlow(**{"generator": begin, **scaled, **settings})


def _hf(uri: ModelURI, context: ModelContext) -> ChatModel:
    from flowreasoner_training.hf_model import hf_model_from_uri
    from flowreasoner_training.requires import require_checkpoints

    model = hf_model_from_uri(uri, context)
    require_checkpoints(f"the model {uri}")  # now, as it is loaded with the first request only
    return model


def _nano(uri: ModelURI, context: ModelContext) -> ChatModel:
    from flowreasoner_training.nano.teacher import teacher_from_uri

    return teacher_from_uri(uri, context)
