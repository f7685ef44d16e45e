"""The ten operators: their declarations, and what each does with a worker, tests and a sandbox."""

import asyncio
import random

import pytest

from flowreasoner.errors import OperatorError
from flowreasoner.operators import BUILTIN, REQUIRED, WRITE_TESTS, FieldKind, describe_failures
from flowreasoner.operators.builtin import REFLECT, _chosen
from flowreasoner.sandbox import TestResult, Verdict

# DESIGN section 6: name, attribute, required inputs, optional inputs, keys.
TABLE = [
    ("Custom", "custom", "input instruction", "role", "response"),
    ("CustomCodeGenerate", "custom_code_generate", "problem entry_point instruction", "context", "response"),
    ("Format", "format", "problem solution", "", "solution"),
    ("ScEnsemble", "sc_ensemble", "solutions", "problem", "response"),
    ("Review", "review", "problem solution", "", "review_result feedback"),
    ("Revise", "revise", "problem solution feedback", "", "solution"),
    ("Test", "test", "problem solution entry_point", "test_cases test_loop", "result solution"),
    ("Programmer", "programmer", "problem", "analysis", "code output"),
    ("AnswerGenerate", "answer_generate", "input", "", "thought answer"),
    ("MdEnsemble", "md_ensemble", "solutions problem", "", "solution"),
]


@pytest.mark.parametrize(("name", "attribute", "required", "optional", "keys"), TABLE)
def test_names_arguments_and_keys_are_the_designs(name, attribute, required, optional, keys):
    operator = BUILTIN[name]
    assert (operator.name, operator.attribute) == (name, attribute)
    assert " ".join(item.name for item in operator.inputs if item.default is REQUIRED) == required
    assert " ".join(item.name for item in operator.inputs if item.default is not REQUIRED) == optional
    assert " ".join(item.name for item in operator.inputs) == f"{required} {optional}".strip()
    assert " ".join(operator.output_names) == keys
    assert operator.description.endswith(".")


def test_the_table_is_complete_and_cannot_be_changed():
    assert list(BUILTIN) == [row[0] for row in TABLE]
    with pytest.raises(TypeError):
        BUILTIN["Custom"] = None


@pytest.mark.parametrize("operator", [*BUILTIN.values(), REFLECT, WRITE_TESTS], ids=lambda operator: operator.name)
def test_a_prompt_leaves_no_placeholder_of_its_own_unfilled(operator):
    inner = {"candidates": "x", "feedback": "x"}
    rendered = operator.render({item.name: "x" for item in operator.inputs} | inner)
    assert "{" not in rendered


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("CustomCodeGenerate", {"problem": "PROBLEM", "entry_point": "FUNC", "instruction": "INSTR", "context": "CTX"}),
        ("Format", {"problem": "PROBLEM", "solution": "SOLUTION"}),
        ("Review", {"problem": "PROBLEM", "solution": "SOLUTION"}),
        ("Revise", {"problem": "PROBLEM", "solution": "SOLUTION", "feedback": "FEEDBACK"}),
        ("AnswerGenerate", {"input": "INPUT"}),
        ("Custom", {"input": "INPUT", "instruction": "INSTR", "role": "ROLE"}),
    ],
)
async def test_a_plain_step_shows_the_worker_every_input_and_returns_its_reply(toolkit, name, inputs):
    toolkit.replies = [{"anything": "the reply"}]
    assert await BUILTIN[name](toolkit, inputs) == {"anything": "the reply"}
    assert all(value in toolkit.prompts[0] for value in inputs.values())


async def test_custom_puts_role_instruction_and_input_in_this_order(toolkit):
    toolkit.replies = [{}, {}]
    await BUILTIN["Custom"](toolkit, {"input": "2+2", "instruction": "Solve:", "role": "A teacher."})
    await BUILTIN["Custom"](toolkit, {"input": "2+2", "instruction": "Solve:"})
    assert toolkit.prompts == ["A teacher.\nSolve:\n\n2+2", "Solve:\n\n2+2"]


async def test_code_is_asked_for_by_the_name_it_must_define(toolkit):
    toolkit.replies = [{}]
    await BUILTIN["CustomCodeGenerate"](toolkit, {"problem": "p", "entry_point": "FUNC", "instruction": "i"})
    assert toolkit.entry_points == ["FUNC"]
    assert BUILTIN["CustomCodeGenerate"].reply[0].kind is FieldKind.CODE


# --- ScEnsemble ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("letter", "chosen"),
    [
        ("A", "one"), ("B.", "two"), ("**C**", "three"), ("solution b", "two"), ("2", "two"), ("(c)", "three"),
        ("Solution 3", "three"), ("B: it is right", "two"), ("`A`", "one"), ("B is a better solution", "two"),
        ("After comparing A and B: B", "two"), ("option_b", "two"), ("  c\n", "three"), ("002", "two"),
    ],
)  # fmt: skip
async def test_sc_ensemble_returns_the_solution_whose_letter_is_named(toolkit, letter, chosen):
    toolkit.replies = [{"solution_letter": letter, "thought": ""}]
    inputs = {"solutions": ["one", "two", "three"], "problem": "PROBLEM"}
    assert await BUILTIN["ScEnsemble"](toolkit, inputs) == {"response": chosen}
    assert "PROBLEM" in toolkit.prompts[0]
    assert "A:\none\n\nB:\ntwo\n\nC:\nthree" in toolkit.prompts[0]


@pytest.mark.parametrize("letter", ["", "none", "D", "Z", "0", "4", "-", "²", "00012", "9" * 5000, "neither of these"])
async def test_sc_ensemble_fails_when_no_solution_is_named(toolkit, letter):
    toolkit.replies = [{"solution_letter": letter}]
    with pytest.raises(OperatorError, match="the model chose none of the 3 solutions"):
        await BUILTIN["ScEnsemble"](toolkit, {"solutions": ["one", "two", "three"]})


@pytest.mark.parametrize(("letter", "index"), [("Z", 25), ("AA", 26), ("ab.", 27), ("BA", 52), ("60", 59)])
async def test_sc_ensemble_letters_go_on_after_z(toolkit, letter, index):
    toolkit.replies = [{"solution_letter": letter}]
    solutions = [f"solution number {n}" for n in range(60)]
    assert await BUILTIN["ScEnsemble"](toolkit, {"solutions": solutions}) == {"response": solutions[index]}
    assert "\n\nBH:\nsolution number 59" in toolkit.prompts[0]


@pytest.mark.parametrize("solutions", [["same"], ["same", "same", "same"], ("same", "same")])
async def test_sc_ensemble_asks_nothing_when_there_is_nothing_to_decide(toolkit, solutions):
    assert await BUILTIN["ScEnsemble"](toolkit, {"solutions": solutions}) == {"response": "same"}
    assert toolkit.prompts == []


@pytest.mark.parametrize("name", ["ScEnsemble", "MdEnsemble"])
@pytest.mark.parametrize(
    ("solutions", "message"),
    [
        ([], "solutions is empty: there is nothing to choose from"),
        ("one text", "solutions must be a list of strings, got str"),
        ({"a": 1}, "solutions must be a list of strings, got dict"),
        (None, "solutions must be a list of strings, got NoneType"),
    ],
)
async def test_an_ensemble_needs_a_list_with_something_in_it(toolkit, name, solutions, message):
    with pytest.raises(OperatorError, match=message):
        await BUILTIN[name](toolkit, {"solutions": solutions, "problem": "p"})
    assert toolkit.prompts == []


# --- MdEnsemble ------------------------------------------------------------------------------------------


def vote_for(solution):
    """Returns a reply that finds `solution` in the prompt, under whichever letter it stands."""

    def reply(prompt):
        lines = prompt.splitlines()
        return {"solution_letter": lines[lines.index(solution) - 1].rstrip(":")}

    return reply


MD = {"solutions": ["one", "two", "three"], "problem": "PROBLEM"}


async def test_md_ensemble_returns_the_solution_with_most_votes(toolkit):
    toolkit.replies = [vote_for(text) for text in ("one", "two", "three", "two", "one")] + [None]
    toolkit.replies[0] = vote_for("two")
    assert await BUILTIN["MdEnsemble"](toolkit, MD) == {"solution": "two"}
    assert len(toolkit.prompts) == 5


async def test_md_ensemble_shuffles_by_the_toolkits_seed(toolkit):
    orders = []
    for seed in (1, 1, 2):
        toolkit.random, toolkit.prompts = random.Random(seed), []
        toolkit.replies = [vote_for("one")] * 5
        assert await BUILTIN["MdEnsemble"](toolkit, MD) == {"solution": "one"}
        orders.append(tuple(toolkit.prompts))
    assert orders[0] == orders[1] != orders[2]
    assert len(set(orders[0])) > 1


async def test_md_ensemble_leaves_out_votes_that_name_nothing(toolkit):
    toolkit.replies = [{"solution_letter": "none"}] * 4 + [vote_for("three")]
    assert await BUILTIN["MdEnsemble"](toolkit, MD) == {"solution": "three"}


async def test_md_ensemble_fails_when_no_vote_names_a_solution(toolkit):
    toolkit.replies = [{"solution_letter": "?"}] * 5
    with pytest.raises(OperatorError, match="no vote named one of the 3 solutions"):
        await BUILTIN["MdEnsemble"](toolkit, MD)


async def test_md_ensemble_does_not_go_on_voting_after_a_vote_failed(toolkit):
    finished = []

    async def ask(operator, values, *, entry_point=""):
        prompt = operator.render(values)
        toolkit.prompts.append(prompt)
        if len(toolkit.prompts) == 1:
            raise OperatorError("unreadable")
        await asyncio.sleep(0.01)
        finished.append(prompt)

    toolkit.ask = ask
    with pytest.raises(OperatorError, match="unreadable"):
        await BUILTIN["MdEnsemble"](toolkit, MD)
    await asyncio.sleep(0.03)
    assert finished == []


# --- Test ------------------------------------------------------------------------------------------------

TEST = {"problem": "PROBLEM", "solution": "first", "entry_point": "FUNC"}


async def test_test_asks_nothing_when_all_tests_pass(toolkit):
    toolkit.verdicts = [""]
    assert await BUILTIN["Test"](toolkit, TEST) == {"result": True, "solution": "first"}
    assert toolkit.prompts == []
    assert toolkit.graded == [("first", None)]


async def test_test_lets_the_worker_correct_a_failing_program(toolkit):
    toolkit.verdicts = ["expected 2, got 1", ""]
    toolkit.replies = [{"solution": "second"}]
    assert await BUILTIN["Test"](toolkit, TEST) == {"result": True, "solution": "second"}
    assert [code for code, _ in toolkit.graded] == ["first", "second"]
    assert toolkit.operators == ["TestReflection"]
    assert toolkit.entry_points == ["FUNC"]
    for part in ("PROBLEM", "first", "FUNC", "assert f(1) == 2", "expected 2, got 1", "printed"):
        assert part in toolkit.prompts[0]
    assert "assert f(0) == 0" not in toolkit.prompts[0]


@pytest.mark.parametrize(("loops", "corrections"), [(None, 3), (3, 3), (1, 1), (0, 0), (-2, 0), ("2", 2)])
async def test_test_gives_up_after_its_corrections(toolkit, loops, corrections):
    toolkit.verdicts = ["wrong"] * (corrections + 1)
    toolkit.replies = [{"solution": f"try {n}"} for n in range(corrections)]
    inputs = TEST if loops is None else TEST | {"test_loop": loops}
    last = f"try {corrections - 1}" if corrections else "first"
    assert await BUILTIN["Test"](toolkit, inputs) == {"result": False, "solution": last}
    assert len(toolkit.prompts) == corrections
    assert toolkit.verdicts == []


@pytest.mark.parametrize("loops", ["many", None, [3]])
async def test_test_refuses_a_number_of_corrections_that_is_none(toolkit, loops):
    with pytest.raises(OperatorError, match="test_loop must be a number of corrections, got "):
        await BUILTIN["Test"](toolkit, TEST | {"test_loop": loops})


@pytest.mark.parametrize(
    ("given", "graded"),
    [
        (["assert FUNC(1)", "assert FUNC(2)"], ["assert FUNC(1)", "assert FUNC(2)"]),
        ("assert FUNC(1)", ["assert FUNC(1)"]),
    ],
)
async def test_test_runs_the_tests_it_is_given(toolkit, given, graded):
    toolkit.verdicts = ["wrong", ""]
    toolkit.replies = [{"solution": "second"}]
    await BUILTIN["Test"](toolkit, TEST | {"test_cases": given})
    assert toolkit.graded == [("first", graded), ("second", graded)]


# --- Programmer ------------------------------------------------------------------------------------------


async def test_programmer_returns_the_program_and_what_it_printed(toolkit):
    toolkit.replies = [{"code": "def solve(): return 42"}]
    toolkit.runs = [("ok", "42\n", "a warning")]
    result = await BUILTIN["Programmer"](toolkit, {"problem": "PROBLEM", "analysis": "ANALYSIS"})
    assert result == {"code": "def solve(): return 42", "output": "42"}
    assert toolkit.programs == ["def solve(): return 42\n\nprint(solve())\n"]
    assert toolkit.entry_points == ["solve"]
    assert "PROBLEM" in toolkit.prompts[0]
    assert "ANALYSIS" in toolkit.prompts[0]


async def test_programmer_shows_the_worker_its_error_and_lets_it_try_again(toolkit):
    toolkit.replies = [{"code": "first"}, {"code": "second"}]
    toolkit.runs = [("failed", "", "Traceback\nZeroDivisionError: division by zero"), ("ok", "7\n", "")]
    assert await BUILTIN["Programmer"](toolkit, {"problem": "p"}) == {"code": "second", "output": "7"}
    assert "It failed" not in toolkit.prompts[0]
    assert "first\n\nIt failed:\nError: Traceback\nZeroDivisionError: division by zero" in toolkit.prompts[1]


async def test_programmer_returns_the_error_after_its_last_attempt(toolkit):
    toolkit.replies = [{"code": f"try {n}"} for n in range(3)]
    toolkit.runs = [("failed", "", "one"), ("failed", "", "two"), ("timeout", "", "")]
    assert await BUILTIN["Programmer"](toolkit, {"problem": "p"}) == {"code": "try 2", "output": "Error: timeout"}
    assert "try 0" not in toolkit.prompts[2]
    assert len(toolkit.prompts) == 3


# --- describe_failures -----------------------------------------------------------------------------------


def verdict(*outcomes, output=""):
    tests = tuple(TestResult(f"t{n}", outcome, f"test {n}", f"why {n}") for n, outcome in enumerate(outcomes))
    return Verdict(tests, "ok", "fake", "separated", output)


def test_failures_are_described_one_by_one_without_the_tests_that_passed():
    assert describe_failures(verdict("pass", "fail", "timeout", output=" printed \n")) == (
        "1 of 3 tests passed.\n- fail: test 1\n  why 1\n- timeout: test 2\n  why 2\nOutput:\nprinted"
    )


def test_many_failures_and_long_output_are_cut():
    text = describe_failures(verdict(*["fail"] * 12, output="x" * 9000), most=2)
    assert "test 1" in text
    assert "test 2" not in text
    assert "- and 10 more" in text
    assert text.count("x") == 2000


@pytest.mark.parametrize(
    ("answer", "count", "index"),
    [
        ("B, because A fails", 3, 1),
        ("C (same as solutions 1 and 2)", 3, 2),
        ("A (tied with B)", 3, 0),
        ("The answer is C, as I said", 9, 2),
        ("A fails, so B", 3, 1),
        ("(B)", 3, 1),
        ("I choose B", 9, 1),
    ],
)
def test_the_chosen_letter_is_found_among_words(answer, count, index):
    assert _chosen(answer, count) == index
