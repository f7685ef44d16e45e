import pytest
from tiny_model import tiny_tokenizer

from flowreasoner.errors import TrainingError
from flowreasoner_training.sft.data import load_data


def test_long_trajectories_are_left_out_whole_and_counted(data):
    tokenizer = tiny_tokenizer()
    every = load_data(data, tokenizer, 100_000)
    lengths = sorted(len(row["input_ids"]) for row in every.rows)
    assert (len(lengths), every.left_out, every.tokens) == (4, 0, sum(lengths))
    some = load_data(data, tokenizer, lengths[1])
    assert (len(some.rows), some.left_out) == (2, 2)
    assert 0 < some.trained < some.tokens


def test_nothing_to_train_on_says_what_would_help(data, tmp_path):
    tokenizer = tiny_tokenizer()
    longest = max(len(row["input_ids"]) for row in load_data(data, tokenizer, 100_000).rows)
    with pytest.raises(
        TrainingError, match=f"all 4 trajectories are longer than sft.max_tokens 9; raise it to {longest}"
    ):
        load_data(data, tokenizer, 9)
    (tmp_path / "empty.jsonl").write_text("\n")
    with pytest.raises(TrainingError, match=r"has nothing to train on: it is empty"):
        load_data(tmp_path / "empty.jsonl", tokenizer, 9)
