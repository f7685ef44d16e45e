import json
from dataclasses import replace

import pytest
from agents import ADD, one_call, proposal
from trajectories import make_trajectory

from flowreasoner.designers import instructions
from flowreasoner.errors import TrainingError
from flowreasoner.models import Completion
from flowreasoner_training.trajectory import Trajectory, read_trajectories, write_trajectories

BROKEN = proposal("        return await self.nothing(problem=problem)")


async def test_a_design_run_is_kept_with_all_that_was_read_written_and_earned():
    made = await make_trajectory()
    assert (made.id, made.query, made.benchmark) == ("demo/add/0", "add", "demo")
    assert [item.score for item in made.rounds] == [0.0, 1.0]
    assert (made.best_round, made.score, made.hidden_score, made.stopped) == (2, 1.0, 1.0, "perfect")
    first, second = made.rounds
    assert first.reply == one_call("first")
    assert first.workflow.startswith("class Workflow:")
    assert first.prompts == {"WRITE": "first"}
    assert first.terms["performance"] == 0.0
    assert second.reward == pytest.approx(1.0 + 0.1 * second.terms["simplicity"] + 0.1 * second.terms["diversity"])
    assert made.reward == pytest.approx((first.reward + second.reward) / 2)
    assert "Operators" in made.task
    assert "At most 9 operator calls" in made.task


async def test_the_conversation_ends_with_the_last_reply_and_has_feedback_between():
    made = await make_trajectory()
    messages = made.messages()
    assert [message["role"] for message in messages] == ["system", "user", "assistant", "user", "assistant"]
    assert messages[0]["content"] == instructions.SYSTEM
    assert messages[2]["content"] == one_call("first")
    assert messages[3]["content"].startswith("# Feedback on round 1\n\nScore: 0.00")
    assert messages[3]["content"].endswith("keep what worked.")


async def test_hidden_tests_are_a_number_and_no_text():
    made = await make_trajectory()
    text = json.dumps(made.to_json())
    for case in ADD.hidden.cases:
        assert case.source not in text
    for case in ADD.feedback.cases:
        assert case.source in text


async def test_thoughts_from_a_provider_s_field_come_before_the_reply():
    made = await make_trajectory([Completion(one_call("second"), reasoning="Let me see.")])
    assert made.rounds[0].thoughts == "Let me see."
    assert made.messages()[-1]["content"] == f"<think>\nLet me see.\n</think>\n\n{one_call('second')}"


async def test_thoughts_inside_a_reply_are_not_repeated():
    reply = f"<think>\nOne call is enough.\n</think>\n\n{one_call('second')}"
    made = await make_trajectory([reply])
    assert made.rounds[0].reasoning == "One call is enough."
    assert made.rounds[0].thoughts == ""
    assert made.messages()[-1]["content"] == reply


async def test_a_round_that_was_corrected_is_learned_as_if_it_had_been_right_at_once():
    made = await make_trajectory([Completion(BROKEN, reasoning="Hm."), Completion(one_call("second"), reasoning="Ah.")])
    (only,) = made.rounds
    assert (only.corrections, only.valid) == (1, True)
    assert only.thoughts == "Hm.\n\nAh."
    assert BROKEN not in json.dumps(made.messages())


async def test_a_refused_round_keeps_its_text_and_has_no_terms_for_a_workflow():
    made = await make_trajectory([BROKEN, BROKEN, BROKEN, one_call("second")])
    first = made.rounds[0]
    assert (first.valid, first.score, first.corrections) == (False, 0.0, 2)
    assert "self.nothing" in first.workflow
    assert first.terms == {"performance": 0.0, "simplicity": None, "diversity": None}
    assert "refused before it ran" in first.feedback


async def test_a_file_of_trajectories_reads_back_as_it_was(tmp_path):
    made = await make_trajectory([one_call("second\u2028 é")])
    other = replace(made, id="demo/add/1", metadata={"note": [1, None]})
    write_trajectories(tmp_path / "a.jsonl", [made, other])
    assert list(read_trajectories(tmp_path / "a.jsonl")) == [made, other]
    assert [item.name for item in tmp_path.iterdir()] == ["a.jsonl"]


async def test_files_that_hold_something_else_are_named_with_the_line(tmp_path):
    made = (await make_trajectory()).to_json()
    file = tmp_path / "a.jsonl"
    for text, message in [
        ("{", "line 2 of .* is no JSON"),
        ("[]", "line 2 of .* is no trajectory: the record"),
        (json.dumps({**made, "rounds": []}), "it has no rounds"),
        (json.dumps({**made, "seed": "x"}), "is no trajectory: seed: "),
        (json.dumps({name: value for name, value in made.items() if name != "task"}), "is no trajectory: task: "),
    ]:
        file.write_text(json.dumps(made) + "\n" + text + "\n")
        with pytest.raises(TrainingError, match=message):
            list(read_trajectories(file))


def test_a_missing_file_is_named_with_what_makes_one(tmp_path):
    with pytest.raises(TrainingError, match=r"nowhere.jsonl': No such file.*`flowreasoner distill` makes such a file"):
        list(read_trajectories(tmp_path / "nowhere.jsonl"))


async def test_a_file_that_cannot_be_written_is_an_error_and_the_old_one_stays(tmp_path, monkeypatch):
    made = await make_trajectory()
    write_trajectories(tmp_path / "a.jsonl", [made])

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(TrainingError, match="No space left on device; make that possible, or choose another folder"):
        write_trajectories(tmp_path / "a.jsonl", [made, made])
    assert list(read_trajectories(tmp_path / "a.jsonl")) == [made]


def test_a_trajectory_is_no_place_for_code():
    with pytest.raises(TrainingError):
        Trajectory.from_json({"__reduce__": "os.system"})
