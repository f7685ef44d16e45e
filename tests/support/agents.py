"""Scripted meta-agents and workers for tests of the rounds."""

from __future__ import annotations

from flowreasoner import Query, Suite
from flowreasoner.models import FunctionModel

RIGHT = "def add(a, b):\n    return a + b"
WRONG = "def add(a, b):\n    return a - b"
HALF = "def add(a, b):\n    return abs(a) + abs(b)"

ADD = Query(
    "Write add(a, b), the sum of two numbers.",
    id="add",
    entry_point="add",
    feedback=Suite.asserts(["assert add(1, 2) == 3", "assert add(-1, -1) == -2"], "add"),
    hidden=Suite.asserts(["assert add(2, 2) == 4", "assert add(-5, 1) == -4"], "add"),
)


def proposal(body: str, prompts: str = 'WRITE = "Write it."', *, modification: str = "A change.") -> str:
    """Returns a meta-agent's reply with a workflow of the given body."""
    graph = "class Workflow:\n    async def __call__(self, problem, entry_point):\n" + body
    parts = {"modification": modification, "graph": f"\n{graph}\n", "prompt": f"\n{prompts}\n"}
    return "\n".join(f"<{tag}>{text}</{tag}>" for tag, text in parts.items())


def one_call(word: str = "Write it.") -> str:
    """Returns a proposal with one call whose prompt is `word`."""
    return proposal(
        "        s = await self.custom_code_generate(problem=problem, entry_point=entry_point, "
        "instruction=prompt_custom.WRITE)\n        return s['response'], self.llm.cost_manager.total_cost",
        f"WRITE = {word!r}",
        modification=f"Use {word}",
    )


def coder(code: str | dict[str, str]) -> FunctionModel:
    """Returns a worker that answers with code: always the same, or by a word of the prompt."""

    def answer(request):
        prompt = request.messages[-1].content
        if isinstance(code, str):
            return f"```python\n{code}\n```"
        return next(f"```python\n{text}\n```" for word, text in code.items() if word in prompt)

    return FunctionModel(answer, "function:coder")
