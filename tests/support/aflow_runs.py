"""Runs the files that the AFlow backend writes, on the installed MetaGPT; tests and benchmarks only.

It executes the given sources, so it must only ever see workflows that this repository wrote.
"""

from __future__ import annotations

import contextlib
import itertools
import sys
import types
from collections.abc import Iterator, Mapping
from typing import Any

from flowreasoner.errors import WorkflowInvalid
from flowreasoner.workflow import Workflow
from flowreasoner_adapters.aflow import install, load_metagpt, operators_use, round_source

__all__ = ["llm_config", "run_aflow", "written_graph"]

_numbers = itertools.count()


def llm_config(base_url: str = "http://127.0.0.1:9/v1", model: str = "gpt-4o-mini") -> Any:
    """Returns a MetaGPT configuration of a model at an address, by default one that nobody answers at."""
    return load_metagpt().LLMConfig(api_type="openai", base_url=base_url, api_key="sk-test-key", model=model)


@contextlib.contextmanager
def written_graph(files: Mapping[str, str], config: Any, dataset: str = "HumanEval") -> Iterator[Any]:
    """Gives an instance of the class in a round's files, imported as the package that their folder is."""
    package = f"aflow_round_{next(_numbers)}"
    modules = {package: types.ModuleType(package)}
    modules[package].__path__ = []
    for name in ("prompt", "graph"):
        module = types.ModuleType(f"{package}.{name}")
        module.__package__ = package
        modules[module.__name__] = module
        setattr(modules[package], name, module)
    sys.modules |= modules
    try:
        for name in ("prompt", "graph"):
            code = compile(files[f"{name}.py"], f"{package}/{name}.py", "exec", dont_inherit=True)
            exec(code, modules[f"{package}.{name}"].__dict__)
        modules[f"{package}.graph"].__dict__["print"] = lambda *_: None  # generated workflows print
        yield modules[f"{package}.graph"].Workflow(name="test", llm_config=config, dataset=dataset)
    finally:
        for name in modules:
            del sys.modules[name]


async def run_aflow(source: str, prompts: dict[str, str], arguments: dict[str, Any], oracle: Any) -> tuple[str, str]:
    """Runs a workflow as the files that the backend writes, with operators that ask the oracle.

    Returns:
        ``("answer", text)``, or ``("error", exception type)``.
    """
    install()
    workflow = Workflow.parse(source, prompts)
    try:
        files = round_source(workflow)
    except WorkflowInvalid:  # arguments that only FlowReasoner's operators take
        files = round_source(workflow, operators="flowreasoner")

    async def perform(operator: Any, inputs: dict[str, Any]) -> dict[str, Any]:
        return await oracle(operator.name, inputs)

    with written_graph(files, llm_config()) as graph, operators_use(perform=perform):
        try:
            answer, cost = await graph(**arguments)
        except Exception as error:
            return "error", type(error).__name__
    assert cost == 0.0
    if answer is None:
        return "error", "TypeError"
    return "answer", answer if isinstance(answer, str) else str(answer)
