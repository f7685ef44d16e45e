import json
from dataclasses import replace

import pytest

from flowreasoner import Query
from flowreasoner.errors import ModelError, ModelRefused, QueryError
from flowreasoner.models import ChatRequest, ModelContext, model_from_uri
from flowreasoner.models.simulated import Faults, SimulatedMetaAgent, SimulatedWorker, SolutionPool
from flowreasoner.models.simulated.catalogue import BROKEN, CATALOGUE
from flowreasoner.models.simulated.mutate import mutants
from flowreasoner.operators import extract_code
from flowreasoner.workflow import check

REFERENCE = (
    "def top(xs):\n    best = xs[0]\n    for x in xs:\n        if x > best:\n            best = x\n    return best\n"
)
QUERY = Query("Return the largest number of a list.", entry_point="top", reference=REFERENCE)


def _parts(reply):
    graph = reply.partition("<graph>")[2].partition("</graph>")[0]
    prompt = reply.partition("<prompt>")[2].partition("</prompt>")[0]
    return graph, prompt


@pytest.mark.parametrize("proposal", CATALOGUE, ids=lambda item: item.modification[:30])
def test_every_workflow_of_the_catalogue_is_valid_without_warnings(proposal):
    report = check(*_parts(proposal.reply()))
    assert report.ok
    assert report.diagnostics == ()


def test_the_broken_proposal_is_refused():
    assert {item.code for item in check(*_parts(BROKEN.reply())).diagnostics} == {"undefined-name", "unknown-operator"}


def test_mutants_differ_parse_and_mostly_fail():
    texts = mutants(REFERENCE)
    assert len(texts) == len(set(texts)) >= 4
    failing = 0
    for text in texts:
        namespace = {}
        exec(compile(text, "mutant", "exec"), namespace)
        try:
            failing += namespace["top"]([3, 9, 2]) != 9 or namespace["top"]([-5, -2]) != -2
        except Exception:
            failing += 1
    assert failing >= len(texts) / 2


async def _answers(worker, purpose="CustomCodeGenerate", count=200):
    replies = [
        await worker.complete(ChatRequest.ask(QUERY.problem, draw=str(i), purpose=purpose)) for i in range(count)
    ]
    return [extract_code(reply.text) for reply in replies]


async def test_the_share_of_right_answers_follows_the_skill():
    pool = SolutionPool()
    pool.add_query(QUERY)
    right = REFERENCE.strip()
    for skill in (0.0, 0.5, 1.0):
        answers = await _answers(SimulatedWorker(pool, skill=skill))
        share = sum(answer == right for answer in answers) / len(answers)
        assert share == pytest.approx(skill, abs=0.12)


async def test_answers_are_a_function_of_seed_and_request():
    pool = SolutionPool()
    pool.add_query(QUERY)
    first = await _answers(SimulatedWorker(pool, seed=1), count=20)
    assert first == await _answers(SimulatedWorker(pool, seed=1), count=20)
    assert first != await _answers(SimulatedWorker(pool, seed=2), count=20)


async def test_recorded_answers_are_used_by_problem(tmp_path):
    rows = [
        {"question": "Add two  numbers.", "prediction": "def add(a, b): return a + b", "score": 1.0},
        {"question": "Add two numbers.", "prediction": "def add(a, b): return a - b", "score": 0.0},
        {"question": "Add two numbers and three.", "prediction": "other", "score": 1},
    ]
    file = tmp_path / "answers.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    worker = model_from_uri(f"sim:?answers={file}&skill=1")
    reply = await worker.complete(ChatRequest.ask("Please: Add two\nnumbers.", purpose="CustomCodeGenerate"))
    assert extract_code(reply.text) == "def add(a, b): return a + b"


async def test_recorded_answers_are_right_as_often_as_they_were(tmp_path):
    rows = [{"question": QUERY.problem, "prediction": f"def f(): return {n}", "score": float(n < 1)} for n in range(4)]
    file = tmp_path / "answers.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    worker = model_from_uri(f"sim:?answers={file}", ModelContext("worker", QUERY))
    answers = await _answers(worker, count=400)
    assert set(answers) == {row["prediction"] for row in rows}  # and no variant of the query's own solution
    assert answers.count(rows[0]["prediction"]) / 400 == pytest.approx(0.25, abs=0.08)


async def test_a_worker_that_is_given_the_problem_alone_answers_it():
    pool = SolutionPool()
    pool.add_query(replace(QUERY, problem="Half of n."))
    worker = SimulatedWorker(pool, skill=1.0)
    requests = [
        ChatRequest.ask(start + "Half of\n n.\n", purpose="Custom") for start in ("", "What is special here?\n")
    ]
    alone, asked = [(await worker.complete(request)).text for request in requests]
    assert extract_code(alone) == REFERENCE.strip()
    assert "Simulated" in asked


def test_a_bad_file_of_answers_is_named(tmp_path):
    file = tmp_path / "bad.jsonl"
    file.write_text("{}")
    with pytest.raises(QueryError, match=r"cannot read recorded answers from '.*bad.jsonl'"):
        model_from_uri(f"sim:?answers={file}")


async def test_an_unknown_problem_is_refused_with_the_remedy():
    worker = model_from_uri("sim:", ModelContext("worker", Query("something else")))
    with pytest.raises(ModelRefused, match=r"needs a 'reference' in the query file or .*--worker openai:MODEL"):
        await worker.complete(ChatRequest.ask("something else", purpose="Custom"))


async def test_faults_strike_as_often_as_set():
    pool = SolutionPool()
    pool.add_query(QUERY)
    worker = SimulatedWorker(pool, faults=Faults(errors=0.3, malformed=0.2))
    outcomes = []
    for index in range(300):
        try:
            reply = await worker.complete(ChatRequest.ask(QUERY.problem, draw=str(index), purpose="Review"))
            outcomes.append("malformed" if "malformed" in reply.text else "fine")
        except ModelError:
            outcomes.append("error")
    assert outcomes.count("error") / 300 == pytest.approx(0.3, abs=0.08)
    assert outcomes.count("malformed") / 300 == pytest.approx(0.7 * 0.2, abs=0.07)


async def test_the_ensemble_follows_the_majority():
    pool = SolutionPool()
    pool.add_query(QUERY)
    wrong = mutants(REFERENCE)[0]
    right = REFERENCE.strip()
    prompt = f"{QUERY.problem}\n\nA:\n{wrong}\n\nB:\n{right}\n\nC:\n{right}\n\nName it by its letter."
    letters = set()
    for draw in range(20):
        reply = await SimulatedWorker(pool).complete(ChatRequest.ask(prompt, draw=str(draw), purpose="ScEnsemble"))
        letters.add(json.loads(reply.text)["solution_letter"])
    assert letters <= {"B", "C"}


async def proposals_at(score, seed=0):
    agent = SimulatedMetaAgent(seed=seed)
    request = ChatRequest.ask("task")
    seen = []
    for _ in CATALOGUE:
        reply = await agent.complete(request)
        seen.append(reply.text)
        request = request.then(reply.text, f"Score: {score}, the mean of 3 runs", "d")
    return seen


async def test_the_meta_agent_goes_on_to_richer_workflows_and_leaps_after_low_scores():
    in_order = [proposal.reply() for proposal in CATALOGUE]
    assert await proposals_at("0.60") == in_order
    after_failures = [await proposals_at("0.10", seed) for seed in range(4)]
    assert any(seen != in_order for seen in after_failures)
    assert all(sorted(seen) == sorted(in_order) for seen in after_failures), "nothing is proposed twice"


async def test_simulations_say_that_they_are():
    for role in ("worker", "meta_agent"):
        model = model_from_uri("sim:", ModelContext(role, QUERY))
        assert model.simulated
        assert model.name.startswith("sim:")


@pytest.mark.shared_data
async def test_the_pool_of_recorded_mbpp_answers_loads(shared_data):
    pool = SolutionPool()
    pool.add_recorded(shared_data / "recorded_mbpp_predictions.jsonl.gz")
    assert len(pool) == 427
    problem = "Write a function to find the shared elements from the given two lists."
    found = pool.find(f"{problem}\n\ndef similar_elements(test_tup1, test_tup2):")
    assert found is not None
    assert found.right
