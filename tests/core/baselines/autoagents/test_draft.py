import contextlib
import json

import pytest
from drafted import TEAM, reply
from hypothesis import given
from hypothesis import strategies as st

from flowreasoner.baselines.autoagents.draft import DraftUnreadable, Step, read_draft


def test_a_draft_is_read_with_its_experts_and_who_works_on_each_step():
    draft = read_draft(reply())
    assert [item.name for item in draft.experts] == ["Expert", "Test Expert", "Language Expert"]
    assert draft.steps == (Step((0,), "analyse"), Step((1, 0), "solve together"), Step((2,), "answer"))


def test_a_draft_is_read_out_of_fences_and_after_thoughts():
    fenced = reply(f"```json\n{json.dumps(TEAM)}\n```", "```\n1) **Expert**: all of it\n```")
    assert read_draft(f"<think>{reply(steps='1. Nobody: x')}</think>{fenced}").steps == (Step((0,), "all of it"),)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no <experts>"),
        ("<experts>[]</experts>", "1 to 10 experts, not 0"),
        (reply("not JSON"), "must be a JSON list"),
        (reply("[" * 5_000), "must be a JSON list"),
        (reply([{"name": "Expert"}]), r"0\.prompt: Field required"),
        (reply([{"name": "A:\nB", "prompt": "p"}]), r"0\.name"),
        (reply([*TEAM, {"name": "expert", "prompt": "p"}]), "the same name"),
        (reply([{"name": f"E{n}", "prompt": "p"} for n in range(11)]), "not 11"),
        (reply().replace("<plan>", ""), "no <plan>"),
        (reply(steps="Expert: analyse"), "has 0"),
        (reply(steps="\n".join(f"{n}. Expert: x" for n in range(1, 14))), "has 13"),
        (reply(steps="1. Expert: x\n2. Nobody: y"), "step 2 must be"),
        (reply(steps="1. Expert does it"), "step 1 must be"),
    ],
)
def test_a_draft_that_cannot_be_used_says_why(text, reason):
    with pytest.raises(DraftUnreadable, match=reason):
        read_draft(text)


@given(st.text(alphabet='<>/experts plan[]{}":,1.\nA', max_size=120))
def test_any_reply_is_read_or_refused(text):
    with contextlib.suppress(DraftUnreadable):
        assert read_draft(text).steps
