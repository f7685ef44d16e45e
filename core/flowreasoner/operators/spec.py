"""What an operator is: a declaration that every backend can render, and the step it performs.

An operator (paper §4.3 and Appendix A) is one kind of step of a workflow. The declaration (name, typed
inputs and outputs, prompt, description for the meta-agent) is all that a backend needs to render the
step over a LangChain model, a `dspy.LM` or MetaGPT's LLM; `perform` adds what a prompt alone cannot do,
such as running tests.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

from flowreasoner.errors import OperatorError

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from flowreasoner.sandbox import RunOutput, Verdict

__all__ = ["REQUIRED", "FieldKind", "Operator", "OperatorField", "Toolkit"]


class _Required:
    """The one value of its kind, also after copying and pickling: it is compared by identity."""

    def __repr__(self) -> str:
        return "REQUIRED"

    def __reduce__(self) -> str:
        return "REQUIRED"  # the name under which this module holds it


REQUIRED: Any = _Required()
"""Default of a field that has none."""


class FieldKind(Enum):
    """What a field holds, and so how it is asked for and read from a model's reply."""

    TEXT = "text"
    CODE = "code"
    FLAG = "flag"
    TEXTS = "texts"
    NUMBER = "number"

    @property
    def python_type(self) -> str:
        """The type as an interface shows it, e.g. ``list[str]``."""
        return {"flag": "bool", "texts": "list[str]", "number": "int"}.get(self.value, "str")


@dataclass(frozen=True, slots=True)
class OperatorField:
    """One input, output or reply field of an operator."""

    name: str
    description: str = ""
    kind: FieldKind = FieldKind.TEXT
    default: Any = REQUIRED


class Toolkit(Protocol):
    """What an operator may use while it performs its step; every backend supplies its own."""

    random: random.Random

    async def ask(self, operator: Operator, values: Mapping[str, Any], *, entry_point: str = "") -> dict[str, Any]:
        """Asks the worker the operator's prompt filled with `values`; returns its reply as `operator.reply` fields."""
        ...

    async def grade(self, code: str, test_cases: Sequence[str] | None = None) -> Verdict:
        """Runs `test_cases`, or the query's feedback tests, against `code` in the sandbox."""
        ...

    async def run(self, code: str) -> RunOutput:
        """Runs a program in the sandbox and returns what it printed."""
        ...


@dataclass(frozen=True)
class Operator:
    """A kind of step.

    Attributes:
        name: Class name in a workflow's ``operator.Name(self.llm)``, AFlow's where AFlow has it.
        attribute: Attribute under which workflows call it, e.g. ``sc_ensemble``.
        description: One sentence for the meta-agent.
        inputs: Keyword arguments, in positional order.
        outputs: Keys of the dictionary that the call returns.
        prompt: Template in which ``{input_name}`` stands for an input.
        reply: What the model is asked to answer with; the outputs, unless given.
        perform: ``perform(operator, toolkit, inputs) -> outputs``; one question to the model, unless given.
        question: What `perform` asks the worker, where that is not the operator's own prompt.
    """

    name: str
    attribute: str
    description: str
    inputs: tuple[OperatorField, ...]
    outputs: tuple[OperatorField, ...]
    prompt: str
    reply: tuple[OperatorField, ...] = ()
    perform: Callable[[Operator, Toolkit, dict[str, Any]], Awaitable[dict[str, Any]]] | None = field(
        default=None, compare=False
    )
    question: Operator | None = None

    def __post_init__(self) -> None:
        if not self.reply:
            object.__setattr__(self, "reply", self.outputs)

    @property
    def output_names(self) -> tuple[str, ...]:
        """Keys of the dictionary that a call returns."""
        return tuple(item.name for item in self.outputs)

    def interface(self) -> str:
        """Returns the call as the meta-agent sees it, in AFlow's notation."""
        arguments = ", ".join(
            f"{item.name}: {item.kind.python_type}" + ("" if item.default is REQUIRED else f" = {item.default!r}")
            for item in self.inputs
        )
        keys = " and ".join(f"{item.name!r} of type {item.kind.python_type}" for item in self.outputs)
        return f"{self.attribute}({arguments}) -> dict with key{'s' * (len(self.outputs) > 1)} {keys}"

    def render(self, inputs: Mapping[str, Any]) -> str:
        """Returns the prompt with each ``{name}`` filled in, once, from `inputs` or the input's default."""
        values = {item.name: item.default for item in self.inputs} | dict(inputs)

        def filled(match: re.Match[str]) -> str:
            return _text(values[match[1]]) if match[1] in values else match[0]

        return re.sub(r"\{(\w+)\}", filled, self.prompt).strip()

    async def __call__(self, toolkit: Toolkit, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Performs the step.

        Args:
            toolkit: The worker, the sandbox and the query's feedback tests.
            inputs: Values by input name; missing optional ones take their default.

        Returns:
            One value per output.

        Raises:
            OperatorError: If an input cannot be used or the model's reply cannot be read.
        """
        given = {item.name: item.default for item in self.inputs} | dict(inputs)
        missing = [name for name, value in given.items() if value is REQUIRED]
        if missing:
            raise OperatorError(f"{self.name} needs {' and '.join(map(repr, missing))}: {self.interface()}")
        if self.perform is not None:
            return await self.perform(self, toolkit, given)
        return await toolkit.ask(self, given, entry_point=str(given.get("entry_point", "")))


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "\n\n".join(str(item) for item in value)
    return "" if value is None or value is REQUIRED else str(value)
