"""The workflow language: read, repair, check and print workflows (docs/workflow-language.md)."""

from flowreasoner.workflow.check import Report, check
from flowreasoner.workflow.complexity import Complexity, complexity
from flowreasoner.workflow.diagnostics import Diagnostic, Severity
from flowreasoner.workflow.program import CallSite, Method, Program, Workflow
from flowreasoner.workflow.prompts import read_prompts

__all__ = [
    "CallSite",
    "Complexity",
    "Diagnostic",
    "Method",
    "Program",
    "Report",
    "Severity",
    "Workflow",
    "check",
    "complexity",
    "read_prompts",
]
