"""Check an AFlow workflow that lies in files, run it on a query, and read its trace."""

import asyncio
from pathlib import Path

import flowreasoner

SOURCE = """
class Workflow:
    def __init__(self, name, llm_config, dataset):
        self.llm = create_llm_instance(llm_config)
        self.custom_code_generate = operator.CustomCodeGenerate(self.llm)
        self.test = operator.Test(self.llm)

    async def __call__(self, problem, entry_point):
        solution = await self.custom_code_generate(
            problem=problem, entry_point=entry_point, instruction=prompt_custom.WRITE
        )
        tested = await self.test(problem=problem, solution=solution["response"], entry_point=entry_point)
        return tested["solution"], self.llm.cost_manager.total_cost
"""

report = flowreasoner.check(SOURCE, 'WRITE = "Write the function."')
for diagnostic in report.diagnostics:
    print(diagnostic)
assert report.workflow is not None

query = flowreasoner.load_query(Path(__file__).with_name("query.yaml"))
feedback = asyncio.run(flowreasoner.evaluate(report.workflow, query, worker="sim:", evaluations=2))
print(feedback.render())
for call in feedback.evaluations[0].trace["calls"]:
    print(f"{call['operator']} at line {call['line']}: {call['end'] - call['start']:.3f} s")
