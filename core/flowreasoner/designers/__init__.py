"""Designers: anything that turns a query into a workflow, behind one interface."""

from flowreasoner.designers.base import Design, Designer, Round, select_best
from flowreasoner.designers.fixed import FixedWorkflow
from flowreasoner.designers.flowreasoner import FlowReasoner
from flowreasoner.designers.grading import grade_answer, grade_with_suite
from flowreasoner.designers.workbench import Journal, NoJournal, Workbench

__all__ = [
    "Design",
    "Designer",
    "FixedWorkflow",
    "FlowReasoner",
    "Journal",
    "NoJournal",
    "Round",
    "Workbench",
    "grade_answer",
    "grade_with_suite",
    "select_best",
]
