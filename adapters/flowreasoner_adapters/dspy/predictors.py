"""Predictors: one per operator call site, a `dspy.Predict` that performs the operator on the current LM."""

from __future__ import annotations

import asyncio
import random
import re
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import dspy
from dspy.utils.exceptions import AdapterParseError

from flowreasoner.errors import OperatorError
from flowreasoner.operators import BUILTIN, REQUIRED, FieldKind, Operator, OperatorField, extract_code
from flowreasoner.operators.toolkit import SuiteToolkit
from flowreasoner.sandbox.suite import Suite
from flowreasoner_adapters.dspy.model import checked_lm
from flowreasoner_adapters.hosting import Sandboxes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flowreasoner.sandbox import Sandbox


__all__ = ["OperatorPredict", "ReplyUnusable", "RunSettings", "run_settings", "task_of"]

_TYPES: dict[FieldKind, Any] = {FieldKind.FLAG: bool, FieldKind.TEXTS: list[str], FieldKind.NUMBER: int}
_LABEL = re.compile(r"[^{}]*:\s*\{\w+\}|\{\w+\}|[^{}]*:")


@dataclass
class RunSettings:
    """What all calls of one run share.

    Attributes:
        entry_point: Function that an answer defines.
        tests: Feedback tests of `Test`.
        sandboxes: Where code runs.
        seed: Seeds the order of votes.
        draws: How often each call was made, so that a repeated one is drawn anew instead of taken from the cache.
    """

    entry_point: str = ""
    tests: Suite | None = None
    sandboxes: Sandboxes = field(default_factory=Sandboxes)
    seed: int = 0
    draws: dict[str, int] = field(default_factory=dict)

    def draw(self, call: str) -> int:
        """Returns the number of a call among the same ones of the run, from 0."""
        number = self.draws.get(call, 0)
        self.draws[call] = number + 1
        return number


_current: ContextVar[RunSettings | None] = ContextVar("flowreasoner_run", default=None)


@contextmanager
def run_settings(settings: RunSettings) -> Iterator[None]:
    """Makes settings the current run's."""
    token = _current.set(settings)
    try:
        yield
    finally:
        _current.reset(token)


def task_of(operator: Operator) -> str:
    """Returns what an operator's prompt asks for, without the places where its inputs stand.

    DSPy shows inputs as fields of their own, so that only the task is left for a signature's instructions.
    """
    kept = []
    for paragraph in operator.prompt.split("\n\n"):
        lines = [line for line in paragraph.split("\n") if not re.fullmatch(r"\{\w+\}", line.strip())]
        text = "\n".join(lines).strip()
        if text and not _LABEL.fullmatch(text):
            kept.append(re.sub(r"`?\{(\w+)\}`?", r"the given \1", text))
    return "\n\n".join(kept)


class ReplyUnusable(OperatorError, AdapterParseError):  # type: ignore[misc]  # DSPy is not typed
    """An LM's reply could not be read, twice: an error of the operator, in the form from which DSPy's GEPA learns.

    Attributes:
        lm_response: The last reply.
        signature: What was asked for.
    """

    def __init__(self, operator: str, problem: AdapterParseError) -> None:
        # What was parsed of it is left out: DSPy 3.4 divides the list of these fields by another one.
        AdapterParseError.__init__(self, problem.adapter_name, problem.signature, problem.lm_response)
        self.message = f"the reply to {operator} cannot be read: {problem}"

    def __str__(self) -> str:
        return str(self.message)


class _Unreadable(Exception):
    """A field of a reply is empty or of the wrong kind."""


class OperatorPredict(dspy.Predict):  # type: ignore[misc]  # DSPy is not typed
    """Performs an operator: ``await predictor.run(problem=..., solution=...)`` gives its outputs as a dictionary.

    It is an ordinary predictor, so that tracing, demos, optimizers, per-predictor LMs and saving work on it.

    Args:
        operator: The operator, or its class name.
        instructions: The workflow's prompt for this call; the operator's own task follows it.
        inputs: Names of the inputs that the call gives; all of them unless given.
        operators: Operators by class name, for a name that is not built in.
    """

    def __init__(
        self,
        operator: Operator | str,
        instructions: str = "",
        inputs: Sequence[str] | None = None,
        *,
        operators: Mapping[str, Operator] = BUILTIN,
    ) -> None:
        self.operator = operators[operator] if isinstance(operator, str) else operator
        self.prompt = instructions
        question = self.operator.question or self.operator
        parts = [instructions.strip(), task_of(question)]
        told = "\n\n".join(part for part in parts if part) or self.operator.description
        asked, answers = _asked(self.operator, inputs), {item.name for item in question.reply}
        # A signature cannot have an input and an output of one name.
        self.names = {item.name: f"given_{item.name}" if item.name in answers else item.name for item in asked}
        fields = {self.names[item.name]: (_type(item), dspy.InputField(desc=_about(item))) for item in asked}
        for item in question.reply:
            fields[item.name] = (_type(item), dspy.OutputField(desc=_about(item), **_optional(item)))
        super().__init__(dspy.Signature(fields, told))

    async def run(self, **inputs: Any) -> dict[str, Any]:
        """Performs the operator.

        Args:
            inputs: Its arguments by name.

        Returns:
            One value per output.

        Raises:
            OperatorError: If an input or the LM's reply cannot be used.
        """
        settings = _current.get() or RunSettings()
        if "instruction" not in self.names and any(item.name == "instruction" for item in self.operator.inputs):
            inputs.setdefault("instruction", self.prompt)
        toolkit: Any = _Toolkit(self, settings)
        return dict(await self.operator(toolkit, inputs))

    async def ask(self, reply: Sequence[OperatorField], values: Mapping[str, Any], entry_point: str) -> dict[str, Any]:
        """Asks the LM; a reply that cannot be read is asked for once more.

        Raises:
            OperatorError: If the second reply cannot be read either.
            ModelRefused: If there is no LM, or it is none of DSPy's.
        """
        settings = _current.get() or RunSettings()
        given = {field: _given(values[name]) for name, field in self.names.items() if name in values}
        lm = checked_lm(self.lm or dspy.settings.lm)
        problem: Exception | None = None
        for _ in range(2):
            number = settings.draw(f"{id(self)}/{given!r}")
            # Repeated calls are independent samples; without an id of its own, each would be the first's cached reply.
            config = {"rollout_id": number} if number and getattr(lm, "kwargs", {}).get("temperature") != 0 else {}
            try:
                prediction = await self._predict({**given, "config": config})
                return {item.name: _read(prediction.get(item.name), item, entry_point) for item in reply}
            except (AdapterParseError, _Unreadable) as error:
                problem = error
        if isinstance(problem, AdapterParseError):
            raise ReplyUnusable(self.operator.name, problem) from None
        raise OperatorError(f"the reply to {self.operator.name} cannot be read: {problem}") from None

    async def _predict(self, given: dict[str, Any]) -> Any:
        try:
            return await self.acall(**given)
        except NotImplementedError:  # an LM that is only synchronous
            return await asyncio.to_thread(self, **given)


class _Toolkit(SuiteToolkit):
    """Lets an operator ask the LM through its predictor, and run code in the sandbox."""

    def __init__(self, predictor: OperatorPredict, settings: RunSettings) -> None:
        self.predictor, self.settings = predictor, settings
        self.feedback, self.entry_point = settings.tests, settings.entry_point
        self.random = random.Random(f"{settings.seed}/{settings.draw(predictor.operator.name)}")  # noqa: S311

    @property
    def sandbox(self) -> Sandbox:  # type: ignore[override]  # made on first use
        """The sandbox of the running event loop."""
        return self.settings.sandboxes.here()

    async def ask(self, operator: Operator, values: Mapping[str, Any], *, entry_point: str = "") -> dict[str, Any]:
        """Asks the predictor's LM."""
        return await self.predictor.ask(operator.reply, values, entry_point)


def _asked(operator: Operator, inputs: Sequence[str] | None) -> list[OperatorField]:
    """Returns the input fields of a signature: those of the prompt, as far as the call gives them."""
    question = operator.question or operator
    known = {item.name: item for item in (*question.inputs, *operator.inputs)}
    places = list(dict.fromkeys(re.findall(r"\{(\w+)\}", question.prompt)))
    own = {item.name for item in operator.inputs}
    return [
        known.get(name, OperatorField(name)) for name in places if inputs is None or name not in own or name in inputs
    ]


def _type(item: OperatorField) -> Any:
    return _TYPES.get(item.kind, str)


def _optional(item: OperatorField) -> dict[str, str]:
    return {"default": ""} if item.default == "" else {}


def _about(item: OperatorField) -> str:
    return item.description or item.name.replace("_", " ")


def _given(value: Any) -> Any:
    return "" if value is None or value is REQUIRED else value


def _read(value: Any, item: OperatorField, entry_point: str) -> Any:
    """Returns a field of a reply as the operator takes it, by the rules of `flowreasoner.operators.replies`."""
    if item.kind is FieldKind.FLAG:
        if not isinstance(value, bool):
            raise _Unreadable(f"the field {item.name} must be true or false, not {value!r:.40}")
        return value
    text = str("" if value is None else value).strip()
    if item.kind is FieldKind.CODE:
        code = extract_code(text, entry_point)
        if not code.strip():
            raise _Unreadable("there is no Python code in the reply")
        return code
    if not text and item.default != "":
        raise _Unreadable(f"the field {item.name} is empty")
    return text
