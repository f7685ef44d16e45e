"""The controller against NumPy and finite differences, and the published rule of sampling."""

import random
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from flowreasoner_training.baselines.maas.controller import Controller, choose, mend_first_layer
from flowreasoner_training.baselines.maas.supernet import EARLY_STOP, OPERATORS
from flowreasoner_training.baselines.maas.training import policy_loss

NAMES = ("Generate", "Test", "EarlyStop")
EMBEDDINGS = torch.tensor([[1.0, 0.0, 0.5], [0.2, -1.0, 0.3], [-0.4, 0.7, 0.1]], dtype=torch.float64)
QUERY = torch.tensor([0.3, 0.9, -0.2], dtype=torch.float64)
ARCHITECTURE = (("Generate", "Test"), ("Test",), ("EarlyStop", "Generate"))


def small():
    """Three operators, embeddings of width 3, encodings of width 2, three layers."""
    torch.manual_seed(3)
    return Controller(NAMES, EMBEDDINGS, layers=3, hidden=2).double()


def reference_layer(weights, number, before, query, embeddings):
    """A layer's probabilities in NumPy, written from the paper's description and the published code."""
    part = {name: weights[f"layers.{number}.{name}"] for name in ("query.weight", "query.bias")}
    part |= {name: weights[f"layers.{number}.{name}"] for name in ("operators.weight", "operators.bias")}
    asked = part["query.weight"] @ query + part["query.bias"]
    asked = asked / np.sqrt((asked**2).sum())
    scores = []
    for embedding in embeddings:
        given = embedding if before is None else np.concatenate([embedding, before])
        encoded = part["operators.weight"] @ given + part["operators.bias"]
        scores.append(asked @ encoded / np.sqrt((encoded**2).sum()))
    return np.exp(scores) / np.exp(scores).sum()


def reference(weights, architecture):
    """An architecture's log-probability in NumPy."""
    total, before = 0.0, None
    for number, chosen in enumerate(architecture):
        probabilities = reference_layer(weights, number, before, QUERY.numpy(), EMBEDDINGS.numpy())
        total += sum(np.log(probabilities[NAMES.index(name)]) for name in chosen)
        before = EMBEDDINGS.numpy()[NAMES.index(chosen[0])]
    return total


def numbers(controller):
    return {name: value.detach().numpy().copy() for name, value in controller.named_parameters()}


def test_the_log_probability_is_that_of_numpy():
    controller = small()
    got = controller.log_probability(QUERY, ARCHITECTURE).item()
    assert got == pytest.approx(reference(numbers(controller), ARCHITECTURE), rel=1e-12)


def test_a_worked_example_by_hand():
    controller = Controller(NAMES, EMBEDDINGS, layers=1, hidden=1).double()
    with torch.no_grad():
        for parameter in controller.parameters():
            parameter.zero_()
        controller.layers[0].query.bias.fill_(2.0)
        controller.layers[0].operators.weight[0, 0] = 1.0  # the sign of the first number decides: scores 1, 1, -1
    shares = np.exp([1, 1, -1]) / np.exp([1, 1, -1]).sum()
    assert controller.log_probability(QUERY, (("Test",),)).item() == pytest.approx(np.log(shares[1]), rel=1e-12)
    both = controller.log_probability(QUERY, (("Generate", "EarlyStop"),)).item()
    assert both == pytest.approx(np.log(shares[0]) + np.log(shares[2]), rel=1e-12)


def test_the_gradient_of_the_loss_is_that_of_finite_differences():
    controller = small()
    others, utilities = (("Generate",), ("EarlyStop",)), [0.75, -0.5]
    made = torch.stack([controller.log_probability(QUERY, item) for item in (ARCHITECTURE, others)])
    policy_loss(made, utilities).backward()

    def loss(weights):
        return -(0.75 * reference(weights, ARCHITECTURE) - 0.5 * reference(weights, others)) / 2

    weights, step = numbers(controller), 1e-6
    for name, parameter in controller.named_parameters():
        for place in np.ndindex(weights[name].shape):
            up, down = ({key: value.copy() for key, value in weights.items()} for _ in range(2))
            up[name][place] += step
            down[name][place] -= step
            expected = (loss(up) - loss(down)) / (2 * step)
            assert parameter.grad[place].item() == pytest.approx(expected, rel=1e-5, abs=1e-8)


def test_the_loss_follows_what_was_useful():
    loss = policy_loss(torch.tensor([-1.0, -2.0]), [1.0, -0.5])
    assert loss.item() == pytest.approx(-(-1.0 * 1.0 + -2.0 * -0.5) / 2)


# --- sampling ---


class Script(random.Random):
    """Draws what it is told, and keeps what it was offered."""

    def __init__(self, *draws):
        super().__init__(0)
        self.draws, self.offered = list(draws), []

    def choices(self, population, weights):
        self.offered.append((list(population), list(weights)))
        return [self.draws.pop(0)]


def test_operators_are_drawn_without_putting_back_until_the_threshold():
    roll = Script(2, 0, 3)
    assert choose([0.1, 0.5, 0.15, 0.25], 0.3, roll) == [2, 0, 3]
    assert roll.offered[1] == ([0, 1, 3], [0.1, 0.5, 0.25])  # those left, in the proportions of before
    assert choose([0.1, 0.5, 0.15, 0.25], 0.3, Script(1)) == [1]
    assert choose([0.3, 0.7], 0.3, Script(0)) == [0]  # the threshold itself is enough


@given(st.lists(st.floats(0.05, 1), min_size=1, max_size=9), st.floats(0.05, 1), st.integers())
def test_a_drawn_set_is_the_least_that_reaches_the_threshold(weights, threshold, seed):
    probabilities = [weight / sum(weights) for weight in weights]
    chosen = choose(probabilities, threshold, random.Random(seed))
    assert len(set(chosen)) == len(chosen) >= 1
    assert sum(probabilities[index] for index in chosen[:-1]) < threshold
    reached = sum(probabilities[index] for index in chosen)
    assert reached >= threshold - 1e-9 or len(chosen) == len(probabilities)


def test_operators_are_drawn_as_often_as_their_probabilities_say():
    roll = random.Random(1)
    drawn = Counter(choose([0.6, 0.3, 0.1], 0.05, roll)[0] for _ in range(4_000))
    assert [drawn[index] / 4_000 for index in range(3)] == pytest.approx([0.6, 0.3, 0.1], abs=0.03)


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (("Test", "GenerateCoT", "Generate"), ("GenerateCoT", "Test", "Generate")),
        (("MultiGenerateCoT", "Test"), ("MultiGenerateCoT", "Test")),
        (("Test", "SelfRefine"), ("Generate",)),
        (("GenerateCoT", EARLY_STOP), ("Generate",)),
    ],
)
def test_the_first_layer_begins_with_a_program(chosen, expected):
    assert mend_first_layer(chosen) == expected


def test_sampled_architectures_are_of_the_supernet_and_end_where_they_should():
    torch.manual_seed(0)
    controller = Controller(OPERATORS, torch.randn(7, 8))
    query, roll = torch.randn(8), random.Random(2)
    made = [controller.sample(query, roll) for _ in range(300)]
    for architecture in made:
        assert 1 <= len(architecture) <= 4
        assert "Generate" in architecture[0][0]
        assert all(EARLY_STOP not in layer for layer in architecture[:-1])
        assert len(architecture) == 4 or EARLY_STOP in architecture[-1] or architecture == (("Generate",),)
        assert controller.log_probability(query, architecture).isfinite()
    assert {len(architecture) for architecture in made} == {1, 2, 3, 4}
    again = random.Random(2)
    assert [controller.sample(query, again) for _ in range(300)] == made


def test_a_layer_depends_on_the_operator_chosen_first_in_the_layer_before():
    controller = small()
    after = {
        first: controller.log_probability(QUERY, ((first,), ("Test",))).item()
        - controller.log_probability(QUERY, ((first,),)).item()
        for first in NAMES
    }
    assert len({round(value, 6) for value in after.values()}) == 3


def test_what_is_sampled_is_what_numpy_samples():
    torch.manual_seed(5)
    embeddings, query = torch.randn(7, 8, dtype=torch.float64), torch.randn(8, dtype=torch.float64)
    controller = Controller(OPERATORS, embeddings, hidden=3).double()
    weights = numbers(controller)
    for seed in range(50):
        roll, expected, before = random.Random(seed), [], None
        for number in range(4):
            probabilities = reference_layer(weights, number, before, query.numpy(), embeddings.numpy())
            chosen = tuple(OPERATORS[index] for index in choose(probabilities.tolist(), 0.3, roll))
            expected.append(chosen if number else mend_first_layer(chosen))
            before = embeddings.numpy()[OPERATORS.index(expected[-1][0])]
            if EARLY_STOP in chosen:
                break
        assert controller.sample(query, random.Random(seed)) == tuple(expected)
