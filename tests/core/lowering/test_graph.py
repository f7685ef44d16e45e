"""Programs as graphs of steps: what becomes a step, how steps follow each other, and what no graph can express."""

import ast
import textwrap

import pytest
from programs import PROMPTS

from flowreasoner.errors import WorkflowInvalid
from flowreasoner.lowering import Dispatch, Finish, Next, Reraise, Route, step_graph
from flowreasoner.workflow import Workflow

A = "self.custom(input=problem, instruction='a')"
B = "self.custom(input=problem, instruction='b')"


def graph(body, members="", **settings):
    source = "class Workflow:\n    async def __call__(self, problem):\n"
    source += textwrap.indent(textwrap.dedent(body), " " * 8) + "\n" + textwrap.indent(textwrap.dedent(members), "    ")
    return step_graph(Workflow.parse(source, PROMPTS).program, **settings)


def kinds(steps):
    return {name: step.kind for name, step in steps.steps.items()}


def lines(statements):
    return [ast.unparse(item) for item in statements]


# --- steps ---


def test_a_call_is_a_step_with_the_statements_around_it():
    steps = graph(f"text = problem.strip()\na = await {A}\nb = a['response']\nreturn b + text")
    (step,) = steps.steps.values()
    assert (step.name, step.kind, step.line) == ("custom_1", "call", 4)
    assert step.site.operator == "Custom"
    assert lines(step.before) == ["text = problem.strip()"]
    assert lines(step.after) == ["b = a['response']"]
    assert ast.unparse(step.answer) == "b + text"
    assert isinstance(step.exit, Finish)


def test_calls_that_need_each_other_follow_each_other():
    steps = graph(f"a = await {A}\nb = await self.custom(input=a['response'], instruction='b')\nreturn b['response']")
    assert kinds(steps) == {"custom_1": "call", "custom_2": "call"}
    assert steps.entry.exit.step == "custom_2"


def test_what_no_call_is_in_is_one_step():
    steps = graph("texts = []\nfor letter in problem:\n    texts.append(letter)\nreturn ''.join(texts)")
    (step,) = steps.steps.values()
    assert step.kind == "step"
    assert len(step.before) == 2


def test_an_if_is_a_route_by_a_test_that_cannot_fail():
    steps = graph(f"a = await {A}\nif 'x' in a['response']:\n    a = await {B}\nreturn a['response']")
    route = steps.steps["custom_1"].exit
    assert isinstance(route, Route)
    assert ast.unparse(route.test) == "'x' in a['response']"
    assert (route.yes.step, route.no.step) == ("custom_2", "finish")


def test_a_test_that_may_fail_is_kept_in_a_variable_first():
    steps = graph(f"a = await {A}\nif int(a['response']) > 3:\n    a = await {B}\nreturn a['response']")
    step = steps.steps["custom_1"]
    assert lines(step.after) == ["condition = int(a['response']) > 3"]
    assert ast.unparse(step.exit.test) == "condition"
    assert steps.variables["condition"] == "flag"


def test_the_value_of_a_test_that_may_fail_is_kept_as_a_flag():
    steps = graph(f"a = await {A}\nif int(a['response']):\n    a = await {B}\nreturn a['response']")
    assert lines(steps.steps["custom_1"].after) == ["condition = bool(int(a['response']))"]


def test_a_loop_goes_back():
    steps = graph(
        f"n = 0\nwhile n < 3:\n    n += 1\n    a = await {A}\n    if a['response']:\n        continue\nreturn 'x'"
    )
    following = {exit_.step for exit_ in _exits(steps.steps["custom_1"].exit)}
    assert following == {"custom_1", "finish"}


def test_a_loop_over_a_list_counts():
    steps = graph(f"for item in [problem, 'b']:\n    a = await {A}\n    if a['response']:\n        break\nreturn item")
    assert set(steps.variables) >= {"index", "items", "item"}
    assert "items = [problem, 'b']" in lines(steps.entry.before)


def test_a_loop_over_what_its_body_changes_goes_through_the_list_itself():
    steps = graph(
        f"words = problem.split()\nfor word in words:\n    a = await {A}\n    words.append(a['response'])\n"
        "return str(words)"
    )
    assert "items = words if isinstance(words, list) else list(words)" in lines(steps.entry.before)
    assert steps.shared


def test_a_loop_over_what_nobody_changes_goes_through_a_copy():
    steps = graph(
        f"words = problem.split()\nfor word in words:\n    a = await {A}\n    if a['response']:\n        break\n"
        "return 'x'"
    )
    assert "items = list(words)" in lines(steps.entry.before)
    assert not steps.shared


def test_no_run_begins_twice():
    steps = graph(f"while True:\n    a = await {A}\n    if a['response']:\n        return 'x'\n")
    following = {exit_.step for step in steps.steps.values() for exit_ in _exits(step.exit) if isinstance(exit_, Next)}
    assert steps.entry.name not in following


def _exits(exit_):
    return [*_exits(exit_.yes), *_exits(exit_.no)] if isinstance(exit_, Route) else [exit_]


# --- fan-out ---


def test_independent_calls_fan_out():
    steps = graph(f"a = await {A}\nb = await {B}\nreturn a['response'] + b['response']")
    assert kinds(steps) == {"prepare": "step", "custom_1": "sample", "custom_2": "sample", "collect": "collect"}
    assert (steps.entry.exit.samples, steps.entry.exit.collect) == (("custom_1", "custom_2"), "collect")


def test_a_sampling_loop_fans_out_to_one_step():
    steps = graph(
        f"texts = []\nfor _ in range(5):\n    a = await {A}\n    texts.append(a['response'])\nreturn str(texts)"
    )
    assert kinds(steps) == {"prepare": "step", "custom_1": "sample", "collect_custom_1": "collect"}
    assert len(steps.entry.requests) == 1


def test_samples_are_guarded_only_where_something_catches():
    body = f"r = await asyncio.gather({A}, {B})\nreturn str(r)"
    assert not any(step.guarded for step in graph(body).steps.values())
    caught = "try:\n" + textwrap.indent(body, "    ") + "\nexcept ValueError:\n    return 'x'"
    assert [step.name for step in graph(caught).steps.values() if step.guarded] == ["custom_1", "custom_2"]
    kept = body.replace(f"{B})", f"{B}, return_exceptions=True)")
    assert [step.name for step in graph(kept).steps.values() if step.guarded] == ["custom_1", "custom_2"]


HELPER = (
    f"async def ask(self, problem):\n    a = await {A}\n    b = await self.review(problem=problem, solution=str(a))\n"
)
HELPER += "    return b['feedback']\n"


def test_gathered_helpers_are_graphs_of_their_own():
    steps = graph("a, b = await asyncio.gather(self.ask('x'), self.ask('y'))\nreturn a + b", HELPER)
    assert kinds(steps) == {"prepare": "step", "ask_2": "subgraph", "ask_3": "subgraph", "collect_gathered": "collect"}
    inner = steps.steps["ask_2"].graph
    assert kinds(inner) == {"custom_1": "call", "review_1": "call"}
    assert inner.parameters == ("problem",)
    assert not inner.guarded


def test_the_graphs_of_a_program_share_no_name_of_a_step():
    steps = graph(
        "a, b = await asyncio.gather(self.ask('x'), self.ask('y'))\nreturn a + b + await self.ask('z')", HELPER
    )
    names = [*steps.steps, *steps.steps["ask_2"].graph.steps, *steps.steps["ask_3"].graph.steps]
    assert len(names) == len(set(names))


def test_a_gather_that_keeps_errors_guards_all_of_a_helper():
    helper = HELPER + "async def outer(self, problem):\n"
    helper += "    a, b = await asyncio.gather(self.ask('x'), self.ask('y'))\n    return a + b\n"
    steps = graph("r = await asyncio.gather(self.outer('x'), return_exceptions=True)\nreturn str(r)", helper)
    outer = steps.steps["outer_2"]
    assert outer.guarded and outer.graph.guarded  # noqa: PT018
    assert all(step.graph.guarded for step in outer.graph.steps.values() if step.graph)


def test_a_coroutine_in_a_variable_is_sent_where_it_is_awaited():
    steps = graph(f"waiting = {A}\nb = await {B}\na = await waiting\nreturn a['response'] + b['response']")
    collect = next(step for step in steps.steps.values() if step.kind == "collect")
    assert collect.single
    assert steps.steps["custom_1"].kind == "sample"


# --- helpers ---


def test_awaited_helpers_are_put_in_place_with_variables_of_their_own():
    steps = graph("a = await self.ask(problem)\nreturn a", HELPER)
    assert kinds(steps) == {"custom_1": "call", "review_1": "call"}
    assert "ask_problem = problem" in lines(steps.entry.before)


def test_a_helper_put_in_place_twice_has_steps_for_each():
    steps = graph("a = await self.ask(problem)\nb = await self.ask(a)\nreturn b", HELPER)
    assert list(kinds(steps)) == ["custom_1", "review_1", "custom_1_2", "review_1_2"]
    assert steps.steps["custom_1_2"].site == steps.steps["custom_1"].site


def test_defaults_and_keywords_of_helpers():
    helper = "async def ask(self, text, mark='!', times=2):\n"
    helper += "    a = await self.custom(input=text + mark * times, instruction='a')\n    return a['response']\n"
    steps = graph("return await self.ask(times=3, text=problem)", helper)
    assert lines(steps.entry.before)[:3] == ["ask_times = 3", "ask_text = problem", "ask_mark = '!'"]


# --- try ---


def test_errors_of_a_body_go_to_its_handlers_the_innermost_first():
    steps = graph(
        f"""
        try:
            try:
                a = await {A}
            except ValueError:
                b = await {B}
        except (KeyError, TypeError) as error:
            return str(error)
        return 'x'
        """
    )
    inner, outer = steps.steps["custom_1"].handlers
    assert (inner.exceptions, outer.exceptions) == (("ValueError",), ("KeyError", "TypeError"))
    assert steps.steps["custom_2"].handlers == (outer,)
    assert steps.steps[outer.step].caught == "error"
    assert steps.steps[outer.step].handlers == ()


def test_a_finally_part_is_on_every_way_out():
    steps = graph(
        f"""
        for i in range(3):
            try:
                a = await {A}
                if a['response']:
                    continue
                if a:
                    return 'x'
            finally:
                b = await {B}
        return 'end'
        """
    )
    named = [step for step in steps.steps.values() if step.site is not None and step.site.name == "custom_2"]
    assert len(named) == 4  # after continue, return, the end of the body, and an error
    (reraising,) = [step for step in steps.steps.values() if isinstance(step.exit, Reraise)]
    assert reraising in named
    assert (
        steps.steps["custom_1"].handlers[0].step == reraising.name
        or steps.steps[steps.steps["custom_1"].handlers[0].step]
    )


def test_bodies_of_try_are_not_gathered():
    steps = graph(
        f"try:\n    a = await {A}\n    b = await {B}\nexcept ValueError:\n    return 'x'\nreturn str(a) + str(b)"
    )
    assert not any(isinstance(step.exit, Dispatch) for step in steps.steps.values())


# --- the state ---


def test_only_variables_that_outlive_a_step_are_state():
    steps = graph("text = problem.strip()\na = await self.custom(input=text, instruction='a')\nreturn a['response']")
    assert list(steps.variables) == ["problem", "a"]
    assert steps.variables == {"problem": "text", "a": "result:Custom"}


def test_reserved_names_are_given_to_no_variable():
    steps = graph(
        f"answer = await {A}\nb = await self.custom(input=answer['response'], instruction='b')\nreturn b['response']",
        reserved={"answer"},
    )
    assert "answer" not in steps.variables
    assert "answer_2" in steps.variables


def test_rewritten_prompts_are_known():
    assert graph(f"prompt_custom.SOLVE += 'x'\na = await {A}\nreturn a['response']").prompts == ("SOLVE",)
    assert graph(f"a = await {A}\nreturn a['response']").prompts == ()


def test_the_cost_is_left_out():
    steps = graph(f"a = await {A}\ncost = self.llm.cost_manager.total_cost\nreturn a['response'], cost")
    assert ast.unparse(steps.entry.answer) == "a['response']"


# --- what no graph can express ---

RECURSIVE = """
async def again(self, text):
    a = await self.custom(input=text, instruction='a')
    if a['response']:
        return a['response']
    return await self.again(text)
"""
MUTUAL = """
async def one(self, text):
    a = await self.custom(input=text, instruction='a')
    return await self.other(a['response'])

async def other(self, text):
    if text:
        return text
    return await self.one(text)
"""
REWRITES = """
async def rewrite(self, text):
    a = await self.custom(input=text, instruction=prompt_custom.SOLVE)
    prompt_custom.SOLVE = a['response']
    return a['response']
"""
CHANGES = """
async def add(self, log, text):
    a = await self.custom(input=text, instruction='a')
    log.append(a['response'])
    return a['response']
"""


@pytest.mark.parametrize(
    ("code", "line", "remedy", "body", "members"),
    [
        ("recursive-helper", 9, "loop", "return await self.again(problem)", RECURSIVE),
        ("recursive-helper", 12, "loop", "return await self.one(problem)", MUTUAL),
        (
            "not-storable",
            3,
            "make a list of it",
            f"pairs = zip(problem, problem)\na = await {A}\nb = await self.custom(input=str(a), instruction='b')\n"
            "return str(list(pairs)) + b['response']",
            "",
        ),
        (
            "not-storable",
            3,
            "use it at once",
            f"key = lambda text: len(text)\na = await {A}\nb = await self.custom(input=str(a), instruction='b')\n"
            "return str(key(b['response']))",
            "",
        ),
        (
            "cost-unknown",
            4,
            "count rounds",
            f"a = await {A}\nif self.llm.cost_manager.total_cost > 1:\n    return 'x'\nreturn a['response']",
            "",
        ),
        ("starred-arguments", 4, "one by one", "given = [problem]\nreturn await self.ask(*given)", HELPER),
        (
            "parallel-prompt",
            3,
            "before the calls are gathered",
            "a, b = await asyncio.gather(self.rewrite('x'), self.rewrite('y'))\nreturn a + b",
            REWRITES,
        ),
        (
            "parallel-change",
            4,
            "after the gather",
            "log = []\na, b = await asyncio.gather(self.add(log, 'x'), self.add(log, 'y'))\nreturn a + b + str(log)",
            CHANGES,
        ),
    ],
)
def test_what_no_graph_can_express_is_refused_with_line_and_remedy(code, line, remedy, body, members):
    with pytest.raises(WorkflowInvalid) as refused:
        graph(body, members)
    (problem,) = refused.value.diagnostics
    assert (problem.code, problem.line, problem.severity) == (code, line, "error")
    assert remedy in problem.remedy


@pytest.mark.parametrize(
    "members",
    [
        "async def add(self, log, text):\n    log = [*log, text]\n"
        "    a = await self.custom(input=str(log), instruction='a')\n"
        "    log.append('x')\n    return a['response']",
        "async def add(self, log, text):\n    text += '!'\n    out = []\n"
        "    a = await self.custom(input=text + str(log), instruction='a')\n    out.append(text)\n    return out[0]",
    ],
)
def test_helpers_that_change_only_what_is_their_own_are_gathered(members):
    steps = graph(
        "log = []\na, b = await asyncio.gather(self.add(log, 'x'), self.add(log, 'y'))\nreturn a + b + str(log)",
        members,
    )
    assert [step.kind for step in steps.steps.values()].count("subgraph") == 2
