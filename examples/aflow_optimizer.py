"""An AFlow optimisation with one import changed: search a workflow for a task, score it, and read the workspace.

It needs MetaGPT only for MetaGPT's own models; the simulation stands in for them here. With real ones it reads
``opt_llm_config=LLMConfig(...), exec_llm_config=LLMConfig(...)``, as in AFlow.
"""

from flowreasoner import Query, Suite
from flowreasoner_adapters.aflow import Optimizer  # was: from metagpt.ext.aflow.scripts.optimizer import Optimizer

TASKS = {  # what to return, and its values for 2 and 5
    "double": ("2 * x", 4, 10),
    "square": ("x * x", 4, 25),
    "negate": ("-x", -2, -5),
    "cube": ("x ** 3", 8, 125),
}


def query(name):
    expression, of_two, of_five = TASKS[name]
    return Query(
        f"Write {name}(x), which returns {expression}.",
        id=name,
        entry_point=name,
        feedback=Suite.asserts([f"assert {name}(2) == {of_two}"], name),  # workflows may run these
        hidden=Suite.asserts([f"assert {name}(5) == {of_five}"], name),  # these score
        reference=f"def {name}(x):\n    return {expression}\n",
    )


optimizer = Optimizer(
    dataset="Numbers",
    question_type="code",
    opt_llm_config="sim:",
    exec_llm_config="sim:?skill=0.5",
    operators=["Custom", "CustomCodeGenerate", "ScEnsemble", "Test"],
    sample=4,
    optimized_path="workspace",
    max_rounds=4,
    validation_rounds=2,
    validation=[query(name) for name in ("double", "square", "negate")],
    test=[query("cube")],
)
optimizer.optimize("Graph")
optimizer.optimize("Test")

space = optimizer.workspace()
for item in space.rounds:
    change = item.experience.modification if item.experience else "where the search begins"
    print(f"round {item.number}: score {space.scores[item.number]:.2f}: {change}")
print(f"\nbest is {space.best.path}:\n\n{space.best.graph}")
