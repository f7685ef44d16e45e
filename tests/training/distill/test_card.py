import hashlib
import json
from dataclasses import replace

from recipes import make_recipe
from trajectories import make_trajectory

from flowreasoner.budget import Spending
from flowreasoner_training.distill.card import make_card, write_card
from flowreasoner_training.distill.filters import Selection


def card_of(tmp_path, made, kept, **changes):
    (tmp_path / "trajectories.jsonl").write_text("data\n")
    settings = {
        "models": {"teacher": "function:t", "worker": "function:w"},
        "total": 9,
        "finished": 8,
        "stopped": "budget",
        "cost": Spending(calls=5, model_calls=7, input_tokens=20, output_tokens=10, usd=1.25, unpriced_calls=2),
        "unit": "tokens of m",
        "data": tmp_path / "trajectories.jsonl",
    }
    chosen = Selection(kept, [100 + 10 * index for index, _ in enumerate(kept)])
    return make_card(make_recipe(), made, chosen, {"too long": 1}, **{**settings, **changes})


async def test_the_card_counts_what_there_is(tmp_path):
    good = await make_trajectory()
    other = replace(good, score=0.55, hidden_score=None, rounds=good.rounds[:1])
    low = replace(good, score=0.0, hidden_score=0.25)
    card = card_of(tmp_path, [good, other, low], [good, other])
    assert card["counts"] == {"asked": 9, "finished": 8, "kept": 2, "queries": 1, "rejected": {"too long": 1}}
    assert card["scores"]["feedback"] == {"mean": (1 + 0.55) / 3, "counts": {"0.0–0.1": 1, "0.5–0.6": 1, "1": 1}}
    assert card["scores"]["hidden"]["counts"] == {"0.2–0.3": 1, "1": 1}
    assert card["rounds"] == {"1": 1, "2": 1}
    assert card["length"] == {"unit": "tokens of m", "mean": 105.0, "longest": 110}
    assert card["reward"]["performance"] == (0 + 1 + 0) / 3
    assert card["reward"]["reward"] == (good.rounds[0].reward * 2 + good.rounds[1].reward) / 3
    assert card["sha256"] == hashlib.sha256(b"data\n").hexdigest()
    assert card["settings"]["distill"]["rounds"] == 3


async def test_the_card_for_people_says_the_same_and_warns(tmp_path):
    good = await make_trajectory()
    card = card_of(tmp_path, [replace(good, tests="all")], [replace(good, tests="all")])
    write_card(card, tmp_path)
    assert json.loads((tmp_path / "card.json").read_text()) == card
    text = (tmp_path / "card.md").read_text()
    for part in [
        "1 trajectories kept, on 1 queries; 8 of 9 design runs finished (budget)",
        "Cost: $1.25, and 2 calls of unknown price; 7 model calls, 30 tokens, 5 operator calls",
        "| too long | 1 |",
        "all (leaky: the tests that score also steered)",
        "One of them is simulated: this is no data of a language model.",
        card["sha256"],
    ]:
        assert part in text


def test_a_card_of_nothing_is_a_card(tmp_path):
    card = card_of(tmp_path, [], [])
    write_card(card, tmp_path)
    assert (card["scores"]["feedback"], card["length"]["longest"], card["reward"]) == (
        {"mean": 0.0, "counts": {}},
        0,
        {},
    )
