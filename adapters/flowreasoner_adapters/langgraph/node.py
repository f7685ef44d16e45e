"""The node factory: in a user's own graph, a node that designs a workflow for each question and runs it (§4.3)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from langgraph.config import get_stream_writer
from langgraph.runtime import get_runtime

from flowreasoner.api import design
from flowreasoner.designers.grading import grade_answer
from flowreasoner.errors import QueryError
from flowreasoner.events import Event, RoundEnded, RoundStarted, TestsWritten
from flowreasoner.models import ModelContext, model_from_uri
from flowreasoner.query import Query
from flowreasoner.sandbox.suite import Suite
from flowreasoner.workflow import check
from flowreasoner_adapters.arguments import check_design_settings
from flowreasoner_adapters.hosting import Sandboxes
from flowreasoner_adapters.langgraph.emit import emit
from flowreasoner_adapters.langgraph.model import as_chat_model, text_of
from flowreasoner_adapters.langgraph.operators import Operators
from flowreasoner_adapters.langgraph.steps import StepRunnable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flowreasoner.models import ChatModel
    from flowreasoner.sandbox import Sandbox
    from flowreasoner.workflow import Workflow

__all__ = ["FlowReasonerNode", "flowreasoner_node"]

_NAMESPACE = ("flowreasoner", "designs")


@dataclass(frozen=True)
class _Keys:
    """Keys of the user's state."""

    question: str
    answer: str
    entry_point: str
    tests: str
    check: str


@dataclass(frozen=True)
class _Found:
    """A workflow for a query: newly designed, or remembered."""

    workflow: Workflow
    score: float
    rounds: int
    answer: str = ""
    remembered: bool = False

    def to_json(self) -> dict[str, Any]:
        return {
            "workflow": self.workflow.source,
            "prompts": self.workflow.prompt_source,
            "score": self.score,
            "rounds": self.rounds,
            "remembered": self.remembered,
        }


def flowreasoner_node(
    model: Any,
    *,
    meta_agent: Any = None,
    question: str = "question",
    answer: str = "answer",
    entry_point: str = "entry_point",
    tests: str = "tests",
    check_command: str = "check",
    remember: bool = False,
    sandbox: Sandbox | str | None = None,
    **settings: Any,
) -> FlowReasonerNode:
    """Makes a node that designs a workflow for each question.

    ``graph.add_node("solve", flowreasoner_node(model))`` puts it into a graph of your own.

    The node reads the question from the state (or from the last of its ``messages``), and the tests or the check
    command when the state has them; designs a workflow for this question; runs it as a subgraph, whose nodes are
    seen by ``stream(..., subgraphs=True)``; and writes the answer, and the design under ``design`` where the state
    has that key. Rounds are reported to the custom stream.

    Args:
        model: The worker: a LangChain chat model, e.g. of ``init_chat_model``, or a model URI such as ``sim:``.
        meta_agent: Designs workflows; the worker's model unless given.
        question: Key of the question.
        answer: Key that the answer is written to.
        entry_point: Key of the function's name that an answer in Python must define.
        tests: Key of the tests: a list of assert statements, or what a query file's ``tests`` may be.
        check_command: Key of a command that checks the answer, e.g. ``pytest -q``.
        remember: Whether a question that was designed for before is answered by its workflow at once: from the
            graph's store where it has one, else from this node's memory.
        sandbox: Runs code: a sandbox, the name of a tier, or None for the strongest that isolates.
        settings: Further arguments of `flowreasoner.design`: ``rounds``, ``evaluations``, ``budget_usd``, ...

    Raises:
        ModelError: If a model is of the wrong kind.
        QueryError: If there is no such setting.
    """
    check_design_settings(settings)
    keys = _Keys(question, answer, entry_point, tests, check_command)
    return FlowReasonerNode(_Models(model, meta_agent), keys, Sandboxes(sandbox), settings, remember=remember)


class _Models:
    """Worker and meta-agent, given as LangChain chat models or as model URIs."""

    def __init__(self, worker: Any, meta_agent: Any) -> None:
        self.worker = worker if isinstance(worker, str) else as_chat_model(worker)
        designer = worker if meta_agent is None else meta_agent
        self.meta_agent = designer if isinstance(designer, str) else as_chat_model(designer)

    def worker_for(self, query: Query, seed: int) -> ChatModel:
        """Returns the worker of one query."""
        if isinstance(self.worker, str):
            return model_from_uri(self.worker, ModelContext("worker", query, seed))
        return self.worker


class FlowReasonerNode(StepRunnable):
    """A node that designs a workflow per question; see `flowreasoner_node`."""

    def __init__(
        self, models: _Models, keys: _Keys, sandboxes: Sandboxes, settings: Mapping[str, Any], *, remember: bool
    ) -> None:
        self.models, self.keys, self.sandboxes, self.remember = models, keys, sandboxes, remember
        self.settings = dict(settings)
        self._designs: dict[str, dict[str, Any]] = {}

    async def update(self, state: Mapping[str, Any]) -> dict[str, Any]:
        """Designs, runs and answers.

        Raises:
            QueryError: If the state has no question.
        """
        query = self._query(state)
        found = await self._remembered(query) or await self._designed(query)
        said = await self._run(found, query)
        update: dict[str, Any] = {self.keys.answer: said, "design": found.to_json()}
        if self.keys.question not in state and state.get("messages"):
            from langchain_core.messages import AIMessage

            update["messages"] = [AIMessage(said)]
        return update

    def _query(self, state: Mapping[str, Any]) -> Query:
        asked = state.get(self.keys.question) or _last_message(state)
        if not asked:
            raise QueryError(f"the state has no {self.keys.question!r} and no messages to take the question from")
        name = str(state.get(self.keys.entry_point) or "")
        suite = None
        if state.get(self.keys.tests):
            suite = Suite.from_json(state[self.keys.tests], name)
        elif state.get(self.keys.check):
            suite = Suite.command(str(state[self.keys.check]))
        return Query(str(asked), entry_point=name, feedback=suite)

    async def _designed(self, query: Query) -> _Found:
        made = await design(
            query,
            meta_agent=self.models.meta_agent,
            worker=self.models.worker,
            sandbox=self.sandboxes.here(),
            observers=[_Report()],
            **self.settings,
        )
        found = _Found(made.workflow, made.best.score, len(made.rounds), made.answer)
        if self.remember:
            store = get_runtime().store
            if store is None:
                self._designs[query.digest()] = found.to_json()
            else:
                await store.aput(_NAMESPACE, query.digest(), found.to_json())
        return found

    async def _remembered(self, query: Query) -> _Found | None:
        if not self.remember:
            return None
        store = get_runtime().store
        if store is None:
            known = self._designs.get(query.digest())
        else:
            item = await store.aget(_NAMESPACE, query.digest())
            known = None if item is None else item.value
        workflow = None if known is None else check(known["workflow"], known["prompts"]).workflow
        if known is None or workflow is None:
            return None
        return _Found(workflow, known["score"], known["rounds"], remembered=True)

    async def _run(self, found: _Found, query: Query) -> str:
        """Runs the workflow as a subgraph; an answer that tests show to be worse than the design's gives way to it."""
        seed = int(self.settings.get("seed", 0))
        sandbox = self.sandboxes.here()
        operators = Operators(self.models.worker_for(query, seed), sandbox, query.feedback, seed=seed)
        given = {"problem": query.problem, "entry_point": query.entry_point, "test_cases": query.test_cases()}
        result = await emit(found.workflow, operators).compile().ainvoke(given)
        said: str = result["answer"]
        if found.answer and found.answer != said and query.feedback is not None:
            grade = await grade_answer(said, query, sandbox)
            return found.answer if grade.score < found.score else grade.answer
        return said


def _last_message(state: Mapping[str, Any]) -> str:
    messages = state.get("messages") or []
    return text_of(messages[-1]) if messages else ""


@dataclass
class _Report:
    """Writes what a design does to the graph's custom stream."""

    writer: Any = field(default_factory=get_stream_writer)

    def __call__(self, event: Event) -> None:
        match event:
            case TestsWritten(tests=tests):
                self.writer({"flowreasoner": "tests written", "tests": list(tests)})
            case RoundStarted(number=number):
                self.writer({"flowreasoner": "round started", "round": number})
            case RoundEnded(round=finished):
                self.writer({"flowreasoner": "round ended", "round": finished.number, "score": finished.score})
