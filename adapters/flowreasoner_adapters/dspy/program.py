"""Workflows as DSPy modules: a predictor per call site, the control flow run by the engine."""

from __future__ import annotations

import ast
import functools
from typing import TYPE_CHECKING, Any

import dspy
from dspy.utils.exceptions import LMError

from flowreasoner.budget import Budget
from flowreasoner.engine import answer_of, run_workflow
from flowreasoner.errors import FlowReasonerError, ModelError, QueryError
from flowreasoner.lowering.cost import without_cost
from flowreasoner.lowering.parallel import rewritten_prompts
from flowreasoner.operators import BUILTIN
from flowreasoner.sandbox.suite import Suite
from flowreasoner.workflow.program import self_call
from flowreasoner_adapters.arguments import listed_tests
from flowreasoner_adapters.dspy.predictors import OperatorPredict, RunSettings, run_settings
from flowreasoner_adapters.hosting import Sandboxes, run_sync

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from flowreasoner.engine import Call
    from flowreasoner.operators import Operator
    from flowreasoner.sandbox import Sandbox
    from flowreasoner.workflow import CallSite, Workflow

__all__ = ["LMError", "WorkflowModule", "WorkflowProgram", "answering", "instructions_of"]


class WorkflowModule(dspy.Module):  # type: ignore[misc]  # DSPy is not typed
    """Base of workflows: what their predictors need beside the LM.

    Args:
        sandbox: Runs code: a sandbox, the name of a tier, or None for the strongest that isolates.
        tests: Feedback tests of the operator `Test`; the ``test_cases`` of a call unless given.
        seed: Seeds the order of votes and the workflow's own `random`.
    """

    def __init__(self, *, sandbox: Sandbox | str | None = None, tests: Suite | None = None, seed: int = 0) -> None:
        super().__init__()
        self.sandboxes, self.tests, self.seed = Sandboxes(sandbox), tests, seed

    def forward(self, *arguments: Any, **inputs: Any) -> Any:
        """Runs `aforward`, with or without a running event loop."""
        return run_sync(self.aforward(*arguments, **inputs))

    async def aforward(self, *arguments: Any, **inputs: Any) -> Any:
        """Runs the workflow."""
        raise NotImplementedError

    def settings_for(self, entry_point: str, test_cases: Sequence[str] | None) -> RunSettings:
        """Returns what the calls of one run share."""
        tests = self.tests
        if tests is None and test_cases:
            tests = Suite.asserts(listed_tests(test_cases), entry_point)
        return RunSettings(entry_point, tests, self.sandboxes, self.seed)


def _check_asked(problem: str, more: Mapping[str, Any]) -> None:
    """Refuses inputs under other names than a workflow's, e.g. a data set's ``question``, which would ask nothing.

    Raises:
        QueryError: If there are further inputs, and no problem.
    """
    if more and not problem:
        raise QueryError(f"a workflow is asked by problem=..., and was given only {', '.join(sorted(more))}")


def answering(control_flow: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Makes a workflow's control flow the ``aforward`` of its module: one run, whose value is the answer.

    Args:
        control_flow: An async method that returns the answer.
    """

    @functools.wraps(control_flow)
    async def aforward(
        self: WorkflowModule,
        problem: str = "",
        entry_point: str = "",
        test_cases: Sequence[str] | None = None,
        **more: Any,
    ) -> Any:
        _check_asked(problem, more)
        given = {"problem": problem, "entry_point": entry_point, "test_cases": listed_tests(test_cases), **more}
        code = control_flow.__code__
        accepted = code.co_varnames[: code.co_argcount]
        with run_settings(self.settings_for(entry_point, test_cases)):
            value = await control_flow(self, **{name: item for name, item in given.items() if name in accepted})
        return dspy.Prediction(answer=str(answer_of(value)))

    return aforward


class WorkflowProgram(WorkflowModule):
    """A workflow as a live DSPy module; its code is interpreted, never executed.

    Args:
        workflow: A checked workflow.
        operators: Operators by class name.
        budget: Limits of each run.
        settings: ``sandbox``, ``tests`` and ``seed``.

    Raises:
        WorkflowInvalid: If it decides by what was spent, which DSPy counts in its own way.
    """

    def __init__(
        self,
        workflow: Workflow,
        *,
        operators: Mapping[str, Operator] = BUILTIN,
        budget: Budget | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        without_cost(workflow.program)
        self.workflow, self.operators, self.budget = workflow, dict(operators), budget or Budget()
        for site, (prompt, inputs) in instructions_of(workflow).items():
            setattr(self, site.name, OperatorPredict(site.operator, prompt or "", inputs, operators=self.operators))

    async def aforward(
        self, problem: str = "", entry_point: str = "", test_cases: Sequence[str] | None = None, **more: Any
    ) -> Any:
        """Runs the workflow.

        Args:
            problem: What is asked.
            entry_point: Function that an answer in Python defines.
            test_cases: Assert statements for the operator `Test`.
            more: Ignored, so that examples may have further inputs beside the problem.

        Returns:
            A prediction with the `answer`.

        Raises:
            QueryError: If there are further inputs, and no problem.
            FlowReasonerError: Why there is no answer.
            Exception: What the LM raised.
        """
        _check_asked(problem, more)
        arguments = {"problem": problem, "entry_point": entry_point, "test_cases": listed_tests(test_cases)}
        with run_settings(self.settings_for(entry_point, test_cases)):
            try:
                result = await run_workflow(
                    self.workflow,
                    arguments,
                    self._perform,
                    budget=self.budget,
                    operators=self.operators,
                    seed=self.seed,
                )
            except _HostError as error:
                raise error.raised from None
        if result.error is not None:
            raise result.error
        return dspy.Prediction(answer=result.answer)

    async def _perform(self, _: Operator, inputs: dict[str, Any], call: Call) -> dict[str, Any]:
        predictor: OperatorPredict = getattr(self, call.site)
        try:
            return await predictor.run(**inputs)
        except FlowReasonerError:
            raise
        except Exception as error:  # the LM's own; no fault of the workflow, so none that it may catch
            raise _HostError(error) from error


class _HostError(ModelError):
    """Carries what the LM raised past the workflow's own handlers."""

    def __init__(self, raised: Exception) -> None:
        self.raised = raised
        super().__init__(str(raised))


def instructions_of(workflow: Workflow) -> dict[CallSite, tuple[str | None, list[str]]]:
    """Returns, for each call site, its prompt where that is certain, and the inputs that the call gives.

    A prompt is certain when the call's ``instruction`` is a string, or a prompt constant that is never rewritten.
    """
    program, rewritten = workflow.program, rewritten_prompts(workflow.program)
    found: dict[CallSite, tuple[str | None, list[str]]] = {}
    for method in program.methods:
        for node in method.walk():
            if self_call(node) not in program.bindings:
                continue
            call: Any = node
            given = {str(item.arg): item.value for item in call.keywords}
            prompt = _certain(given.get("instruction"), workflow, rewritten)
            names = [name for name in given if name != "instruction" or prompt is None]
            found[program.site_of(call)] = (prompt, names)
    return {site: found[site] for site in program.sites}


def _certain(node: ast.expr | None, workflow: Workflow, rewritten: set[str]) -> str | None:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Attribute(value=ast.Name(id="prompt_custom"), attr=name) if name not in rewritten:
            return workflow.prompts.get(name)
    return None
