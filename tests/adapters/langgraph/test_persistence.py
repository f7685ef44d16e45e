"""Checkpoints: a run that dies repeats no call; a person stops it, edits the state, goes back in time."""

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("langgraph")
pytest.importorskip("langgraph.checkpoint.sqlite")
from fake_chat import FakeChat, workflow_of
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from flowreasoner_adapters.langgraph import LangGraphBackend

THREAD = {"configurable": {"thread_id": "1"}}
CHAIN = """
a = await self.custom(input=problem, instruction='first')
b = await self.custom(input=a['response'], instruction='second')
c = await self.custom(input=b['response'], instruction='third')
return c['response']
"""
SAMPLES = """
texts = []
for i in range(5):
    draft = await self.custom(input=problem, instruction=f'sample {i}')
    texts.append(draft['response'])
best = await self.custom(input=str(len(texts)), instruction='best')
return best['response'] + ' '.join(texts)
"""
EVERYTHING = """
seen = {problem}
pair = (problem, 1.5)
counts = {"a": [1, 2], 3: None}
alias = counts["a"]
try:
    draft = await self.custom(input=problem, instruction='x')
    alias.append(int(draft['response']))
except ValueError as error:
    note = await self.custom(input=str(error), instruction='y')
    seen.add(note['response'])
tasks = [self.custom(input=str(i), instruction='z') for i in range(2)]
await self.custom(input='between', instruction='between')
results = await asyncio.gather(*tasks)
prompt_custom.SOLVE += 'more'
last = await self.custom(input=str(pair), instruction=prompt_custom.SOLVE)
return str(sorted(seen)) + str(counts) + results[1]['response'] + last['response']
"""


class Died(BaseException):
    """The process ends: nothing in a workflow or a graph catches it."""


def app(body, model, saver, **compiled):
    return LangGraphBackend(model).emit(workflow_of(body)).compile(checkpointer=saver, **compiled)


def dying(part):
    return FakeChat(raises={part: [RuntimeError("the process died")]})


# --- dying and going on ---


@pytest.mark.parametrize("part", ["first", "second", "third"])
def test_a_run_that_died_goes_on_without_repeating_a_call(part):
    model, saver = dying(part), InMemorySaver()
    graph = app(CHAIN, model, saver)
    with pytest.raises(RuntimeError, match="the process died"):
        graph.invoke({"problem": "p"}, THREAD)
    answer = graph.invoke(None, THREAD)["answer"]
    assert answer == "<third <second <first p>>>"
    assert model.asked == {"first": 1, "second": 1, "third": 1} | {part: 2}


@pytest.mark.parametrize("how", ["invoke", "ainvoke"])
def test_finished_samples_of_a_fan_out_are_not_repeated(how):
    model, saver = dying("sample 3"), InMemorySaver()
    graph = app(SAMPLES, model, saver)

    def run(given):
        return (
            graph.invoke(given, THREAD, durability="sync")
            if how == "invoke"
            else asyncio.run(graph.ainvoke(given, THREAD, durability="sync"))
        )

    with pytest.raises(RuntimeError):
        run({"problem": "p"})
    finished = sum(model.asked.values()) - 1
    answer = run(None)["answer"]
    assert answer == "<best 5>" + " ".join(f"<sample {i} p>" for i in range(5))
    if how == "invoke":  # each sample in a thread of its own: those that had ended are kept
        assert finished >= 1
    assert model.asked["sample 3"] == 2
    assert model.asked["best"] == 1


async def test_samples_that_ended_before_the_failure_are_not_repeated():
    class SlowFailure(FakeChat):
        async def _agenerate(self, messages, *arguments, **settings):
            if "sample 3" in messages[-1].content:
                await asyncio.sleep(0.3)
            return await super()._agenerate(messages, *arguments, **settings)

    model = SlowFailure(raises={"sample 3": [RuntimeError("the process died")]})
    graph = app(SAMPLES, model, InMemorySaver())
    with pytest.raises(RuntimeError):
        await graph.ainvoke({"problem": "p"}, THREAD)
    await graph.ainvoke(None, THREAD)
    assert model.asked == {f"sample {i}": 1 + (i == 3) for i in range(5)} | {"best": 1}


def test_another_process_goes_on_from_sqlite(tmp_path):
    first, second = dying("third"), FakeChat()
    with SqliteSaver.from_conn_string(str(tmp_path / "store.sqlite")) as saver, pytest.raises(RuntimeError):
        app(CHAIN, first, saver).invoke({"problem": "p"}, THREAD)
    with SqliteSaver.from_conn_string(str(tmp_path / "store.sqlite")) as saver:
        graph = app(CHAIN, second, saver)
        assert graph.get_state(THREAD).next == ("custom_3",)
        assert graph.invoke(None, THREAD)["answer"] == "<third <second <first p>>>"
    assert second.asked == {"third": 1}


async def test_asynchronous_sqlite(tmp_path):
    first, second = dying("second"), FakeChat()
    async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "store.sqlite")) as saver:
        with pytest.raises(RuntimeError):
            await app(CHAIN, first, saver).ainvoke({"problem": "p"}, THREAD)
        answer = await app(CHAIN, second, saver).ainvoke(None, THREAD)
    assert answer == {"answer": "<third <second <first p>>>"}
    assert second.asked == {"second": 1, "third": 1}


_KILLED = """
import asyncio, sys
sys.path[:0] = {path!r}
from test_persistence import SAMPLES, THREAD, app
from fake_chat import FakeChat
from langgraph.checkpoint.sqlite import SqliteSaver

class Loud(FakeChat):
    async def _agenerate(self, messages, *arguments, **settings):
        prompt = messages[-1].content
        if {hang!r} and prompt.startswith({hang!r}):
            await asyncio.sleep(1)
            print("hangs", flush=True)
            await asyncio.sleep(60)
        answer = await super()._agenerate(messages, *arguments, **settings)
        print("asked", prompt.split("\\n")[0], flush=True)
        return answer

with SqliteSaver.from_conn_string({store!r}) as saver:
    given = {{"problem": "p"}} if {hang!r} else None
    print("answer", app(SAMPLES, Loud(), saver).invoke(given, THREAD, durability="sync")["answer"], flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("hang", ["sample 4", "best"])
def test_a_killed_process_repeats_no_finished_call(hang, tmp_path):
    def start(hang):
        path = [str(Path(__file__).parent), *sys.path]
        code = _KILLED.format(path=path, hang=hang, store=str(tmp_path / "store.sqlite"))
        return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)

    first = start(hang)
    asked = []
    for line in first.stdout:
        if line.strip() == "hangs":
            break
        asked.append(line.strip())
    first.send_signal(signal.SIGKILL)
    assert first.wait(10) == -signal.SIGKILL
    first.stdout.close()
    assert sorted(asked) == [f"asked sample {i}" for i in range(5) if hang != f"sample {i}"]
    out, _ = start("").communicate(timeout=60)
    *again, answer = out.splitlines()
    assert again == ["asked sample 4", "asked best"][hang == "best" :]
    assert answer == "answer <best 5>" + " ".join(f"<sample {i} p>" for i in range(5))


# --- the state ---


def test_every_checkpoint_is_plain_json():
    model, saver = FakeChat(), InMemorySaver()
    graph = app(EVERYTHING, model, saver)
    answer = graph.invoke({"problem": "p"}, THREAD)["answer"]
    history = list(graph.get_state_history(THREAD))
    assert len(history) >= 8
    for state in history:
        assert json.loads(json.dumps(state.values)) == state.values
        json.dumps([task.result for task in state.tasks])
    again = app(EVERYTHING, FakeChat(), InMemorySaver(), interrupt_before="*")
    given, config = {"problem": "p"}, {"configurable": {"thread_id": "2"}}
    while given is not None or again.get_state(config).next:
        stepwise = again.invoke(given, config)
        given = None
    assert stepwise["answer"] == answer


def test_checkpoints_are_stored_without_pickle(tmp_path):
    with SqliteSaver.from_conn_string(str(tmp_path / "store.sqlite")) as saver:
        app(EVERYTHING, FakeChat(), saver).invoke({"problem": "p"}, THREAD)
        kinds = {row[0] for row in saver.conn.execute("select type from checkpoints union select type from writes")}
    assert kinds <= {"msgpack", "json", "null"}


# --- interrupts and time travel ---


def test_an_edited_variable_is_used():
    model = FakeChat()
    graph = app(CHAIN, model, InMemorySaver(), interrupt_before=["custom_2"])
    graph.invoke({"problem": "p"}, THREAD)
    state = graph.get_state(THREAD)
    assert state.next == ("custom_2",)
    assert state.values["a"] == {"response": "<first p>"}
    graph.update_state(THREAD, {"a": {"response": "edited"}})
    assert graph.invoke(None, THREAD)["answer"] == "<third <second edited>>"
    assert model.asked == {"first": 1, "second": 1, "third": 1}


def test_an_edited_shared_list_is_used():
    body = """
    rows = [problem]
    same = rows
    draft = await self.custom(input=problem, instruction='x')
    same.append(draft['response'])
    more = await self.custom(input=str(rows), instruction='y')
    rows.append('end')
    return str(same) + more['response']
    """
    graph = app(body, FakeChat(), InMemorySaver(), interrupt_before=["custom_2"])
    graph.invoke({"problem": "p"}, THREAD)
    graph.update_state(THREAD, {"rows": ["a"], "same": ["a"]})
    assert graph.invoke(None, THREAD)["answer"] == "['a', '<x p>', 'end']<y ['a', '<x p>']>"  # one list still


def test_a_run_goes_on_from_an_earlier_checkpoint():
    model = FakeChat()
    graph = app(CHAIN, model, InMemorySaver())
    graph.invoke({"problem": "p"}, THREAD)
    history = list(graph.get_state_history(THREAD))
    before_third = next(state for state in history if state.next == ("custom_3",))
    assert graph.invoke(None, before_third.config)["answer"] == "<third <second <first p>>>"
    assert model.asked == {"first": 1, "second": 1, "third": 2}
    fork = graph.update_state(before_third.config, {"b": {"response": "other"}})
    assert graph.invoke(None, fork)["answer"] == "<third other>"
    assert model.asked == {"first": 1, "second": 1, "third": 3}


def test_a_thread_can_be_asked_again():
    model = FakeChat()
    graph = app(EVERYTHING, model, InMemorySaver())
    first = graph.invoke({"problem": "p"}, THREAD)
    once = model.asked
    assert graph.invoke({"problem": "p"}, THREAD) == first
    assert model.asked == once + once


def test_nothing_of_an_earlier_run_is_left():
    body = """
    draft = await self.custom(input=problem, instruction='x')
    if problem == 'first':
        extra = 'left'
    more = await self.custom(input=draft['response'], instruction='y')
    try:
        return extra + more['response']
    except NameError:
        return 'nothing' + more['response']
    """
    graph = app(body, FakeChat(), InMemorySaver())
    assert graph.invoke({"problem": "first"}, THREAD)["answer"] == "left<y <x first>>"
    assert graph.invoke({"problem": "second"}, THREAD)["answer"] == "nothing<y <x second>>"


def test_a_loop_that_begins_a_workflow_is_no_new_run():
    body = """
    while len(problem) < 40:
        draft = await self.custom(input=problem, instruction='x')
        problem = problem + draft['response']
        last = draft['response']
    return last
    """
    graph = app(body, FakeChat(), InMemorySaver())
    assert graph.invoke({"problem": "p"}, THREAD) == graph.invoke(
        {"problem": "p"}, {"configurable": {"thread_id": "2"}}
    )
