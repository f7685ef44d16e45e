"""FlowReasoner's operators under AFlow's calling convention: ``operator.Custom(self.llm)(input=..., instruction=...)``.

They ask through MetaGPT's `ActionNode` and LLM, and run code in FlowReasoner's sandbox. `install` puts this module
where AFlow's files import it from, only if MetaGPT has none of its own there, as on PyPI.
"""

from __future__ import annotations

import contextlib
import random
import sys
import types
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

from flowreasoner.operators import BUILTIN
from flowreasoner.operators import Operator as Declaration
from flowreasoner.operators.toolkit import ModelToolkit
from flowreasoner.sandbox import Suite
from flowreasoner_adapters.aflow.host import is_checkout, load_metagpt
from flowreasoner_adapters.aflow.llm import MetaGPTModel
from flowreasoner_adapters.hosting import Sandboxes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flowreasoner.sandbox import Sandbox

__all__ = [*BUILTIN, "Operator", "install", "operators_use"]

Perform = Callable[[Declaration, dict[str, Any]], Awaitable[dict[str, Any]]]
"""Performs a call in place of a model: ``await perform(operator, inputs) -> outputs``."""

_ORDER = {"Test": ("problem", "solution", "entry_point", "test_loop", "test_cases")}
"""AFlow's positional order, where it is not the declaration's."""

_PACKAGES = ("metagpt.ext.aflow", "metagpt.ext.aflow.scripts")
_DATASETS = ("HumanEval", "MBPP", "GSM8K", "MATH", "HotpotQA", "DROP")


@dataclass(frozen=True)
class _Use:
    """What operators use: see `operators_use`."""

    perform: Perform | None = None
    sandbox: Sandbox | None = None
    tests: Mapping[str, Suite] | None = None


_NOTHING = _Use()
_use: ContextVar[_Use] = ContextVar("flowreasoner_aflow_operators", default=_NOTHING)
_sandboxes = Sandboxes()


@contextlib.contextmanager
def operators_use(
    *, perform: Perform | None = None, sandbox: Sandbox | None = None, tests: Mapping[str, Suite] | None = None
) -> Iterator[None]:
    """Says what the operators of AFlow's files use, inside a ``with`` block and tasks started in it.

    Args:
        perform: Performs every call in place of the model, e.g. in a test.
        sandbox: Runs code; the strongest that isolates unless given.
        tests: Public tests of ``Test`` by entry point; AFlow's ``*_public_test.jsonl`` files unless given.
    """
    before = _use.get()
    tests = before.tests if tests is None else tests
    token = _use.set(_Use(perform or before.perform, sandbox or before.sandbox, tests))
    try:
        yield
    finally:
        _use.reset(token)


class Operator:
    """An operator as AFlow's files use it.

    Args:
        llm: An LLM of MetaGPT.
        name: Name for traces.
    """

    declaration: ClassVar[Declaration]

    def __init__(self, llm: Any, name: str = "") -> None:
        self.llm, self.name = llm, name or type(self).__name__
        self._model: MetaGPTModel | None = None

    async def __call__(self, *args: Any, **named: Any) -> dict[str, Any]:
        """Performs the step.

        Returns:
            A dictionary with AFlow's keys.

        Raises:
            TypeError: If the arguments are not the operator's.
            OperatorError: If the step cannot be done.
            ModelError: If the model cannot be reached.
        """
        inputs = self._inputs(args, named)
        perform = _use.get().perform
        if perform is not None:
            return await perform(self.declaration, inputs)
        return await self.declaration(self._toolkit(str(inputs.get("entry_point", ""))), inputs)

    def _inputs(self, args: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
        declared = [item.name for item in self.declaration.inputs]
        order = _ORDER.get(self.declaration.name, tuple(declared))
        named.pop("mode", None)  # AFlow's way of filling, which has no meaning here
        if len(args) > len(order):
            raise TypeError(f"{self.declaration.name} takes {len(order)} arguments, got {len(args)}")
        inputs = dict(zip(order, args, strict=False))
        for key, value in named.items():
            if key not in declared or key in inputs:
                problem = "an unknown" if key not in declared else "a repeated"
                raise TypeError(
                    f"{self.declaration.name} got {problem} argument {key!r}: {self.declaration.interface()}"
                )
            inputs[key] = value
        return inputs

    def _toolkit(self, entry_point: str) -> ModelToolkit:
        self._model = self._model or MetaGPTModel(self.llm)
        use = _use.get()
        suite = _public_tests(entry_point, use.tests) if self.declaration.name == "Test" else None
        source = random.Random()  # noqa: S311 - shuffles candidates
        return ModelToolkit(
            self._model, use.sandbox or _sandboxes.here(), suite, entry_point, self.name, source, lambda _: None
        )


def _public_tests(entry_point: str, tests: Mapping[str, Suite] | None) -> Suite | None:
    if tests is not None:
        return tests.get(entry_point)
    from flowreasoner_adapters.aflow.datasets import public_tests

    return public_tests().get(entry_point)


def _made(declaration: Declaration) -> type[Operator]:
    body = {"__doc__": declaration.description, "declaration": declaration, "__module__": __name__}
    return type(declaration.name, (Operator,), body)


globals().update({name: _made(declaration) for name, declaration in BUILTIN.items()})


def __getattr__(name: str) -> Any:
    if name in ("CostManager", "create_llm_instance"):  # MetaGPT's, for files that use these operators
        return getattr(load_metagpt(), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def install() -> str:
    """Makes ``metagpt.ext.aflow.scripts.operator`` and its neighbours importable where MetaGPT lacks them.

    Returns:
        ``"metagpt"`` where MetaGPT has AFlow itself, which then stays as it is; else ``"flowreasoner"``.

    Raises:
        PluginError: If MetaGPT cannot be imported.
    """
    load_metagpt()
    if is_checkout():
        return "metagpt"
    if _PACKAGES[0] not in sys.modules:
        evaluator = types.ModuleType(f"{_PACKAGES[1]}.evaluator", "AFlow's name for the kinds of data sets.")
        setattr(evaluator, "DatasetType", __import__("typing").Literal[_DATASETS])  # noqa: B010 - a module's name
        for name in _PACKAGES:
            package = types.ModuleType(name, "FlowReasoner's stand-in for what PyPI's MetaGPT lacks.")
            package.__path__ = []
            _put(name, package)
        _put(f"{_PACKAGES[1]}.operator", sys.modules[__name__])
        _put(evaluator.__name__, evaluator)
        _put(f"{_PACKAGES[1]}.optimizer", import_module("flowreasoner_adapters.aflow.optimizer"))
    return "flowreasoner"


def _put(name: str, module: types.ModuleType) -> None:
    parent, _, last = name.rpartition(".")
    sys.modules[name] = module
    setattr(import_module(parent), last, module)
