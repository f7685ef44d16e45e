import math

import grpo_reference as reference
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from flowreasoner_training.grpo.advantages import round_advantages, spread_over_tokens
from flowreasoner_training.recipes.schema import GrpoSettings

NAN = math.nan


@st.composite
def groups(draw):
    """Ragged groups: rewards (None after a trajectory ended), and which rounds were valid."""
    size, rounds = draw(st.integers(2, 5)), draw(st.integers(1, 6))
    reward = st.one_of(st.sampled_from([0.0, 0.5, 1.0]), st.floats(-1, 2))
    made = []
    for _ in range(draw(st.integers(1, 3))):
        group = []
        for _ in range(size):
            length = draw(st.integers(1, rounds))
            group.append([draw(reward) for _ in range(length)] + [None] * (rounds - length))
        made.append(group)
    valid = [[[draw(st.booleans()) for _ in row] for row in group] for group in made]
    return made, valid


def tensors(made, valid):
    rewards = [[NAN if r is None else r for r in row] for group in made for row in group]
    return torch.tensor(rewards, dtype=torch.float64), torch.tensor([row for group in valid for row in group])


def close(tensor, lists):
    torch.testing.assert_close(tensor, torch.tensor(lists, dtype=torch.float64), rtol=1e-9, atol=1e-7)


@given(
    groups(),
    st.sampled_from([0.9, 1.0, 1.1]),
    st.integers(0, 4),
    st.fixed_dictionaries(
        {
            "scope": st.sampled_from(["subsequent", "trajectory"]),
            "statistics": st.sampled_from(["all", "kept"]),
            "scale": st.sampled_from(["group", "none"]),
            "center": st.sampled_from(["none", "round"]),
            "count_invalid": st.booleans(),
        }
    ),
)
@settings(max_examples=150, deadline=None)
def test_equation_4_is_the_references(case, k, excluded, options):
    made, valid = case
    asked = GrpoSettings(group_size=len(made[0]), discount=k, excluded_rounds=excluded, **options)
    expected = [reference.advantages(*group, k, excluded, **options) for group in zip(made, valid, strict=True)]
    close(round_advantages(*tensors(made, valid), asked), [line for group in expected for line in group])


@given(groups(), st.sampled_from(["group", "none"]))
@settings(max_examples=50, deadline=None)
def test_outcome_advantages_are_the_references(case, scale):
    made, valid = case
    asked = GrpoSettings(group_size=len(made[0]), advantage="outcome", scale=scale)
    expected = [line for group in made for line in reference.outcome_advantages(group, scale)]
    close(round_advantages(*tensors(made, valid), asked), expected)


WORKED = [[0.0, 0.5, 0.5, 1.0], [0.0, 0.0, 0.5, 0.5]]


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        # by hand: mean 0.375, deviation sqrt(0.109375); r~ of rounds 3 and 4 are 0.503071 and 2.766889 | 0.553378
        ("subsequent", [[3.269960, 3.269960, 3.269960, 2.766889], [1.056448, 1.056448, 1.056448, 0.553378]]),
        ("trajectory", [[3.269960] * 4, [1.056448] * 4]),
    ],
)
def test_an_example_worked_by_hand(scope, expected):
    asked = GrpoSettings(group_size=2, excluded_rounds=2, scope=scope)
    found = round_advantages(*tensors([WORKED], [[[True] * 4] * 2]), asked)
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64), atol=1e-6, rtol=0)


def test_an_invalid_early_round_is_only_blamed_when_it_counts():
    rewards, valid = tensors([WORKED], [[[True] * 4, [False, True, True, True]]])
    blamed = round_advantages(rewards, valid, GrpoSettings(group_size=2, excluded_rounds=2))
    spared = round_advantages(rewards, valid, GrpoSettings(group_size=2, excluded_rounds=2, count_invalid=False))
    assert blamed[1, 0] < spared[1, 0]
    assert torch.equal(blamed[:, 1:], spared[:, 1:])
    assert torch.equal(blamed[0], spared[0])


def test_equal_rewards_teach_nothing():
    rewards, valid = tensors([[[0.7] * 5] * 3], [[[True] * 5] * 3])
    assert not round_advantages(rewards, valid, GrpoSettings(group_size=3)).any()


def test_tokens_of_feedback_get_no_advantage():
    rounds = torch.tensor([[0, 0, -1, 1, 1, -1, 2], [0, -1, 1, -1, -1, -1, -1]])
    spread = spread_over_tokens(torch.tensor([[3.0, 2.0, 1.0], [-1.0, -2.0, 0.0]]), rounds)
    assert spread.tolist() == [[3, 3, 0, 2, 2, 0, 1], [-1, 0, -2, 0, 0, 0, 0]]
