"""Writes a workflow as the files of one AFlow round, which run on MetaGPT and on the AFlow repository."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from flowreasoner.errors import FlowReasonerError, WorkflowInvalid
from flowreasoner.workflow import Diagnostic
from flowreasoner.workflow.printer import print_program
from flowreasoner.workflow.program import self_call
from flowreasoner_adapters.aflow.native import native_program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flowreasoner.workflow import Workflow
    from flowreasoner.workflow.program import Program

__all__ = ["LAYOUTS", "TAKEN", "Layout", "Operators", "round_source"]

Layout = Literal["portable", "metagpt", "aflow"]
"""Which imports a graph file has.

portable
    runs on a MetaGPT checkout, on MetaGPT's wheel and on the AFlow repository, from any package folder
metagpt
    MetaGPT's own, by data set and round, for ``metagpt/ext/aflow/scripts/optimized``; uses the data set's template
aflow
    the AFlow repository's own, by data set and round, for ``workspace``; uses the data set's template
"""

Operators = Literal["aflow", "flowreasoner"]
"""Whose operators the file uses: the host's own, or FlowReasoner's, which need MetaGPT and FlowReasoner installed."""

LAYOUTS: tuple[Layout, ...] = ("portable", "metagpt", "aflow")

_PORTABLE = '''\
"""A workflow in AFlow's format, written by FlowReasoner.

It runs on a MetaGPT checkout and on the AFlow repository, with their operators; and on MetaGPT's wheel after
``flowreasoner_adapters.aflow.install()``.
"""

try:  # the AFlow repository
    import scripts.operators as operator
    from scripts.async_llm import create_llm_instance

    CostManager = None  # its models count for themselves
except ImportError:  # MetaGPT
    from metagpt.ext.aflow.scripts import operator
    from metagpt.provider.llm_provider_registry import create_llm_instance
    from metagpt.utils.cost_manager import CostManager

from . import prompt as prompt_custom


{graph}'''

_METAGPT = """\
from metagpt.ext.aflow.scripts.optimized.{dataset}.workflows.round_{round} import (
    prompt as prompt_custom,
)
from metagpt.ext.aflow.scripts.optimized.{dataset}.workflows.template import operator
from metagpt.provider.llm_provider_registry import create_llm_instance
from metagpt.utils.cost_manager import CostManager


{graph}"""

_AFLOW = """\
from scripts.async_llm import create_llm_instance
from workspace.{dataset}.workflows.round_{round} import prompt as prompt_custom
from workspace.{dataset}.workflows.template import operator


{graph}"""

_OURS = '''\
"""A workflow in AFlow's format, written by FlowReasoner, with FlowReasoner's operators on a MetaGPT LLM."""

from flowreasoner_adapters.aflow import operators as operator
from flowreasoner_adapters.aflow.operators import CostManager, create_llm_instance

from . import prompt as prompt_custom


{graph}'''

_MADE = "        self.llm = create_llm_instance(llm_config)\n"
_MANAGERS = {
    "portable": "CostManager() if CostManager else self.llm.usage_tracker",
    "metagpt": "CostManager()",
    "aflow": "",
}
TAKEN = {
    "Custom": "input instruction",
    "AnswerGenerate": "input",
    "CustomCodeGenerate": "problem entry_point instruction",
    "ScEnsemble": "solutions problem",
    "Programmer": "problem analysis",
    "Test": "problem solution entry_point test_loop",
    "Format": "problem solution",
    "Review": "problem solution",
    "Revise": "problem solution feedback",
    "MdEnsemble": "solutions problem",
}
"""Arguments that MetaGPT's and AFlow's operators take."""


def round_source(
    workflow: Workflow,
    *,
    layout: Layout = "portable",
    dataset: str = "HumanEval",
    number: int = 1,
    operators: Operators = "aflow",
) -> Mapping[str, str]:
    """Returns the files of one round: ``graph.py``, ``prompt.py`` and ``__init__.py``.

    The class is the canonical source, with what AFlow asks of it: it returns the answer and its cost, it takes
    calls without ``entry_point``, and what it rewrites of its prompts does not outlive the call.

    Args:
        workflow: What to write.
        layout: Which imports `graph.py` has.
        dataset: AFlow's name of the data set, part of two layouts' imports.
        number: The round's number, part of two layouts' imports.
        operators: Whose operators it uses.

    Raises:
        WorkflowInvalid: If AFlow cannot express it; with line and remedy.
        FlowReasonerError: If `layout` or `operators` is unknown, or the data set cannot be a module's name.
    """
    if layout not in LAYOUTS:
        raise FlowReasonerError(f"layout must be one of {', '.join(LAYOUTS)}, not {layout!r}")
    if operators not in ("aflow", "flowreasoner"):
        raise FlowReasonerError(f"operators must be 'aflow' or 'flowreasoner', not {operators!r}")
    if layout != "portable" and not dataset.isidentifier():  # a portable file does not name it
        raise FlowReasonerError(f"the data set's name must be usable in an import, not {dataset!r}")
    problems = [*_odd_returns(workflow.program), *(_foreign(workflow.program) if operators == "aflow" else [])]
    if problems:
        raise WorkflowInvalid(problems)
    header = (
        _OURS if operators == "flowreasoner" else {"portable": _PORTABLE, "metagpt": _METAGPT, "aflow": _AFLOW}[layout]
    )
    program = native_program(workflow.program, workflow.prompts, aflow_cost=layout == "aflow" and operators == "aflow")
    graph = print_program(program)
    manager = _MANAGERS["metagpt" if operators == "flowreasoner" else layout]
    if manager:
        graph = graph.replace(_MADE, f"{_MADE}        self.llm.cost_manager = {manager}\n", 1)
    text = header.replace("{dataset}", dataset).replace("{round}", str(number)).replace("{graph}", graph)
    return {"graph.py": text, "prompt.py": workflow.prompt_source, "__init__.py": ""}


def _foreign(program: Program) -> Iterator[Diagnostic]:
    """Yields what MetaGPT's and AFlow's own operators do not take."""
    remedy = "leave it out, or write the round with AFlowBackend(uses='flowreasoner')"
    for method in program.methods:
        for node in method.walk():
            attribute = self_call(node)
            if attribute not in program.bindings or not isinstance(node, ast.Call):
                continue
            name = program.bindings[attribute]
            if name not in TAKEN:
                message = f"AFlow has no operator {name!r}"
                yield Diagnostic(node.lineno, node.col_offset + 1, "aflow-operator", "error", message, remedy)
                continue
            unknown = [word.arg for word in node.keywords if word.arg not in TAKEN[name].split()]
            for argument in unknown:
                message = f"AFlow's operator {name} takes no argument {argument!r}"
                yield Diagnostic(node.lineno, node.col_offset + 1, "aflow-argument", "error", message, remedy)


def _odd_returns(program: Program) -> Iterator[Diagnostic]:
    for node in program.entry.walk():
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple) and len(node.value.elts) != 2:
            yield Diagnostic(
                node.lineno,
                node.col_offset + 1,
                "aflow-return",
                "error",
                f"AFlow takes an answer and its cost, and this returns {len(node.value.elts)} values",
                "return the answer alone, or the answer and the cost",
            )
