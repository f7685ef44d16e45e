"""The published workflows for workers of a few million parameters, which know the words of their training only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowreasoner.baselines.adas.seeds import SEEDS
from flowreasoner.baselines.words import MINIATURE, Words
from flowreasoner.designers.manual import MANUAL
from flowreasoner.workflow import Workflow

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SMALL_MANUAL", "SMALL_SEEDS", "SMALL_START", "in_words"]

_MEANT = {
    "WRITE": "write",
    "PRINCIPLES": "plan",
    "SOLVE": "follow",
    **dict.fromkeys(["THINK", "REFLECT", "DEBATE", "DECIDE", "ANOTHER", "FUSE"], "improve"),
}
"""What the prompt constants of the published workflows ask for, as a field of `Words`."""
_ROLES = ("ENGINEER", "SCIENTIST", "TESTER")

_ONE_CALL = """\
class Workflow:
    async def __call__(self, problem, entry_point):
        solution = await self.custom_code_generate(
            problem=problem, entry_point=entry_point, instruction=prompt_custom.{})
        return solution['response'], self.llm.cost_manager.total_cost
"""


def in_words(workflow: Workflow, words: Words) -> Workflow:
    """Returns a workflow with the same graph, told in other words.

    Instructions that have no counterpart stay as they are; roles are left out, as such workers play none.

    Args:
        workflow: One of those by hand, or of ADAS's first agents.
        words: What the worker is told.
    """
    told = {name: getattr(words, _MEANT[name]) for name in workflow.prompts if name in _MEANT}
    silent = dict.fromkeys(set(_ROLES) & set(workflow.prompts), "")
    return Workflow.parse(workflow.source, {**workflow.prompts, **told, **silent})


def _one_call(name: str) -> Workflow:
    return in_words(Workflow.parse(_ONE_CALL.format(name), {name: ""}), MINIATURE)


_PLAINEST = {"vanilla": _one_call("WRITE"), "cot": _one_call("THINK")}
SMALL_MANUAL: Mapping[str, Workflow] = {
    name: _PLAINEST.get(name) or in_words(item.workflow, MINIATURE) for name, item in MANUAL.items()
}
"""Those by hand, by name. The single call of the two plainest is the operator that writes code: asked by Custom, the
embedded worker writes none."""

SMALL_START = _PLAINEST["vanilla"]
"""Where AFlow begins."""

SMALL_SEEDS: Mapping[str, Workflow] = {
    name: _PLAINEST["cot"] if name == "Chain-of-Thought" else in_words(workflow, MINIATURE)
    for name, workflow in SEEDS.items()
    if name != "Dynamic Assignment of Roles"
}
"""Where ADAS begins; who plays no roles cannot be assigned one."""
