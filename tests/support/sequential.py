"""Runs a workflow as plain sequential Python, the way AFlow does; tests and benchmarks only compare with it.

It executes the given source, so it must only ever see sources that this repository wrote.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import types
from dataclasses import dataclass, field
from typing import Any

from flowreasoner.engine import Call
from flowreasoner.errors import OperatorError
from flowreasoner.operators import BUILTIN, REQUIRED, FieldKind


def signature(name: str, inputs: dict[str, Any]) -> str:
    """Returns one operator call as text, the same for engine and plain Python."""
    defaults = {item.name: item.default for item in BUILTIN[name].inputs if item.default is not REQUIRED}
    return f"{name}({json.dumps({**defaults, **inputs}, sort_keys=True, default=str)})"


@dataclass
class Oracle:
    """A deterministic worker: outputs and failures follow from a call's arguments alone.

    Args:
        failures: Share of calls that fail, in [0, 1].
        latency: Longest time a call takes, in seconds; it too follows from the arguments.
    """

    failures: float = 0.0
    latency: float = 0.0
    calls: list[str] = field(default_factory=list)

    async def __call__(self, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
        text = signature(name, inputs)
        self.calls.append(text)
        digest = hashlib.sha256(text.encode()).digest()
        if self.latency:
            await asyncio.sleep(self.latency * digest[1] / 255)
        if digest[2] / 255 < self.failures:
            raise OperatorError(f"{name} failed on {digest[:2].hex()}")
        outputs: dict[str, Any] = {}
        for index, item in enumerate(BUILTIN[name].outputs):
            byte = digest[3 + index]
            outputs[item.name] = byte % 2 == 0 if item.kind is FieldKind.FLAG else f" {'abc'[byte % 3]}{byte} "
        if name == "ScEnsemble":
            solutions = list(inputs["solutions"])
            outputs["response"] = solutions[digest[3] % len(solutions)] if solutions else "none"
        return outputs

    async def perform(self, operator: Any, inputs: dict[str, Any], call: Call) -> dict[str, Any]:
        """Performs a call for the engine."""
        del call
        return await self(operator.name, inputs)


class _Operators(types.SimpleNamespace):
    """Stands in for AFlow's operator module: ``operator.Custom(llm)(input=…)``."""


def operators(oracle: Any) -> Any:
    """Returns a module-like object whose classes call the oracle."""

    def make(name: str) -> Any:
        def construct(*_: Any, **__: Any) -> Any:
            async def call(**inputs: Any) -> dict[str, Any]:
                return await oracle(name, inputs)

            return call

        return construct

    return _Operators(**{name: make(name) for name in BUILTIN})


async def run_sequentially(
    source: str, prompts: dict[str, str], arguments: dict[str, Any], oracle: Any
) -> tuple[str, str]:
    """Runs canonical source as it stands.

    Returns:
        ``("answer", text)``, or ``("error", exception type)``.
    """
    llm = types.SimpleNamespace(cost_manager=types.SimpleNamespace(total_cost=0.0))
    namespace: dict[str, Any] = {
        "operator": operators(oracle),
        "prompt_custom": types.SimpleNamespace(**prompts),
        "create_llm_instance": lambda _: llm,
        "print": lambda *_: None,
    }
    exec(compile(source, "workflow.py", "exec"), namespace)
    workflow = namespace["Workflow"]("test", None, "")
    try:
        result = await workflow(**arguments)
    except Exception as error:
        return "error", type(error).__name__
    value = result[0] if isinstance(result, tuple) else result
    if value is None:
        return "error", "TypeError"
    return "answer", value if isinstance(value, str) else str(value)
