"""The real thing, small: the miniature's meta-agent after SFT is trained on what its own workflows score."""

import math
from dataclasses import replace

import pytest

from flowreasoner.designers import Workbench
from flowreasoner.miniature import queries
from flowreasoner.models import ScriptedModel
from flowreasoner.models.embedded import PAIR
from flowreasoner.models.embedded.model import EmbeddedModel
from flowreasoner.sandbox import best_sandbox
from flowreasoner_training.baselines.scoreflow import MINIATURE_DPO, MINIATURE_SAMPLING, ScoreFlow
from flowreasoner_training.nano.restore import restore_embedded

SFT = PAIR / "meta_agent_sft"


@pytest.mark.slow
@pytest.mark.parametrize(("runtime", "pairs"), [("hf", 20), ("embedded", 4)])
async def test_the_miniatures_meta_agent_is_trained_and_designs(tmp_path, runtime, pairs):
    restore_embedded(SFT, tmp_path / "start")
    sampling = replace(MINIATURE_SAMPLING, runtime=runtime)
    method = ScoreFlow(tmp_path / "start", 1, 4, 1, pairs, sampling=sampling, dpo=MINIATURE_DPO, tries=8)
    sandbox = best_sandbox()
    bench = Workbench(ScriptedModel([]), EmbeddedModel(PAIR / "worker"), sandbox, seed=1)
    try:
        # Samples differ with a machine's arithmetic: of 3 queries, every workflow may score alike, which gives no pair.
        fitted = await method.fit(queries("train", 8, seed=0), bench, tmp_path / "fit")
        made = fitted.facts["iterations"][0]
        assert made["valid"] > 0.5
        assert made["score"] > 0
        assert made["pairs"] > 0
        assert made["steps"] == pairs / MINIATURE_DPO.batch_size
        assert made["first_loss"] == pytest.approx(math.log(2), abs=1e-4)
        design = await fitted.designer.design(queries("test", 1, seed=0)[0], bench)
    finally:
        await sandbox.aclose()
    assert design.meta_agent.startswith({"hf": "hf:iteration-1@", "embedded": "embedded:scoreflow?"}[runtime])
    assert design.best.workflow is not None
    assert design.hidden_score is not None
