"""Design a workflow for one query, and look at what came of it.

The simulation stands in for both models, so that this runs without a key; with real ones it reads
``meta_agent="openai:o4-mini", worker="openai:gpt-4o-mini"``.
"""

import asyncio
from pathlib import Path

import flowreasoner


async def main() -> None:
    query = flowreasoner.load_query(Path(__file__).with_name("query.yaml"))
    design = await flowreasoner.design(query, meta_agent="sim:", worker="sim:", rounds=10, seed=2)
    for item in design.rounds:
        print(f"round {item.number}: score {item.score:.2f}, {item.cost.model_calls} calls: {item.modification}")
    print(f"\nbest is round {design.best.number}:\n\n{design.best.workflow.source}")
    print(f"its answer passes {design.hidden_score:.0%} of the hidden tests:\n\n{design.answer}")
    print(f"\n{design.cost.model_calls} model calls, ${design.cost.usd:.2f}; simulated: {design.simulated}")


if __name__ == "__main__":
    asyncio.run(main())
