import pytest

from flowreasoner.designers.reply import read_proposal
from flowreasoner.models import Completion

GRAPH = "class Workflow:\n    async def __call__(self, problem):\n        return await self.x()"
PARTS = f"<modification>Do  it\nwell.</modification>\n<graph>\n{GRAPH}\n</graph>\n<prompt>\nA = 'x'\n</prompt>"


@pytest.mark.parametrize(
    ("text", "reasoning"),
    [
        (f"<think>Hm.\nSo.</think>{PARTS}", "Hm.\nSo."),
        (f"Hm.\nSo.</think>{PARTS}", "Hm.\nSo."),
        (f"<thinking>Hm.</thinking>\n{PARTS}", "Hm."),
        (f"Hm, first this.\n{PARTS}", "Hm, first this."),
        (PARTS, ""),
    ],
)
def test_thoughts_are_told_from_the_answer(text, reasoning):
    proposed = read_proposal(Completion(text))
    assert proposed.reasoning == reasoning
    assert (proposed.modification, proposed.graph, proposed.prompt) == ("Do it well.", GRAPH, "A = 'x'")


def test_the_providers_reasoning_field_comes_first():
    assert (
        read_proposal(Completion(f"Also this.\n{PARTS}", "From the field.")).reasoning
        == "From the field.\n\nAlso this."
    )


@pytest.mark.parametrize(
    "text",
    [
        f"<graph>{GRAPH}",
        f"Here:\n```python\n{GRAPH}\n```\nDone.",
        f"<think>maybe <graph>no</graph></think><graph>\n{GRAPH}\n</graph>",
        f"<graph>an earlier try</graph> better: <graph>\n{GRAPH}\n</graph>",
        f"<code>\n{GRAPH}\n</code>",
        f"<graph>\n{GRAPH}\n<prompt>\nA = 'x'\n</prompt>",
        GRAPH,
    ],
)
def test_the_workflow_is_found_in_other_forms(text):
    assert read_proposal(Completion(text)).graph.strip() == GRAPH


@pytest.mark.parametrize("text", ["", "I cannot do that.", "<graph></graph>", "<prompt>A = 1</prompt>"])
def test_a_reply_without_a_workflow_gives_none(text):
    assert read_proposal(Completion(text)).graph == ""


def test_prompts_may_be_fenced():
    text = f"<graph>{GRAPH}</graph><prompt>\n```python\nA = 'x'\n```\n</prompt>"
    assert read_proposal(Completion(text)).prompt == "A = 'x'\n"


@pytest.mark.parametrize("text", ["<graph>" * 50_000, "<" * 300_000, "`" * 300_000, "\n" * 300_000, "<think>" * 40_000])
def test_hostile_replies_are_read_quickly(text):
    read_proposal(Completion(text))  # the suite's time limit is the assertion; most finish in milliseconds
    assert len(read_proposal(Completion(text)).graph) < len(text)
