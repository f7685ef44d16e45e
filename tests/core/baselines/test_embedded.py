"""Both searches with the language models that come with the package, on queries of their miniature world."""

import pytest

from flowreasoner import Workflow
from flowreasoner.baselines.adas import ADAS
from flowreasoner.baselines.aflow import AFlow
from flowreasoner.designers import Workbench
from flowreasoner.miniature import queries
from flowreasoner.models import ModelContext, model_from_uri
from flowreasoner.sandbox import best_sandbox

pytestmark = pytest.mark.slow

pytest.importorskip("tokenizers")

QUERIES = queries("train", 8, seed=5)[6:]
PLAIN = Workflow.parse(
    """\
class Workflow:
    async def __call__(self, problem, entry_point, test_cases):
        solution = await self.custom_code_generate(
            problem=problem, entry_point=entry_point, instruction=prompt_custom.WRITE)
        return solution['response'], self.llm.cost_manager.total_cost
""",
    'WRITE = "Write the function, simply and correctly."',
)


@pytest.mark.parametrize(
    "method",
    [
        AFlow(max_rounds=2, validation_rounds=1, wording="conversation", start=PLAIN),
        ADAS(generations=1, debug=1, wording="conversation", seeds={"One call": PLAIN}),
    ],
    ids=lambda method: method.name,
)
async def test_a_short_search_finds_a_workflow_that_runs(tmp_path, method):
    models = [model_from_uri("embedded:", ModelContext(role)) for role in ("meta_agent", "worker")]
    sandbox = best_sandbox()
    try:
        fitted = await method.fit(QUERIES, Workbench(*models, sandbox), tmp_path)
        again = await method.fit(QUERIES, Workbench(*models, sandbox), tmp_path)
        design = await fitted.designer.design(QUERIES[0], Workbench(*models, sandbox))
    finally:
        await sandbox.aclose()
    assert fitted.facts["validation_score"] > 0
    assert (again.designer, again.facts, again.spent) == (fitted.designer, fitted.facts, fitted.spent)
    assert len(design.rounds) == 1
    assert design.workflow.source == fitted.designer.workflow.source
