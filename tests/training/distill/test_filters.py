from dataclasses import replace

import pytest
from agents import one_call, proposal
from recipes import make_recipe
from tiny_model import CHATML, tiny_model, tiny_tokenizer
from trajectories import make_trajectory

from flowreasoner.errors import TrainingError
from flowreasoner_training.distill.filters import Filters, Length, length_of
from flowreasoner_training.rendering import render
from flowreasoner_training.trajectory import TrajectoryRound

BROKEN = proposal("        return await self.nothing(problem=problem)")


def filters(tokens=lambda _: 1, **settings):
    return Filters(make_recipe(distill=settings).distill, Length(tokens, "words"))


async def test_each_reason_for_a_rejection_is_counted():
    good = await make_trajectory()
    assert good.rounds[-1].__class__ is TrajectoryRound
    bad_end = replace(good, rounds=(*good.rounds[:1], replace(good.rounds[1], valid=False)))
    asked = [
        replace(good, score=0.5),
        replace(good, hidden_score=0.5),
        bad_end,
        replace(good, id="long"),
        good,
        replace(good, id="demo/add/1"),
        replace(good, id="demo/other/0", query="other", hidden_score=None),
    ]
    chosen = filters(lambda item: 11 if item.id == "long" else 10, min_score=1.0, max_tokens=10).select(asked)
    assert [item.id for item in chosen.kept] == ["demo/add/0", "demo/other/0"]
    assert chosen.lengths == [10, 10]
    assert chosen.rejected == {
        "low score": 1,
        "fails hidden tests": 1,
        "last workflow refused": 1,
        "too long": 1,
        "duplicate": 1,
    }


async def test_only_the_same_workflows_in_the_same_order_are_duplicates():
    first = await make_trajectory([one_call("first"), one_call("second")])
    words = await make_trajectory([one_call("first").replace("Use first", "Other words"), one_call("second")])
    prompts = await make_trajectory([one_call("first  "), one_call("second")])
    shorter = await make_trajectory([one_call("second")])
    backwards = replace(first, rounds=first.rounds[::-1])
    chosen = filters().select([first, words, prompts, shorter, backwards])
    assert chosen.kept == [first, prompts, shorter, backwards]
    assert chosen.rejected == {"duplicate": 1}


async def test_a_refused_workflow_on_the_way_is_no_reason():
    made = await make_trajectory([BROKEN, BROKEN, BROKEN, one_call("second")])
    assert filters().select([made]).kept == [made]


async def test_length_is_counted_in_the_meta_agent_s_tokens_where_they_are_at_hand(tmp_path):
    made = await make_trajectory()
    model = make_recipe(model={"name": str(tiny_model(tmp_path))}).model
    length = length_of(model)
    assert length.unit == f"tokens of {tmp_path}"
    assert length.tokens(made) == len(render(tiny_tokenizer(), made.messages()).input_ids)


async def test_length_is_estimated_without_a_tokenizer():
    made = await make_trajectory()
    length = length_of(make_recipe().model)
    assert length.unit == "characters divided by 4"
    assert length.tokens(made) == sum(len(message["content"]) for message in made.messages()) // 4


async def test_a_tokenizer_that_cannot_render_is_an_error_before_anything_is_paid(tmp_path):
    tiny_tokenizer(template=CHATML.replace("{% generation %}", "").replace("{% endgeneration %}", "")).save_pretrained(
        tiny_model(tmp_path)
    )
    with pytest.raises(TrainingError, match="does not mark the assistant's words"):
        length_of(make_recipe(model={"name": str(tmp_path)}).model)
