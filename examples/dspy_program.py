"""A DSPy program: designed for a query, optimised with GEPA, saved, and loaded.

    pip install "flowreasoner[dspy]"
    python examples/dspy_program.py

A scripted LM stands in for dspy.LM("openai/gpt-4o-mini"). It knows every capital, but is brief only if told to be.
"""

import os
import re
from pathlib import Path

os.environ["TQDM_DISABLE"] = "1"  # leaves out GEPA's own progress bar; DSPy's stay

import dspy
from dspy.lm15 import Message, Response, Usage

from flowreasoner.workflow import Workflow
from flowreasoner_adapters.dspy import DSPyBackend, FlowReasonerProgram

CAPITALS = {"France": "Paris", "Italy": "Rome", "Peru": "Lima", "Japan": "Tokyo"}
DESIGN = """<graph>
class Workflow:
    async def __call__(self, problem):
        draft = await self.custom(input=problem, instruction=prompt_custom.ANSWER)
        return draft["response"]
</graph><prompt>ANSWER = "Answer the question."</prompt>"""


class Scripted:
    """An engine of DSPy's that needs no network."""

    def complete(self, request):
        """Answers the meta-agent's, GEPA's and the program's questions."""
        asked = f"{request.system} {[message.text for message in request.messages]}"
        city = CAPITALS[(re.findall("|".join(CAPITALS), asked) or ["Peru"])[-1]]
        answer = city if "one word" in asked else f"I believe that it is {city}."
        text = f"[[ ## response ## ]]\n{answer}\n\n[[ ## completed ## ]]"
        if "<graph>" in asked:
            text = DESIGN
        elif "new_instruction" in asked:
            text = '{"new_instruction": "Answer with one word."}'
        usage = Usage(input_tokens=1, output_tokens=1, total_tokens=2)
        return Response(None, "scripted", Message.assistant(text), "stop", usage)


def metric(example, prediction, trace=None, pred_name=None, pred_trace=None):
    right = example.answer == prediction.answer
    return dspy.Prediction(score=float(right), feedback="" if right else f"Just {example.answer} would do.")


dspy.disable_logging()
dspy.configure(lm=dspy.LM("scripted/capitals", engine=Scripted(), cache=False))
examples = [
    dspy.Example(problem=f"What is the capital of {country}?", answer=city).with_inputs("problem")
    for country, city in CAPITALS.items()
]

# A program for one query; any dspy.Module of your own may have one inside.
program = FlowReasonerProgram(metric=metric, rounds=2, evaluations=1).generate(**examples[0])
print("designed:", program)

evaluate = dspy.Evaluate(devset=examples, metric=metric, display_progress=False)
print("score as designed:", evaluate(program).score)
optimizer = dspy.GEPA(metric=metric, max_metric_calls=30, reflection_lm=dspy.settings.lm, num_threads=1)
better = optimizer.compile(program, trainset=examples, valset=examples)
print("score as optimised:", evaluate(better).score)

# Its state is JSON; the code is the workflow, which `source` also writes as a module to keep and edit.
better.save("capitals.json")
workflow = Workflow.parse(better.workflow.source, better.workflow.prompts)
again = DSPyBackend().emit(workflow)
again.load("capitals.json")
print("score as loaded:", evaluate(again).score)
Path("capitals.py").write_text(DSPyBackend().source(workflow)["workflow.py"])
