"""AFlow and MetaGPT: live graphs, round folders, workspaces, an `Optimizer` and a `Role`; see docs/metagpt.md.

Names are loaded when they are first used: importing this package imports no MetaGPT.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flowreasoner_plugins import hookimpl

if TYPE_CHECKING:
    from flowreasoner_adapters.aflow.backend import AFlowBackend
    from flowreasoner_adapters.aflow.graph import AFlowGraph
    from flowreasoner_adapters.aflow.host import load_metagpt
    from flowreasoner_adapters.aflow.llm import MetaGPTModel
    from flowreasoner_adapters.aflow.operators import install, operators_use
    from flowreasoner_adapters.aflow.optimizer import Optimizer
    from flowreasoner_adapters.aflow.reading import Workspace, read_round, read_workspace
    from flowreasoner_adapters.aflow.role import DesignAnswer, FlowReasonerRole
    from flowreasoner_adapters.aflow.source import round_source
    from flowreasoner_adapters.aflow.workspace import write_round, write_template
    from flowreasoner_plugins.manager import BackendFactory

_HOMES = {
    "backend": ("AFlowBackend",),
    "graph": ("AFlowGraph",),
    "host": ("load_metagpt",),
    "llm": ("MetaGPTModel",),
    "operators": ("install", "operators_use"),
    "optimizer": ("Optimizer",),
    "reading": ("Workspace", "read_round", "read_workspace"),
    "role": ("DesignAnswer", "FlowReasonerRole"),
    "source": ("round_source",),
    "workspace": ("write_round", "write_template"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "AFlowBackend",
    "AFlowGraph",
    "DesignAnswer",
    "FlowReasonerRole",
    "MetaGPTModel",
    "Optimizer",
    "Workspace",
    "install",
    "load_metagpt",
    "operators_use",
    "read_round",
    "read_workspace",
    "round_source",
    "write_round",
    "write_template",
]


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


@hookimpl
def flowreasoner_backends() -> Mapping[str, BackendFactory]:
    """Returns the AFlow backend."""
    from flowreasoner_adapters.aflow.backend import AFlowBackend

    return {"aflow": AFlowBackend}
