import itertools
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from agents import proposal
from fittings import QUERIES, bench, dying, level, level_worker, workflow_of

from flowreasoner.baselines import Fittable
from flowreasoner.baselines.aflow import AFlow
from flowreasoner.designers import FixedWorkflow
from flowreasoner.designers.instructions import SYSTEM
from flowreasoner.designers.manual import MANUAL
from flowreasoner.errors import BudgetExceeded, ModelError, ModelRefused, QueryError
from flowreasoner.models import Completion, FunctionModel, ScriptedModel

SHORT = AFlow(max_rounds=3, validation_rounds=1)


def designer(request):
    """Proposes workflows of changing levels, by the round, each with words of its own."""
    number = int(re.search(r"round (\d+)/", request.draw)[1])
    return level((1, 3, 2, 1)[number % 4], f", draw {request.draw}")


async def test_the_best_round_becomes_one_workflow_for_all_queries(tmp_path):
    agent, told = ScriptedModel([level(1), level(3), level(2)]), []
    method: Fittable = SHORT
    fitted = await method.fit(QUERIES, bench(agent), tmp_path, told.append)
    assert fitted.designer == FixedWorkflow(workflow_of(level(3)), name="aflow")
    assert fitted.facts == {
        "rounds": 4,
        "failed_rounds": 0,
        "scores": {"1": 0.0, "2": 0.25, "3": 0.75, "4": 0.5},
        "best_round": 3,
        "validation_score": 0.75,
        "stopped": "rounds",
    }
    json.dumps(fitted.facts)
    assert told[0] == "round 1: 0.0000: 'Start with this.'"
    assert re.fullmatch(r"round 3: 0\.7500, from round [12]: 'Use Level 3\.'", told[2])
    assert (fitted.spent.model_calls, fitted.spent.calls) == (3 + 4 * 4, 4 * 4)
    assert fitted.seconds > 0
    design = await fitted.designer.design(QUERIES[2], bench(ScriptedModel([])))
    assert (design.score, len(design.rounds)) == (1.0, 1)


async def test_it_starts_from_the_published_seed_and_every_workflow_is_validated_five_times(tmp_path):
    at = bench(ScriptedModel([level(1)]))
    await AFlow(max_rounds=1).fit(QUERIES, at, tmp_path)
    assert AFlow().start == MANUAL["aflow-seed"].workflow
    assert len(at.worker.history) == 2 * 5 * len(QUERIES)
    assert (AFlow().sample, AFlow().max_rounds, AFlow().validation_rounds) == (4, 20, 5)


async def test_the_meta_agent_reads_the_parent_its_score_what_failed_and_the_experience(tmp_path):
    # With a sample of 1 every round is made from the first.
    agent = ScriptedModel([level(1), level(2), level(3)])
    await replace(SHORT, sample=1, start=workflow_of(level(1))).fit(QUERIES, bench(agent), tmp_path)
    first, second, third = (request.messages[0].content for request in agent.history)
    assert workflow_of(level(1)).source in first
    assert workflow_of(level(1)).prompt_source in first
    assert "Its score is 0.2500." in first
    assert "Nothing was tried yet." in first
    assert all(f"Query {number}." in first for number in (2, 3, 4)), "three samples that fail"
    assert "Query 1." not in first
    assert "- assert add(1, 2) == 3\n  fail in 1 of 1 runs" in first
    assert "self.sc_ensemble(" in first
    assert "- (score 0.2500) Use Level 1." in second.partition("did not help")[2]
    assert "- (score 0.5000) Use Level 2." in third.partition("made it better")[2].partition("did not help")[0]


@pytest.mark.parametrize("wording", ["published", "conversation"])
async def test_no_hidden_test_is_shown(tmp_path, wording):
    agent = ScriptedModel([level(1), level(2), level(3)])
    await replace(SHORT, wording=wording).fit(QUERIES, bench(agent), tmp_path)
    shown = "".join(message.content for request in agent.history for message in request.messages)
    assert "add(1, 2)" in shown
    assert "add(2, 2)" not in shown


async def test_as_a_conversation_the_parent_and_its_changes_are_rounds_on_one_query(tmp_path):
    agent = ScriptedModel([level(1), level(2), level(3)])
    method = replace(SHORT, sample=1, wording="conversation", start=workflow_of(level(1)))
    await method.fit(QUERIES, bench(agent), tmp_path)
    roles = [[message.role for message in request.messages] for request in agent.history]
    assert roles == [["system", "user", *["assistant", "user"] * number] for number in (1, 2, 3)]
    system, task, parent, feedback = agent.history[0].messages
    assert system.content == SYSTEM
    assert re.search(r"Query [234]\.", task.content), "one that the parent fails"
    assert workflow_of(parent.content) == workflow_of(level(1))
    assert "# Feedback on round 1\n\nScore: 0.00." in feedback.content
    last = agent.history[2].messages
    assert [last[2].content, last[4].content] == [level(1), level(2)]
    assert last[6] == parent, "it comes last, as what to work on"


# --- what cannot be used ---


async def test_a_repeated_change_is_asked_for_anew_and_not_forever(tmp_path):
    agent = FunctionModel(lambda _: level(2))
    fitted = await replace(SHORT, sample=1).fit(QUERIES, bench(agent), tmp_path)
    assert len(agent.history) == 1 + 2 * 5
    assert (fitted.facts["rounds"], fitted.facts["failed_rounds"], fitted.facts["best_round"]) == (4, 2, 2)
    assert len({request.draw for request in agent.history}) == 11


@pytest.mark.parametrize(
    "bad",
    [
        "nothing",
        "",
        "<graph>class Workflow: pass</graph>",
        level(4).replace("custom_code_generate", "nope"),
        "\x00" * 9,
    ],
)
async def test_bad_replies_cost_an_attempt_each_and_then_the_round(tmp_path, bad):
    agent = ScriptedModel([bad, level(1), *[bad] * 5, bad, bad, level(2)])
    fitted = await SHORT.fit(QUERIES, bench(agent), tmp_path)
    assert fitted.facts["scores"] == {"1": 0.0, "2": 0.25, "4": 0.5}
    assert fitted.facts["failed_rounds"] == 1


async def test_with_nothing_but_bad_replies_the_start_is_the_result(tmp_path):
    agent = FunctionModel(lambda _: "no")
    fitted = await SHORT.fit(QUERIES, bench(agent), tmp_path)
    assert fitted.designer == FixedWorkflow(MANUAL["aflow-seed"].workflow, name="aflow")
    assert (len(agent.history), fitted.facts["failed_rounds"]) == (15, 3)


async def test_a_workflow_that_crashes_scores_nothing_and_is_a_failure(tmp_path):
    crash = proposal("        x = {}\n        return x[problem]", modification="Crash.")
    agent = ScriptedModel([crash, level(1), level(2)])
    fitted = await replace(SHORT, sample=1).fit(QUERIES, bench(agent), tmp_path)
    assert fitted.facts["scores"] == {"1": 0.0, "2": 0.0, "3": 0.25, "4": 0.5}
    assert "- (score 0.0000) Crash." in agent.history[1].messages[0].content.partition("did not help")[2]


async def test_it_ends_when_it_has_converged(tmp_path):
    words = (level(1, f" {number}") for number in itertools.count())
    agent = FunctionModel(lambda _: next(words))
    fitted = await AFlow(validation_rounds=1, start=workflow_of(level(1))).fit(QUERIES, bench(agent), tmp_path)
    assert (fitted.facts["stopped"], fitted.facts["rounds"], fitted.facts["best_round"]) == ("converged", 6, 1)


# --- interruptions ---


async def test_wherever_it_is_interrupted_the_same_call_goes_on_to_the_same_result(tmp_path):
    whole = await SHORT.fit(QUERIES, bench(designer), tmp_path / "whole")
    assert (whole.facts["best_round"], whole.facts["validation_score"]) == (2, 0.5)
    for number in range(19):
        folder = tmp_path / str(number)
        with pytest.raises(ModelRefused, match="gone"):
            await SHORT.fit(QUERIES, bench(*dying(number, designer, level_worker)), folder)
        again = bench(designer)
        fitted = await SHORT.fit(QUERIES, again, folder)
        assert (fitted.designer, fitted.facts) == (whole.designer, whole.facts)
        assert fitted.spent.model_calls >= whole.spent.model_calls
        asked = len(again.meta_agent.history) + len(again.worker.history)
        assert asked <= 19 - number + 3, "of what was finished nothing is asked again but what ran beside the failure"


async def test_a_finished_search_is_only_read(tmp_path):
    whole = await SHORT.fit(QUERIES, bench(designer), tmp_path)
    nothing = bench(ScriptedModel([], name="function:"), ScriptedModel([], name="function:"))
    fitted = await SHORT.fit(QUERIES, nothing, tmp_path)
    assert (fitted.designer, fitted.facts, fitted.spent) == (whole.designer, whole.facts, whole.spent)
    assert fitted.seconds >= whole.seconds - 1


async def test_concurrency_changes_no_result(tmp_path):
    one, many = [
        await replace(SHORT, concurrency=number).fit(QUERIES, bench(designer), tmp_path / str(number))
        for number in (1, 16)
    ]
    assert (one.designer, one.facts, one.spent) == (many.designer, many.facts, many.spent)


def killed(folder):
    """Runs a search in a process of its own that dies at the seventh call of the worker."""
    script = f"""
import asyncio, os, pathlib, sys
sys.path[:] = {[*sys.path, str(Path(__file__).parent)]!r}
from fittings import QUERIES, bench, level_worker
from test_search import SHORT, designer
asked = []
def worker(request):
    asked.append(request)
    if len(asked) == 7:
        os._exit(9)
    return level_worker(request)
asyncio.run(SHORT.fit(QUERIES, bench(designer, worker), pathlib.Path({str(folder)!r})))
"""
    return subprocess.run([sys.executable, "-c", script], check=False).returncode


async def test_a_killed_process_loses_nothing_that_was_finished(tmp_path):
    assert killed(tmp_path / "killed") == 9
    again = bench(designer)
    fitted = await SHORT.fit(QUERIES, again, tmp_path / "killed")
    whole = await SHORT.fit(QUERIES, bench(designer), tmp_path / "whole")
    assert (fitted.designer, fitted.facts) == (whole.designer, whole.facts)
    assert 10 <= len(again.worker.history) <= 12


async def test_a_failing_worker_is_an_error(tmp_path):
    with pytest.raises(ModelError, match="down"):
        await SHORT.fit(QUERIES, bench(designer, lambda _: ModelError("down")), tmp_path)


async def test_another_search_in_the_folder_is_refused(tmp_path):
    await SHORT.fit(QUERIES, bench(designer), tmp_path)
    with pytest.raises(QueryError, match="was begun with max_rounds 3, not 4"):
        await replace(SHORT, max_rounds=4).fit(QUERIES, bench(designer), tmp_path)


# --- budgets ---


def priced(function, usd):
    def answer(request):
        reply = function(request)
        text = reply if isinstance(reply, str) else reply.text
        return Completion(text, input_tokens=10, output_tokens=5, usd=usd)

    return answer


async def test_when_the_money_is_spent_the_best_so_far_is_the_result_and_more_money_goes_on(tmp_path):
    models = priced(designer, 1.0), priced(level_worker, 0.5)
    fitted = await SHORT.fit(QUERIES, bench(*models, usd=6.5), tmp_path)
    assert (fitted.facts["stopped"], fitted.facts["rounds"]) == ("budget", 2)
    assert fitted.spent.usd == pytest.approx(6.5, abs=0.5)
    again = await SHORT.fit(QUERIES, bench(*models, usd=6.5), tmp_path)
    assert (again.facts, again.designer) == (fitted.facts, fitted.designer)
    whole = await SHORT.fit(QUERIES, bench(*models, usd=20), tmp_path)
    assert (whole.facts["stopped"], whole.facts["rounds"]) == ("rounds", 4)


async def test_without_money_for_the_first_round_there_is_no_result_but_a_journal(tmp_path):
    with pytest.raises(BudgetExceeded):
        await SHORT.fit(QUERIES, bench(designer, priced(level_worker, 1.0), usd=2), tmp_path)
    last = json.loads((tmp_path / "journal.jsonl").read_text().splitlines()[-1])
    assert last["spent"]["usd"] >= 2


@pytest.mark.parametrize("field", ["sample", "max_rounds", "validation_rounds", "attempts", "concurrency"])
def test_settings_that_make_no_sense_are_refused(field):
    with pytest.raises(QueryError, match=f"{field} must be at least 1, got 0"):
        AFlow(**{field: 0})


def test_a_wording_that_there_is_not_is_refused():
    with pytest.raises(QueryError, match="wording must be one of published, conversation, got 'poem'"):
        AFlow(wording="poem")


async def test_what_a_model_wrote_is_told_without_its_control_characters(tmp_path):
    told, agent = [], ScriptedModel([level(1).replace("Use Level", "Use \x1b[31mLevel")])
    await replace(SHORT, max_rounds=1).fit(QUERIES, bench(agent), tmp_path, told.append)
    assert told[1] == r"round 2: 0.2500, from round 1: 'Use \x1b[31mLevel 1.'"


async def test_queries_that_cannot_be_used_are_refused(tmp_path):
    with pytest.raises(QueryError, match="no queries"):
        await SHORT.fit([], bench(designer), tmp_path)
