import pytest

from flowreasoner_training.grpo.log import RoundMade, StepEnded
from flowreasoner_training.grpo.progress import StepLines, step_line

METRICS = {
    "reward": 0.5126,
    "score": 0.4,
    "round_1/score": 0.25,
    "round_1/valid": 0.875,
    "round_2/score": 0.5,
    "round_2/valid": 1.0,
}


def test_a_step_is_told_in_a_line():
    assert step_line(StepEnded(3, 40, METRICS, 12.4, 310.0)) == (
        "step 3/40: mean reward 0.513; by round: score 0.25 0.50, valid 88% 100%; 12 s a step, about 5:10 left"
    )


@pytest.mark.parametrize(
    ("metrics", "said"),
    [
        ({**METRICS, "round_12/kl": 0.1}, "score 0.25 0.50 - - - - - - - - - -, valid"),  # no trajectory got there
        ({}, "mean reward nan; by round: score -, valid -; 0.4 s a step"),
    ],
)
def test_what_was_not_measured_is_a_dash(metrics, said):
    line = step_line(StepEnded(40, 40, metrics, 0.4, 0.0))
    assert said in line
    assert "left" not in line


def test_the_rounds_of_the_first_step_are_told_as_that_may_take_long():
    lines = []
    tell = StepLines(lines.append)
    for event in (RoundMade(1, 1, 3), StepEnded(1, 2, METRICS, 9.0, 9.0), RoundMade(2, 1, 3)):
        tell(event)
    assert lines[0] == "step 1: round 1 of 3 is designed and run"
    assert lines[1].startswith("step 1/2: mean reward")
    assert len(lines) == 2
