import json
import re
from dataclasses import replace

import pytest
from agents import proposal
from fittings import QUERIES, bench, dying, level, level_worker, workflow_of

from flowreasoner.baselines import Fittable
from flowreasoner.baselines.adas import ADAS, SEEDS
from flowreasoner.designers import FixedWorkflow
from flowreasoner.designers.instructions import SYSTEM
from flowreasoner.errors import BudgetExceeded, ModelRefused, QueryError
from flowreasoner.models import Completion, FunctionModel, ScriptedModel

FIRST = {"One": workflow_of(level(1)), "Two": workflow_of(level(2))}
SHORT = ADAS(generations=1, seeds=FIRST)
BROKEN = level(4).replace("custom_code_generate", "nope")
CRASH = proposal("        x = {}\n        return x[problem]", modification="Crash.")


def inventor(request):
    """Proposes by the reply's number; a second generation is better than the first."""
    generation, reply = map(int, re.search(r"generation (\d+)/reply (\d+)", request.draw).groups())
    return level(min(4, generation + 1 + (reply > 2)), f", {request.draw}")


def texts(request):
    return [message.content for message in request.messages]


async def test_the_archive_grows_and_its_fittest_becomes_one_workflow_for_all_queries(tmp_path):
    told, agent = [], FunctionModel(inventor)
    method: Fittable = replace(SHORT, generations=2)
    fitted = await method.fit(QUERIES, bench(agent), tmp_path, told.append)
    assert fitted.designer == FixedWorkflow(workflow_of(level(4, ", 0/adas/generation 2/reply 3")), name="adas")
    assert fitted.facts == {
        "generations": 2,
        "failed_generations": 0,
        "best": "Use Level 4, 0/adas/generation 2/reply 3.",
        "best_generation": 2,
        "fitness": "95% Bootstrap Confidence Interval: (100.0%, 100.0%), Median: 100.0%",
        "validation_score": 1.0,
        "stopped": "generations",
    }
    json.dumps(fitted.facts)
    assert told[0] == "generation 0: 95% Bootstrap Confidence Interval: (0.0%, 75.0%), Median: 25.0%: 'One'"
    assert len(told) == 4
    assert (len(agent.history), fitted.spent.model_calls) == (6, 6 + 4 * 4)
    design = await fitted.designer.design(QUERIES[3], bench(ScriptedModel([])))
    assert (design.score, len(design.rounds)) == (1.0, 1)


def test_the_settings_are_as_published():
    assert (ADAS().generations, ADAS().debug, ADAS().evaluations, ADAS().seeds) == (30, 3, 1, SEEDS)


async def test_a_generation_sees_the_archive_and_reflects_twice(tmp_path):
    agent = ScriptedModel([level(1), level(2), level(3), level(1, "b"), level(2, "b"), level(4)])
    await replace(SHORT, generations=2).fit(QUERIES, bench(agent), tmp_path)
    opening = texts(agent.history[0])[1]
    assert opening.index("## One") < opening.index("## Two")
    assert FIRST["Two"].source in opening
    assert FIRST["Two"].prompt_source in opening
    assert "Fitness: 95% Bootstrap Confidence Interval: (0.0%, 100.0%), Median: 50.0%" in opening
    assert "self.sc_ensemble(" in opening
    assert re.search(r"Query [34]\.", opening), "the example is one that the fittest does not solve"
    assert [len(request.messages) for request in agent.history] == [2, 4, 6] * 2
    assert texts(agent.history[1])[2] == level(1)
    assert texts(agent.history[1])[3].startswith("Review the proposed system")
    assert texts(agent.history[2])[:4] == texts(agent.history[1])
    assert texts(agent.history[2])[4] == level(2)
    assert "rules of the workflow" in texts(agent.history[2])[5]
    second = texts(agent.history[3])[1]
    assert "## Use Level 3.\n\nGeneration: 1" in second
    assert texts(agent.history[4])[3].startswith("This is the system that you tried before:\n\n## Use Level 3.")
    shown = "".join(text for request in agent.history for text in texts(request))
    assert "add(2, 2)" not in shown, "no hidden test"


async def test_only_the_reply_after_both_reflexions_is_evaluated(tmp_path):
    at = bench(ScriptedModel([BROKEN, level(4), level(3)]))
    fitted = await SHORT.fit(QUERIES, at, tmp_path)
    assert fitted.facts["validation_score"] == 0.75
    assert len(at.worker.history) == 3 * len(QUERIES)


async def test_what_is_refused_or_scores_nothing_is_corrected_with_what_went_wrong(tmp_path):
    agent = ScriptedModel([level(1), level(1), BROKEN, "no workflow", CRASH, level(3)])
    fitted = await SHORT.fit(QUERIES, bench(agent), tmp_path)
    assert fitted.facts["validation_score"] == 0.75
    questions = [texts(request)[-1] for request in agent.history[3:]]
    assert "self.nope is neither an operator nor a method" in questions[0]
    assert "the reply contains no workflow" in questions[1]
    assert "KeyError" in questions[2]


@pytest.mark.parametrize("bad", ["nothing", "", BROKEN, "<graph>\x00</graph>"])
async def test_bad_replies_end_a_generation_and_not_the_search(tmp_path, bad):
    agent = ScriptedModel([*[bad] * 6, level(1), bad, level(3)])
    fitted = await replace(SHORT, generations=2).fit(QUERIES, bench(agent), tmp_path)
    assert (fitted.facts["failed_generations"], fitted.facts["best_generation"]) == (1, 2)
    assert len(agent.history) == 9


async def test_a_workflow_that_never_scores_joins_the_archive_with_a_fitness_of_its_own(tmp_path):
    agent = ScriptedModel([*[CRASH] * 5, BROKEN, *[level(3)] * 3])
    fitted = await replace(SHORT, generations=2).fit(QUERIES, bench(agent), tmp_path)
    assert fitted.facts["failed_generations"] == 0
    crashed = texts(agent.history[6])[1].partition("## Crash.")[2]
    assert "Interval: (0.0%, 0.0%), Median: 0.0%" in crashed.partition("<graph>")[0]


async def test_an_archive_too_long_for_the_meta_agent_is_shown_without_the_least_fit(tmp_path):
    class Small(ScriptedModel):
        def fits(self, messages):
            return sum(len(message.content) for message in messages) < self.room

    agent = Small([level(3)] * 3)
    agent.room = 10**6
    await SHORT.fit(QUERIES, bench(agent), tmp_path / "all")
    longest = sum(map(len, texts(agent.history[2])))
    small = Small([level(3)] * 3)
    small.room = longest - 1
    await SHORT.fit(QUERIES, bench(small), tmp_path / "few")
    assert texts(small.history[1]) == texts(agent.history[1])
    assert "## One" not in texts(small.history[2])[1]
    assert "## Two" in texts(small.history[2])[1]


# --- as a conversation ---

TALK = replace(SHORT, wording="conversation")


async def test_as_a_conversation_archive_and_reflexions_are_rounds_on_one_query(tmp_path):
    agent = ScriptedModel([level(1), CRASH, level(3, "b")])
    at = bench(agent)
    await TALK.fit(QUERIES, at, tmp_path)
    roles = [[message.role for message in request.messages] for request in agent.history]
    assert roles == [["system", "user", *["assistant", "user"] * number] for number in (2, 3, 4)]
    first = texts(agent.history[0])
    assert first[0] == SYSTEM
    assert re.search(r"Query [34]\.", first[1])
    assert workflow_of(first[-2]) == FIRST["Two"], "the fittest comes last"
    last = texts(agent.history[2])
    assert (last[6], last[8]) == (level(1), CRASH)
    assert last[7].startswith("# Feedback on round 3\n\nScore: 0.00.\nFailing tests:")
    assert "KeyError" in last[9]
    assert len(at.worker.history) == 2 * 4 + 1 + 4, "a reflexion looks at one query only"


async def test_as_a_conversation_no_hidden_test_is_shown(tmp_path):
    agent = ScriptedModel([level(1), CRASH, level(3)])
    await TALK.fit(QUERIES, bench(agent), tmp_path)
    shown = "".join(text for request in agent.history for text in texts(request))
    assert "add(1, 2)" in shown
    assert "add(2, 2)" not in shown


async def test_as_in_a_design_no_round_follows_a_perfect_one(tmp_path):
    at = bench(ScriptedModel([level(4)]))
    fitted = await TALK.fit(QUERIES, at, tmp_path)
    assert fitted.facts["validation_score"] == 1.0
    assert len(at.worker.history) == 2 * 4 + 4, "the query that it looked at is not evaluated again"


async def test_a_refused_workflow_is_a_round_with_the_checkers_words(tmp_path):
    agent = ScriptedModel([BROKEN, level(1), BROKEN, level(3)])
    fitted = await TALK.fit(QUERIES, bench(agent), tmp_path)
    assert fitted.facts["validation_score"] == 0.75
    for number in (1, 3):
        assert "self.nope is neither an operator nor a method" in texts(agent.history[number])[-1]


# --- interruptions and budgets ---


@pytest.mark.parametrize("wording", ["published", "conversation"])
async def test_wherever_it_is_interrupted_the_same_call_goes_on_to_the_same_result(tmp_path, wording):
    method = replace(SHORT, generations=2, wording=wording)
    at = bench(inventor)
    whole = await method.fit(QUERIES, at, tmp_path / "whole")
    total = len(at.meta_agent.history) + len(at.worker.history)
    assert whole.facts["best_generation"] == 2
    for number in range(0, total, 3):
        folder = tmp_path / str(number)
        with pytest.raises(ModelRefused, match="gone"):
            await method.fit(QUERIES, bench(*dying(number, inventor, level_worker)), folder)
        again = bench(inventor)
        fitted = await method.fit(QUERIES, again, folder)
        assert (fitted.designer, fitted.facts) == (whole.designer, whole.facts)
        assert len(again.meta_agent.history) + len(again.worker.history) <= total - number + 3


async def test_a_finished_search_is_only_read_and_another_is_refused(tmp_path):
    whole = await SHORT.fit(QUERIES, bench(inventor), tmp_path)
    nothing = bench(ScriptedModel([], name="function:"), ScriptedModel([], name="function:"))
    fitted = await SHORT.fit(QUERIES, nothing, tmp_path)
    assert (fitted.designer, fitted.facts, fitted.spent) == (whole.designer, whole.facts, whole.spent)
    with pytest.raises(QueryError, match="was begun with seeds "):
        await replace(SHORT, seeds={"One": FIRST["One"]}).fit(QUERIES, bench(inventor), tmp_path)


def _priced(function):
    def answer(request):
        reply = function(request)
        return Completion(reply if isinstance(reply, str) else reply.text, usd=1.0)

    return answer


@pytest.mark.parametrize(("usd", "best"), [(5, "One"), (9, "Two"), (12, "Two")])
async def test_when_the_money_is_spent_the_best_so_far_is_the_result(tmp_path, usd, best):
    fitted = await SHORT.fit(QUERIES, bench(_priced(inventor), _priced(level_worker), usd=usd), tmp_path)
    assert (fitted.facts["stopped"], fitted.facts["best"]) == ("budget", best)
    assert usd <= fitted.spent.usd <= usd + 4


async def test_without_money_for_one_workflow_there_is_no_result(tmp_path):
    with pytest.raises(BudgetExceeded):
        await SHORT.fit(QUERIES, bench(inventor, _priced(level_worker), usd=3), tmp_path)


async def test_a_failing_worker_is_an_error(tmp_path):
    with pytest.raises(ModelRefused, match="no credit"):
        await SHORT.fit(QUERIES, bench(inventor, lambda _: ModelRefused("no credit")), tmp_path)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"generations": 0}, "generations must be at least 1, got 0"),
        ({"debug": -1}, "debug must be at least 0, got -1"),
        ({"evaluations": 0}, "evaluations must be at least 1, got 0"),
        ({"seeds": {}}, "needs a workflow to begin with"),
        ({"wording": "poem"}, "wording must be one of published, conversation, got 'poem'"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, said):
    with pytest.raises(QueryError, match=said):
        ADAS(**settings)
