"""Queries need not be about code: a metric of yours scores any answer.

Two functions play the models here. The worker writes a short reply first and a long one when it is told to, and the
metric likes replies of about ten words.
"""

from flowreasoner import FunctionModel, Query, design_sync

GRAPH = """
<modification>{modification}</modification>
<graph>
class Workflow:
    async def __call__(self, problem):
        reply = await self.custom(input=problem, instruction="{instruction}")
        return reply["response"]
</graph>
"""


def meta_agent(request):
    rounds = sum(message.role == "assistant" for message in request.messages)
    if rounds == 0:
        return GRAPH.format(modification="ask once", instruction="Answer briefly.")
    return GRAPH.format(modification="ask for a whole sentence", instruction="Answer in a whole sentence.")


def worker(request):
    if "whole sentence" in request.messages[-1].content:
        return "The sky is blue because air scatters short waves more."
    return "Scattering."


def about_ten_words(query, answer):
    return max(0.0, 1.0 - abs(len(answer.split()) - 10) / 10)


design = design_sync(
    Query("Why is the sky blue?", metric=about_ten_words),
    meta_agent=FunctionModel(meta_agent),
    worker=FunctionModel(worker),
    rounds=3,
    evaluations=1,
)
for item in design.rounds:
    print(f"round {item.number}: {item.score:.2f} ({item.modification})")
print(design.answer)
assert design.score == 1.0
