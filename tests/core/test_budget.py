import asyncio
import re

import pytest

from flowreasoner.budget import Budget, Meter, Spending
from flowreasoner.engine import run_workflow
from flowreasoner.errors import BudgetExceeded, QueryError
from flowreasoner.workflow import Workflow

UNLIMITED = Budget(None, None, None, None, None, None)
CALL = "await self.custom(input=problem, instruction='i')"


async def run(*body, budget=UNLIMITED, perform=None, meter=None):
    source = "async def __call__(self, problem):\n" + "".join(f"    {line}\n" for line in body)

    async def answer(operator, inputs, call):
        return {"response": "x"}

    return await run_workflow(
        Workflow.parse(source, {}), {"problem": "P"}, perform or answer, budget=budget, meter=meter
    )


def _repeat(spend, meter):
    for _ in range(100):
        spend(meter)


# --- budgets -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["calls", "seconds", "tokens", "usd", "steps", "memory"])
@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_limits_must_be_above_zero(name, value):
    with pytest.raises(QueryError, match=f"the budget's '{name}' must be above 0, got {re.escape(repr(value))}"):
        Budget(**{name: value})


def test_limits_can_be_written_as_json():
    assert Budget(calls=3, usd=0.5).to_json() == {
        "calls": 3,
        "seconds": 900.0,
        "tokens": None,
        "usd": 0.5,
        "steps": 200_000,
        "memory": 32_000_000,
    }


# --- spending ----------------------------------------------------------------------------------------------------


def test_spending_adds_up():
    total = Spending(1, 2, 3, 4, 0.5, 6, 0.25) + Spending(10, 20, 30, 40, 0.5, 60, 0.25)
    assert total == Spending(11, 22, 33, 44, 1.0, 66, 0.5)
    assert total.tokens == 77


def test_spending_survives_json():
    spent = Spending(1, 2, 3, 4, 0.5, 6, 0.25)
    assert Spending.from_json(spent.to_json()) == spent


# --- the meter ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "allowed", "spend", "spent"),
    [
        ("calls", 2, lambda meter: meter.call(), 3),
        ("tokens", 10, lambda meter: meter.charge(Spending(input_tokens=3, output_tokens=1)), 12),
        ("usd", 0.5, lambda meter: meter.charge(Spending(usd=0.25)), 0.75),
        ("steps", 5, lambda meter: meter.step(), 6),
        ("memory", 100, lambda meter: meter.allocate(60), 120),
    ],
)
def test_each_limit_may_be_reached_but_not_passed(limit, allowed, spend, spent):
    meter = Meter(Budget(**{limit: allowed}))
    with pytest.raises(BudgetExceeded) as caught:
        _repeat(spend, meter)
    assert (caught.value.limit, caught.value.allowed, caught.value.spent) == (limit, allowed, spent)


def test_no_limit_is_no_limit():
    meter = Meter(UNLIMITED)
    for _ in range(1_000):
        meter.call()
        meter.step()
        meter.allocate(10**12)
        meter.charge(Spending(input_tokens=10**9, usd=1e9))
    assert meter.spent.calls == 1_000
    assert meter.steps == 1_000


def test_a_refused_call_is_not_counted():
    meter = Meter(Budget(calls=1))
    meter.call()
    with pytest.raises(BudgetExceeded):
        meter.call()
    assert meter.spent.calls == 1


def test_what_a_call_cost_is_counted_even_when_it_was_too_much():
    meter = Meter(Budget(usd=1.0))
    with pytest.raises(BudgetExceeded):
        meter.charge(Spending(usd=5.0))
    assert meter.spent.usd == 5.0
    with pytest.raises(BudgetExceeded):
        meter.check()


def test_a_parent_is_charged_as_well():
    parent = Meter(UNLIMITED)
    for _ in range(2):
        meter = Meter(Budget(), parent)
        meter.call()
        meter.charge(Spending(usd=0.5, input_tokens=7))
        assert meter.spent == Spending(calls=1, usd=0.5, input_tokens=7)
    assert parent.spent == Spending(calls=2, usd=1.0, input_tokens=14)


@pytest.mark.parametrize("child", [Budget(), Budget(usd=1e-6)])
def test_a_parents_limit_holds_for_its_children(child):
    parent = Meter(Budget(usd=1.0, calls=1))
    meter = Meter(child, parent)
    with pytest.raises(BudgetExceeded) as caught:
        meter.charge(Spending(usd=2.0))
    assert caught.value.allowed == 1.0
    assert parent.spent.usd == 2.0
    meter.call()
    with pytest.raises(BudgetExceeded):
        meter.call()
    assert meter.spent.calls == parent.spent.calls == 1


@pytest.mark.parametrize("size", [10**20, 10**400, 1 << 100_000], ids=["long", "no float", "not printable"])
def test_sizes_beyond_all_bounds_are_reported_too(size):
    with pytest.raises(BudgetExceeded, match=r"memory .* is over the limit of 100"):
        Meter(Budget(memory=100)).allocate(size)


# --- a run -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("budget", "body", "spent"),
    [
        (Budget(calls=2), ["for i in range(5):", f"    r = {CALL}", "    print(r['response'])", "return ''"], 3),
        (Budget(steps=100), ["for i in range(500):", "    x = i", "return ''"], 101),
        (Budget(memory=1_000), ["x = 'a' * 5000", "return x"], 5_000),
    ],
)
async def test_going_over_a_limit_ends_the_run_and_names_it(budget, body, spent):
    result = await run(*body, budget=budget)
    limit = next(name for name, value in budget.to_json().items() if value != Budget().to_json()[name])
    allowed = getattr(budget, limit)
    assert result.answer is None
    assert isinstance(result.error, BudgetExceeded)
    assert (result.error.limit, result.error.allowed) == (limit, allowed)
    assert result.error.spent >= spent
    message = str(result.error)
    assert f"{limit} {result.error.spent:,} is over the limit of {allowed:,}" in message
    assert f"raise the budget's '{limit}'" in message


@pytest.mark.parametrize(
    ("limit", "allowed", "each"),
    [("tokens", 10, Spending(input_tokens=4, output_tokens=2)), ("usd", 0.5, Spending(usd=0.4))],
)
async def test_what_the_worker_spends_counts(limit, allowed, each):
    meter = Meter(Budget(**{limit: allowed}))

    async def perform(operator, inputs, call):
        meter.charge(each)
        return {"response": "x"}

    result = await run(
        "for i in range(9):", f"    r = {CALL}", "    print(r['response'])", "return ''", perform=perform, meter=meter
    )
    assert isinstance(result.error, BudgetExceeded)
    assert (result.error.limit, result.error.allowed) == (limit, allowed)
    assert limit in str(result.error)
    assert getattr(result.spent, limit) > allowed


async def test_calls_already_under_way_are_ended_when_the_budget_is_spent():
    meter, ended = Meter(Budget(usd=1.0)), []

    async def perform(operator, inputs, call):
        if len(meter.spent.to_json()) and call.path == "1":
            await asyncio.sleep(0)
            meter.charge(Spending(usd=2.0))
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(call.path)

    result = await run(
        "rs = []",
        "for i in range(3):",
        f"    r = {CALL}",
        "    rs.append(r['response'])",
        "return str(rs)",
        perform=perform,
        meter=meter,
    )
    assert isinstance(result.error, BudgetExceeded)
    assert sorted(ended) == ["2", "3"]
    assert [call.status for call in result.trace.calls] == ["failed", "cancelled", "cancelled"]


async def test_a_waiting_run_ends_when_its_time_is_up():
    async def perform(operator, inputs, call):
        await asyncio.Event().wait()

    result = await run(f"r = {CALL}", "return r['response']", budget=Budget(seconds=0.05), perform=perform)
    assert isinstance(result.error, BudgetExceeded)
    assert (result.error.limit, result.error.allowed) == ("seconds", 0.05)
    assert result.error.spent >= 0.05
    assert [call.status for call in result.trace.calls] == ["cancelled"]
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_busy_run_ends_when_its_time_is_up():
    budget = Budget(None, 0.05, None, None, None, None)
    result = await run("n = 0", "while n >= 0:", "    n += 1", "return ''", budget=budget)
    assert isinstance(result.error, BudgetExceeded)
    assert result.error.limit == "seconds"


@pytest.mark.parametrize("handler", ["except:", "except Exception:", "except (TimeoutError, RuntimeError):"])
async def test_time_that_is_up_cannot_be_caught(handler):
    async def perform(operator, inputs, call):
        await asyncio.Event().wait()

    body = [
        "try:",
        f"    r = {CALL}",
        handler,
        "    return 'swallowed'",
        "finally:",
        "    print('end')",
        "return r['response']",
    ]
    result = await run(*body, budget=Budget(seconds=0.05), perform=perform)
    assert isinstance(result.error, BudgetExceeded)


async def test_outputs_of_calls_count_as_memory():
    async def perform(operator, inputs, call):
        return {"response": "x" * 600}

    result = await run(
        "for i in range(3):",
        f"    r = {CALL}",
        "    print(r)",
        "return ''",
        budget=Budget(memory=1_000),
        perform=perform,
    )
    assert isinstance(result.error, BudgetExceeded)
    assert result.error.limit == "memory"


async def test_a_small_workflow_stays_far_below_the_default_limits():
    meter = Meter(Budget())
    result = await run(
        "xs = []",
        "for i in range(5):",
        f"    r = {CALL}",
        "    xs.append(r['response'].strip())",
        "return ', '.join(xs)",
        meter=meter,
    )
    assert result.answer == "x, x, x, x, x"
    assert meter.steps < 200
    assert meter.memory < 2_000
    assert result.steps == meter.steps


def test_what_is_left_of_equal_sums_is_nothing():
    parts = [Spending(calls=1, usd=0.1), Spending(usd=0.2), Spending(usd=0.3)]
    assert sum(parts, Spending()) - sum(reversed(parts), Spending()) == Spending()
    assert Spending(calls=3, usd=0.5) - Spending(calls=1, usd=0.2) == Spending(calls=2, usd=0.3)


def test_nothing_is_permitted_once_a_limit_is_reached():
    whole = Meter(Budget.unlimited(usd=1.0))
    run = Meter(Budget(tokens=100), whole)
    run.permit()
    run.charge(Spending(model_calls=1, input_tokens=100, usd=0.5))  # at the limit, and not over it
    with pytest.raises(BudgetExceeded, match="the tokens limit of 100 is used up"):
        run.permit()
    whole.check()
    whole.permit()
    Meter(Budget(), whole).charge(Spending(model_calls=1, usd=0.5))
    with pytest.raises(BudgetExceeded, match="the usd limit of 1 is used up"):
        Meter(Budget(), whole).permit()
    with pytest.raises(BudgetExceeded, match="the usd limit of 1 is used up"):
        whole.check()


def test_a_limit_in_dollars_needs_prices():
    meter = Meter(Budget.unlimited(usd=1.0))
    with pytest.raises(BudgetExceeded, match="the price of a model is not known"):
        meter.charge(Spending(model_calls=1, unpriced_calls=1))
    Meter(Budget.unlimited()).charge(Spending(model_calls=1, unpriced_calls=1))


def test_what_a_parent_refused_is_known_to_its_children():
    whole = Meter(Budget(usd=1.0))
    child = Meter(Budget.unlimited(), whole)
    child.check()
    with pytest.raises(BudgetExceeded):
        Meter(Budget.unlimited(), whole).charge(Spending(usd=2.0))
    with pytest.raises(BudgetExceeded, match="usd 2"):
        child.check()
