"""Checks a workflow: reads it, brings it into canonical form, and reports every problem at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flowreasoner.operators import BUILTIN
from flowreasoner.workflow.compiles import check_compiles, check_prints
from flowreasoner.workflow.diagnostics import Diagnostic
from flowreasoner.workflow.flow import check_flow
from flowreasoner.workflow.normalise import normalise_method, used_bindings
from flowreasoner.workflow.program import Program, Workflow
from flowreasoner.workflow.prompts import read_prompts
from flowreasoner.workflow.rules import check_rules
from flowreasoner.workflow.structure import find_structure
from flowreasoner.workflow.text import read_module

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flowreasoner.operators.spec import Operator

__all__ = ["Report", "check"]

_MOST_DIAGNOSTICS = 50


@dataclass(frozen=True)
class Report:
    """What the checker found.

    Attributes:
        workflow: The checked workflow, or None when there are errors.
        diagnostics: Errors, then warnings, each by line; the first 50 of them.
        repairs: What was repaired, as sentences.
    """

    workflow: Workflow | None
    diagnostics: tuple[Diagnostic, ...]
    repairs: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """True when the workflow can run."""
        return self.workflow is not None


def check(
    source: str,
    prompts: Mapping[str, str] | str | None = None,
    operators: Mapping[str, Operator] = BUILTIN,
) -> Report:
    """Checks a workflow without running anything of it.

    Args:
        source: Text of the workflow, as a model wrote it or a file holds it.
        prompts: Prompt constants by name, or the source of the prompt module, or None when there is none:
            then ``prompt_custom`` constants cannot be checked.
        operators: Operators that the workflow may use, by class name.

    Returns:
        The report. Never raises for any text.
    """
    known, problems = _prompts(prompts)
    unreadable = not _clean(problems)
    reading = read_module(source)
    repairs = list(reading.repairs)
    if reading.tree is None:
        return _report(None, [*reading.problems, *problems], repairs)
    found = find_structure(reading.tree, operators)
    if found.prompts:
        known = {**found.prompts, **(known or {})}
    if found.entry is None:
        return _report(None, [*problems, *found.problems], repairs + found.repairs)
    entry = normalise_method(found.entry, found, operators, known)
    helpers = {name: normalise_method(node, found, operators, known) for name, node in found.helpers.items()}
    program = Program(used_bindings(found, [entry, *helpers.values()]), entry, helpers)
    problems += found.problems
    rules = check_rules(program, None if unreadable else known, operators, found.imports.foreign)
    problems += [item for item in rules if not (unreadable and item.code == "prompts-missing")]
    if _clean(problems):
        problems += check_compiles(program)
    if _clean(problems):
        problems += check_flow(program, operators)
    repairs += found.repairs
    if not _clean(problems):
        return _report(None, problems, repairs)
    report = _report(None, problems, repairs)
    workflow = Workflow(program, known or {}, report.diagnostics, report.repairs, source)
    unprintable = check_prints(workflow)
    if unprintable:
        return _report(None, [*problems, *unprintable], repairs)
    return Report(workflow, report.diagnostics, report.repairs)


def _clean(problems: Iterable[Diagnostic]) -> bool:
    return not any(problem.severity == "error" for problem in problems)


def _prompts(prompts: Mapping[str, str] | str | None) -> tuple[dict[str, str] | None, list[Diagnostic]]:
    if prompts is None:
        return None, []
    if isinstance(prompts, str):
        return read_prompts(prompts)
    return dict(prompts), []


def _report(workflow: Workflow | None, problems: Iterable[Diagnostic], repairs: Iterable[str]) -> Report:
    ordered = sorted(set(problems), key=lambda item: (item.severity != "error", item))
    return Report(workflow, tuple(ordered[:_MOST_DIAGNOSTICS]), tuple(dict.fromkeys(repairs)))
