"""A workflow as a live AFlow graph: called like one, interpreted by the engine, on a MetaGPT LLM."""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING, Any

from flowreasoner.budget import Budget, Meter
from flowreasoner.engine import run_workflow
from flowreasoner.errors import ModelRefused, WorkflowInvalid
from flowreasoner.operators import BUILTIN
from flowreasoner.operators.toolkit import ModelToolkit
from flowreasoner.sandbox import Suite
from flowreasoner.workflow import Diagnostic
from flowreasoner_adapters.aflow.host import load_metagpt
from flowreasoner_adapters.aflow.llm import as_chat_model, make_llm
from flowreasoner_adapters.hosting import Sandboxes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flowreasoner.budget import Spending
    from flowreasoner.engine import Call, RunResult
    from flowreasoner.models import ChatModel
    from flowreasoner.operators import Operator
    from flowreasoner.sandbox import Sandbox
    from flowreasoner.workflow import Workflow

__all__ = ["AFlowGraph"]

_calls = itertools.count()


class AFlowGraph:
    """A workflow with AFlow's call: ``answer, cost = await graph(problem, entry_point)``.

    The engine interprets it: nothing of its text is executed, independent calls run at the same time, and each
    call of the graph costs what it says, also where several run at once.

    Args:
        workflow: A checked workflow.
        llm: A MetaGPT ``LLMConfig`` or LLM; MetaGPT's configured model when None. A model of FlowReasoner also does.
        name: Name of the graph, as in AFlow.
        dataset: Name of the data set, as in AFlow.
        sandbox: Runs code: a sandbox or a tier's name; the strongest that isolates unless given.
        tests: Public tests of the ``Test`` operator by entry point.
        budget: Limits of each call.
        operators: Operators by class name.
        draw: Prefix of the draws of its requests; calls with the same one may be answered from a cache.

    Raises:
        WorkflowInvalid: If it calls an operator that is not among `operators`.
    """

    def __init__(
        self,
        workflow: Workflow,
        llm: Any = None,
        *,
        name: str = "workflow",
        dataset: str = "",
        sandbox: Sandbox | str | None = None,
        tests: Mapping[str, Suite] | None = None,
        budget: Budget | None = None,
        operators: Mapping[str, Operator] = BUILTIN,
        draw: str = "",
    ) -> None:
        missing = [site for site in workflow.program.sites if site.operator not in operators]
        if missing:
            raise WorkflowInvalid(
                [
                    Diagnostic(
                        site.line,
                        site.column + 1,
                        "aflow-operator",
                        "error",
                        f"there is no operator {site.operator!r} here",
                        "pass it in operators=",
                    )
                    for site in missing
                ]
            )
        self.workflow, self.name, self.dataset = workflow, name, dataset
        self.draw = draw
        self._model = None if llm is None else as_chat_model(llm, "llm")
        self._wanted, self._sandboxes = sandbox, Sandboxes(sandbox)
        self._tests, self._operators = tests or {}, operators
        self._given = llm
        self._budget = budget or Budget()

    @property
    def model(self) -> ChatModel:
        """The model that performs steps.

        Raises:
            ModelRefused: If none was given and MetaGPT has no configuration of the user's.
        """
        if self._model is None:
            metagpt = load_metagpt()
            if not metagpt.own_config:
                raise ModelRefused(
                    "the graph has no model: give llm=LLMConfig(...), or configure one for MetaGPT in "
                    "~/.metagpt/config2.yaml"
                )
            self._model = as_chat_model(make_llm(metagpt.config.llm), "llm")
        return self._model

    @property
    def llm(self) -> Any:
        """The MetaGPT LLM; its ``cost_manager`` has seen every call."""
        return getattr(self.model, "llm", self.model)

    async def __aenter__(self) -> AFlowGraph:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Ends the sandbox and the connections that the graph opened itself; those it was given stay open."""
        if self._model is not None and self._model is not self._given:
            await self._model.aclose()
        self._sandboxes = Sandboxes(self._wanted)  # one that this object made ends with the last who holds it

    async def __call__(
        self, problem: str, entry_point: str = "", test_cases: Sequence[str] | None = None
    ) -> tuple[str, float]:
        """Answers a problem.

        Args:
            problem: The problem.
            entry_point: Function that an answer in Python defines.
            test_cases: Assert statements for the ``Test`` operator, in place of the public tests.

        Returns:
            The answer, and what this call cost, in US dollars as far as prices are known.

        Raises:
            WorkflowFailed: If the workflow fails.
            OperatorError: If an operator does.
            BudgetExceeded: If a limit is reached.
            ModelError: If the model cannot be reached.
            SandboxError: If the sandbox fails.
        """
        result = await self.run(problem, entry_point, test_cases)
        if result.error is not None:
            raise result.error
        return result.answer or "", result.spent.usd

    async def run(self, problem: str, entry_point: str = "", test_cases: Sequence[str] | None = None) -> RunResult:
        """Answers a problem and returns all that happened; a failure of the workflow is part of the result.

        Args:
            problem: The problem.
            entry_point: Function that an answer in Python defines.
            test_cases: Assert statements for the ``Test`` operator, in place of the public tests.

        Raises:
            ModelError: If the model cannot be reached.
            SandboxError: If the sandbox fails.
        """
        suite = Suite.asserts(list(test_cases), entry_point) if test_cases else self._tests.get(entry_point)
        meter = Meter(self._budget)
        model, sandbox, draw = self.model, self._sandboxes.here(), self.draw or f"call{next(_calls)}"

        async def perform(operator: Operator, inputs: dict[str, Any], call: Call) -> dict[str, Any]:
            def charge(spending: Spending) -> None:
                call.spending += spending
                meter.charge(spending)

            label = f"{draw}/{call.path}"
            source = random.Random(label)  # noqa: S311 - reproducible on purpose
            toolkit = ModelToolkit(model, sandbox, suite, entry_point, label, source, charge, meter.permit)
            return await operator(toolkit, inputs)

        cases = [] if suite is None else [case.source for case in suite.cases]
        arguments = {"problem": problem, "entry_point": entry_point, "test_cases": cases}
        return await run_workflow(self.workflow, arguments, perform, meter=meter, operators=self._operators)
