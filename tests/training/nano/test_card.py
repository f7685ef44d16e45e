import hashlib
import json
import runpy
from dataclasses import replace
from pathlib import Path

import pytest
from outcomes import some_results

from flowreasoner.errors import QueryError
from flowreasoner_training.nano.card import ModelFacts, Stage, render_card
from flowreasoner_training.nano.weights import file_hash, folder_of, label_of, weights_hash

ROOT = Path(__file__).parents[3]


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "runs" / "grpo"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"weights")
    (folder / "config.json").write_text("{}")
    return folder


@pytest.fixture
def facts(folder, tmp_path):
    data, log = tmp_path / "trajectories.jsonl", tmp_path / "log.jsonl"
    data.write_text("{}\n" * 3)
    log.write_text("".join(json.dumps({"step": n, "reward": n / 10, "seconds": 3}) + "\n" for n in range(1, 41)))
    stages = (
        Stage("SFT", "flowreasoner sft miniature", 3, (data,)),
        Stage("GRPO", "flowreasoner grpo miniature", 4, (), log),
    )
    return ModelFacts("Meta-agent", folder, "Writes workflows.", 1_234_567, stages)


def test_the_card_has_hashes_sizes_commands_seeds_and_logs(facts):
    card = render_card("miniature", "For a first look.", [facts], ["It knows one family of queries."], some_results())
    assert hashlib.sha256(b"weights").hexdigest() in card
    assert "1,234,567" in card
    assert "```sh\nflowreasoner sft miniature\n```" in card
    assert f"Data: `trajectories.jsonl`, 3 records, SHA-256 `{file_hash(facts.stages[0].data[0])}`." in card
    assert "Seed 3." in card
    assert "40 logged steps up to step 40, 2.0 min" in card
    assert "| reward | 0.25 | 3.85 |" in card
    assert "(d) FlowReasoner" in card
    assert "Apache-2.0" in card
    assert card.endswith("- It knows one family of queries.\n")


def test_what_was_made_otherwise_is_said(facts):
    made = replace(facts, stages=(replace(facts.stages[0], command=""),))
    card = render_card("miniature", "", [made], [], departures="In two passes.")
    assert "## How these weights differ from the recipe's\n\nIn two passes.\n" in card
    assert "```" not in card


def test_the_card_in_the_repository_is_that_of_the_pair():
    made = runpy.run_path(str(ROOT / "scripts" / "model_card.py"), run_name="model_card")
    assert (ROOT / "docs/model-card.md").read_text() == made["model_card"](), "run: python scripts/model_card.py"


def test_a_card_before_the_evaluation_has_no_results(facts):
    assert "## Evaluation" not in render_card("miniature", "", [facts], [])


def test_what_is_missing_is_named(facts, tmp_path):
    gone = replace(facts, stages=(Stage("SFT", "sft", 0, (tmp_path / "gone.jsonl",)),))
    with pytest.raises(QueryError, match=r"no file .*gone\.jsonl"):
        render_card("miniature", "", [gone], [])
    with pytest.raises(QueryError, match="holds no weights"):
        render_card("miniature", "", [replace(facts, folder=tmp_path)], [])


def test_a_model_is_named_by_folder_and_weights(folder):
    digest = weights_hash(folder)
    assert label_of(f"hf:{folder}?temperature=1") == f"runs/grpo@{digest[:8]}"
    assert [label_of(uri) for uri in ("sim:", "sim:?seed=3", "openai:gpt-4o-mini")] == [
        "sim:",
        "sim:?seed=3",
        "openai:gpt-4o-mini",
    ]
    assert folder_of("embedded:") is None
    (folder / "model.safetensors").write_bytes(b"other weights")
    assert weights_hash(folder) != digest
