"""The toolkit of the product's own engine: a chat model as worker, the sandbox, the query's feedback tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flowreasoner.errors import ModelError, OperatorError
from flowreasoner.models.base import ChatRequest
from flowreasoner.operators import prompts
from flowreasoner.operators.replies import ReplyUnreadable, form, read_reply
from flowreasoner.sandbox.suite import Suite

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping, Sequence

    from flowreasoner.budget import Spending
    from flowreasoner.models.base import ChatModel, Completion
    from flowreasoner.operators.spec import Operator
    from flowreasoner.sandbox import RunOutput, Sandbox, Verdict

__all__ = ["ModelToolkit", "SuiteToolkit"]


class SuiteToolkit:
    """The half of a toolkit that runs code: a query's feedback tests, and programs, in the sandbox.

    Attributes:
        sandbox: Runs code.
        feedback: The query's feedback tests, or None when it has none.
        entry_point: Function that solutions define.
    """

    sandbox: Sandbox
    feedback: Suite | None
    entry_point: str

    async def grade(self, code: str, test_cases: Sequence[str] | None = None) -> Verdict:
        """Runs the given assert statements, or the query's feedback tests, against a solution.

        Raises:
            OperatorError: If there are no tests, or the given ones do not parse.
            SandboxError: If the sandbox fails.
        """
        from flowreasoner.errors import QueryError
        from flowreasoner.operators.replies import extract_code

        suite = self.feedback
        if test_cases and (suite is None or list(test_cases) != [case.source for case in suite.cases]):
            try:
                suite = Suite.asserts([str(test) for test in test_cases], self.entry_point)
            except QueryError as error:
                raise OperatorError(f"the test cases of Test cannot be used: {error}") from None
        if suite is None:
            raise OperatorError("Test has nothing to run: the query comes without tests")
        return await self.sandbox.grade(extract_code(str(code), self.entry_point) or str(code), suite)

    async def run(self, code: str) -> RunOutput:
        """Runs a program in the sandbox."""
        return await self.sandbox.run(code)


class ModelToolkit(SuiteToolkit):
    """Lets one operator call use a chat model and the sandbox.

    Args:
        worker: The model that performs steps.
        sandbox: Runs code.
        feedback: The query's feedback tests, or None when it has none.
        entry_point: Function that solutions define.
        draw: Prefix of the draws of this call's requests.
        source: Randomness, seeded per call.
        charge: Called with what each model call cost.
        permit: Called before each model call; raises when there is nothing left to pay it with.
    """

    def __init__(
        self,
        worker: ChatModel,
        sandbox: Sandbox,
        feedback: Suite | None,
        entry_point: str,
        draw: str,
        source: random.Random,
        charge: Callable[[Spending], None],
        permit: Callable[[], None] = lambda: None,
    ) -> None:
        self.worker, self.sandbox, self.feedback, self.entry_point = worker, sandbox, feedback, entry_point
        self.random = source
        self._draw, self._charge, self._permit, self._asked = draw, charge, permit, 0

    async def ask(self, operator: Operator, values: Mapping[str, Any], *, entry_point: str = "") -> dict[str, Any]:
        """Asks the worker; a reply that cannot be read is asked for once more, with the reason.

        Raises:
            OperatorError: If the second reply cannot be read either.
            ModelError: If the worker cannot be reached.
        """
        asked = form(operator.reply)
        request = ChatRequest.ask(
            f"{operator.render(values)}\n\n{asked}".strip(),
            draw=self._next_draw(),
            purpose=operator.name,
            permit=self._permit,
        )
        completion = await self._complete(request)
        try:
            return read_reply(completion.text, operator.reply, entry_point=entry_point)
        except ReplyUnreadable as problem:
            correction = prompts.CORRECTION.format(reason=problem, form=asked or "Answer again.")
        completion = await self._complete(request.then(completion.text, correction, f"{request.draw}+"))
        try:
            return read_reply(completion.text, operator.reply, entry_point=entry_point)
        except ReplyUnreadable as problem:
            raise OperatorError(f"the reply to {operator.name} cannot be read: {problem}") from None

    def _next_draw(self) -> str:
        self._asked += 1
        return f"{self._draw}.{self._asked}"

    async def _complete(self, request: ChatRequest) -> Completion:
        self._permit()
        try:
            completion = await self.worker.complete(request)
        except ModelError as error:
            if error.spent is not None:
                self._charge(error.spent)
            raise
        self._charge(completion.spending)
        return completion
