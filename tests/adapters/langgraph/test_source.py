"""The exported module: stands on its own, passes ruff, and does what the live graph does."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("langgraph")
from fake_chat import FakeChat, workflow_of
from hand_written import HAND_WRITTEN
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import RetryPolicy

from flowreasoner.workflow import Workflow
from flowreasoner_adapters.langgraph import LangGraphBackend

SAMPLES = """
texts = []
for i in range(3):
    draft = await self.custom(input=problem, instruction=f'sample {i}')
    texts.append(draft['response'])
return ' '.join(texts)
"""
REWRITTEN = """
a = await self.custom(input=problem, instruction=prompt_custom.SOLVE)
prompt_custom.SOLVE += a['response']
b = await self.custom(input=problem, instruction=prompt_custom.SOLVE)
return self.tidy(b['response']) + prompt_custom.CHECK
"""
SYNC_HELPER = """
def tidy(self, text, width=5):
    return text.strip()[:width] + prompt_custom.SOLVE[:3]
"""
GATHERED = "a, b = await asyncio.gather(self.ask('a'), self.ask('b'))\nreturn a + b"
ASYNC_HELPER = """
async def ask(self, text):
    draft = await self.custom(input=text, instruction='x')
    review = await self.review(problem=text, solution=draft['response'])
    return draft['response'] if review['review_result'] else 'rejected'
"""
FINALLY = """
log = []
for i in range(3):
    try:
        a = await self.custom(input=str(i), instruction='x')
        log.append(str(1 // i))
        if i == 2:
            return ' '.join(log)
    except ZeroDivisionError as error:
        log.append(str(error))
    finally:
        b = await self.custom(input=str(i), instruction='finally')
        log.append(b['response'])
return 'end'
"""
CASES = {
    "samples": (SAMPLES, ""),
    "rewritten prompts and a helper": (REWRITTEN, SYNC_HELPER),
    "gathered helpers": (GATHERED, ASYNC_HELPER),
    "try and finally": (FINALLY, ""),
}


def text_of(body, members=""):
    return LangGraphBackend().source(workflow_of(body, members))["workflow.py"]


def built(text, model, **settings):
    namespace = {"__name__": "workflow"}
    exec(compile(text, "workflow.py", "exec", dont_inherit=True), namespace)  # written by this repository's own code
    return namespace["build"](model, **settings)


@pytest.mark.parametrize("case", CASES)
def test_it_does_what_the_live_graph_does(case):
    live, exported = FakeChat(), FakeChat()
    workflow = workflow_of(*CASES[case])
    backend = LangGraphBackend(live)
    expected = backend.emit(workflow).compile().invoke({"problem": "p"})
    assert built(backend.source(workflow)["workflow.py"], exported).compile().invoke({"problem": "p"}) == expected
    assert exported.asked == live.asked


@pytest.mark.parametrize("case", CASES)
def test_its_picture_is_the_live_graphs(case):
    workflow = workflow_of(*CASES[case])
    backend = LangGraphBackend(FakeChat())
    live = backend.emit(workflow)
    exported = built(backend.source(workflow)["workflow.py"], FakeChat())
    for xray in (False, True):
        assert (
            exported.compile().get_graph(xray=xray).draw_mermaid() == live.compile().get_graph(xray=xray).draw_mermaid()
        )
    assert {name: node.metadata for name, node in exported.nodes.items()} == {
        name: node.metadata for name, node in live.nodes.items()
    }
    assert exported.most_steps == live.most_steps


@pytest.mark.slow
def test_every_module_passes_ruff(tmp_path):
    for index, written in enumerate(HAND_WRITTEN):
        text = LangGraphBackend().source(Workflow.parse(written.source, written.prompts))["workflow.py"]
        (tmp_path / f"workflow_{index}.py").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_it_runs_in_an_empty_folder_of_its_own(case, tmp_path):
    (tmp_path / "workflow.py").write_text(text_of(*CASES[case]), encoding="utf-8")
    code = "import sys, json; sys.path[:0] = json.loads(sys.argv[1])\n"
    code += "from workflow import build; from fake_chat import FakeChat\n"
    code += "print(build(FakeChat()).compile().invoke({'problem': 'p'})['answer'])"
    support = str(Path(__file__).parents[2] / "support")
    done = subprocess.run(
        [sys.executable, "-W", "error::SyntaxWarning", "-c", code, json.dumps([*sys.path, support])],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    live = LangGraphBackend(FakeChat()).emit(workflow_of(*CASES[case])).compile()
    assert done.stdout.strip() == live.invoke({"problem": "p"})["answer"].strip()


def test_an_edited_module_does_what_was_edited():
    text = text_of(SAMPLES)
    edited = text.replace('" ".join(state["texts"])', '" + ".join(state["texts"]) + "!"')
    assert edited != text
    answer = built(edited, FakeChat()).compile().invoke({"problem": "p"})["answer"]
    assert answer == "<sample 0 p> + <sample 1 p> + <sample 2 p>!"


def test_settings_of_build_reach_the_nodes():
    model = FakeChat(raises={"sample 1": [ConnectionError("reset")]})
    policy = RetryPolicy(max_attempts=2, initial_interval=0.001, jitter=False)
    app = built(text_of(SAMPLES), model, retry_policy=policy).compile(checkpointer=InMemorySaver())
    answer = app.invoke({"problem": "p"}, {"configurable": {"thread_id": "1"}})["answer"]
    assert answer == "<sample 0 p> <sample 1 p> <sample 2 p>"
    assert model.asked["sample 1"] == 2


def test_an_exported_thread_can_be_asked_again():
    app = built(text_of(REWRITTEN, SYNC_HELPER), FakeChat()).compile(checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "1"}}
    assert app.invoke({"problem": "p"}, config) == app.invoke({"problem": "p"}, config)


def test_prompts_are_constants_to_edit():
    text = text_of("a = await self.custom(input=problem, instruction=prompt_custom.SOLVE)\nreturn a['response']")
    assert "SOLVE = 'Solve it. '" in text or 'SOLVE = "Solve it. "' in text
    assert "CHECK" not in text  # not used
    edited = text.replace("Solve it. ", "Do it. ")
    assert built(edited, FakeChat()).compile().invoke({"problem": "p"})["answer"] == "<Do it. p>"


def test_a_module_names_its_operators_and_lines():
    text = text_of(SAMPLES)
    assert 'steps.add_sample(graph, "custom_1", "Custom", line=5)' in text
    assert "A LangGraph state graph, written by FlowReasoner" in text


def test_it_holds_no_word_of_a_key_or_model():
    backend = LangGraphBackend(FakeChat(metadata={"api_key": "sk-secret"}))
    assert "sk-secret" not in backend.source(workflow_of(SAMPLES))["workflow.py"]
