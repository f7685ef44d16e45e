"""The engine: interprets checked workflows, never executes generated code (docs/engine.md)."""

from flowreasoner.engine.run import Perform, RunResult, answer_of, run_workflow
from flowreasoner.engine.segment import Request, Segment, catchable
from flowreasoner.engine.trace import Call, Trace

__all__ = ["Call", "Perform", "Request", "RunResult", "Segment", "Trace", "answer_of", "catchable", "run_workflow"]
