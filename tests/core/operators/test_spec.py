"""What an operator is: its declaration, its prompt, and the step it performs."""

import copy
import pickle

import pytest

from flowreasoner.errors import OperatorError
from flowreasoner.operators import BUILTIN, REQUIRED, FieldKind, Operator, OperatorField


def operator(prompt, *inputs, **given):
    return Operator("Step", "step", "", inputs, (OperatorField("out"),), prompt, **given)


X, Y = OperatorField("x"), OperatorField("y", default="none")


@pytest.mark.parametrize(
    ("prompt", "inputs", "expected"),
    [
        ("{x} and {y}", {"x": "1", "y": "2"}, "1 and 2"),
        ("{x}{x}", {"x": "1"}, "11"),
        ("{y}", {"x": "1"}, "none"),
        ("{x} {y}", {"x": "{y}", "y": "{x}"}, "{y} {x}"),
        ("{x}", {"x": "{not} {} {{x}} }{"}, "{not} {} {{x}} }{"),
        ("{x}", {"x": r"\1 \g<0> \n"}, r"\1 \g<0> \n"),
        ("{other} {} {x.y} {{x}}", {"x": "1"}, "{other} {} {x.y} {1}"),
        ("{x}", {"x": ["a", "b"]}, "a\n\nb"),
        ("{x}", {"x": ("a", 2)}, "a\n\n2"),
        ("[{x}]", {"x": None}, "[]"),
        ("[{x}]", {"x": 0}, "[0]"),
        ("[{x}]", {}, "[]"),
        ("\n {x} \n", {"x": "a"}, "a"),
        ("{more}", {"x": "1", "more": "given besides"}, "given besides"),
    ],
)
def test_rendering_fills_each_placeholder_once(prompt, inputs, expected):
    assert operator(prompt, X, Y).render(inputs) == expected


def test_an_operator_without_inputs_renders_its_prompt_as_it_is():
    assert operator("{} {x}").render({}) == "{} {x}"


@pytest.mark.parametrize(
    ("name", "interface"),
    [
        ("Custom", "custom(input: str, instruction: str, role: str = '') -> dict with key 'response' of type str"),
        ("ScEnsemble", "sc_ensemble(solutions: list[str], problem: str = '') -> dict with key 'response' of type str"),
        (
            "Review",
            "review(problem: str, solution: str) -> dict with keys 'review_result' of type bool "
            "and 'feedback' of type str",
        ),
        (
            "Test",
            "test(problem: str, solution: str, entry_point: str, test_cases: list[str] = None, test_loop: int = 3) "
            "-> dict with keys 'result' of type bool and 'solution' of type str",
        ),
    ],
)
def test_the_interface_shows_the_call_and_its_keys(name, interface):
    assert BUILTIN[name].interface() == interface


@pytest.mark.parametrize(
    ("kind", "shown"),
    [("TEXT", "str"), ("CODE", "str"), ("FLAG", "bool"), ("TEXTS", "list[str]"), ("NUMBER", "int")],
)
def test_each_kind_of_field_has_a_python_type(kind, shown):
    assert FieldKind[kind].python_type == shown


def test_the_reply_is_the_outputs_unless_given():
    assert operator("").reply == (OperatorField("out"),)
    assert operator("", reply=(X,)).reply == (X,)
    assert operator("").output_names == ("out",)


def test_operators_with_different_steps_are_equal_when_their_declarations_are():
    async def perform(*_):
        return {}

    assert operator("a", perform=perform) == operator("a")
    assert operator("a") != operator("b")


async def test_a_call_without_a_step_asks_once_with_the_rendered_prompt(toolkit):
    toolkit.replies = [{"out": "yes"}]
    assert await operator("{x} {y} {entry_point}", X, Y)(toolkit, {"x": "1", "entry_point": "f"}) == {"out": "yes"}
    assert toolkit.prompts == ["1 none f"]
    assert toolkit.entry_points == ["f"]


async def test_a_call_hands_its_step_all_inputs_with_their_defaults(toolkit):
    async def perform(operator, toolkit, inputs):
        return {"out": inputs}

    assert await operator("", X, Y, perform=perform)(toolkit, {"x": "1"}) == {"out": {"x": "1", "y": "none"}}


@pytest.mark.parametrize("inputs", [{}, {"y": "2"}, {"x": REQUIRED}])
async def test_a_missing_input_is_named_before_anything_is_asked(toolkit, inputs):
    with pytest.raises(OperatorError, match=r"Step needs 'x': step\(x: str, y: str = 'none'\)"):
        await operator("{x}", X, Y)(toolkit, inputs)
    assert toolkit.prompts == []


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
def test_a_copy_of_an_operator_still_knows_which_inputs_it_requires(copied):
    again = copied(BUILTIN["Review"])
    assert again == BUILTIN["Review"]
    assert again.inputs[0].default is REQUIRED
