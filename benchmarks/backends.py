"""The emitted systems against the same systems written by hand in each framework, and against sequential source.

    python benchmarks/backends.py                     # all frameworks that are installed
    python benchmarks/backends.py langgraph --repeats 20

The system is the commonest of published workflows: five samples of a program, and a vote. A stand-in for the model
answers after 100 ms. Prints wall-clock, the time beside the model's per call, and ratios; nothing is a test.
"""

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from flowreasoner.workflow import Workflow

LATENCY = 0.1  # seconds per model call
SAMPLES = 5
CALLS = SAMPLES + 1
PROBLEM = {"problem": "Write a function double(text).", "entry_point": "double"}
SOURCE = f"""class Workflow:
    async def __call__(self, problem, entry_point):
        solutions = []
        for _ in range({SAMPLES}):
            draft = await self.custom_code_generate(problem=problem, entry_point=entry_point, instruction="Be brief.")
            solutions.append(draft["response"])
        best = await self.sc_ensemble(solutions=solutions, problem=problem)
        return best["response"]
"""

System = Callable[[], Awaitable[Any]]


def programs() -> Callable[[], str]:
    """Returns a source of programs that differ, so that there is something to vote on."""
    count = 0

    def next_program() -> str:
        nonlocal count
        count += 1
        return f"def double(text):\n    return text * 2  # {count}"

    return next_program


def chosen(text: str, programs_: list[str]) -> str:
    """Returns the program that a vote names by its letter."""
    letter = text.rpartition("<solution_letter>")[2][:1] or "A"
    return programs_[ord(letter) - 65]


# --- LangGraph -------------------------------------------------------------------------------------------


def langgraph_systems() -> dict[str, System]:
    """Returns the emitted graph, the graph written by hand, and the calls one after the other."""
    import operator
    from typing import Annotated

    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage
    from langchain_core.outputs import ChatGeneration, ChatResult
    from langgraph.graph import END, START, StateGraph
    from langgraph.types import Send
    from typing_extensions import TypedDict

    from flowreasoner_adapters.langgraph import LangGraphBackend

    answer = programs()

    class Model(BaseChatModel):
        """Answers after a while."""

        @property
        def _llm_type(self) -> str:
            return "stand-in"

        def _generate(self, *_: Any, **__: Any) -> ChatResult:
            raise NotImplementedError

        async def _agenerate(self, messages: Any, *_: Any, **__: Any) -> ChatResult:
            await asyncio.sleep(LATENCY)
            vote = "solution_letter" in str(messages[-1].content)
            text = "<thought>same</thought><solution_letter>A</solution_letter>" if vote else answer()
            return ChatResult(generations=[ChatGeneration(message=AIMessage(text))])

    model = Model()

    class State(TypedDict, total=False):
        problem: str
        entry_point: str
        solutions: Annotated[list[str], operator.add]
        answer: str

    async def generate(state: State) -> State:
        reply = await model.ainvoke([("user", f"Be brief.\n\n{state['problem']}")])
        return {"solutions": [reply.text]}

    async def vote(state: State) -> State:
        listed = "\n\n".join(state["solutions"])
        reply = await model.ainvoke([("user", f"{state['problem']}\n\n{listed}\n\nAnswer with <solution_letter>.")])
        return {"answer": chosen(reply.text, state["solutions"])}

    graph = StateGraph(State)
    graph.add_node("generate", generate)
    graph.add_node("vote", vote)
    graph.add_conditional_edges(START, lambda state: [Send("generate", state) for _ in range(SAMPLES)], ["generate"])
    graph.add_edge("generate", "vote")
    graph.add_edge("vote", END)
    by_hand = graph.compile()
    emitted = LangGraphBackend(model).emit(Workflow.parse(SOURCE)).compile()

    async def sequential() -> str:
        state: State = {**PROBLEM, "solutions": []}  # type: ignore[typeddict-item]
        for _ in range(SAMPLES):
            state["solutions"] += (await generate(state))["solutions"]
        return (await vote(state))["answer"]

    return {
        "emitted": lambda: emitted.ainvoke(PROBLEM),
        "by hand": lambda: by_hand.ainvoke(PROBLEM),
        "sequential": sequential,
    }


# --- DSPy ------------------------------------------------------------------------------------------------


def dspy_systems() -> dict[str, System]:
    """Returns the emitted module, the module written by hand, and the calls one after the other."""
    import dspy

    from flowreasoner_adapters.dspy import DSPyBackend

    answer = programs()

    class Model(dspy.BaseLM):
        """Answers after a while."""

        def __init__(self) -> None:
            super().__init__(model="stand-in", cache=False)

        async def acall(self, _: Any = None, *, messages: Any = None, **__: Any) -> list[str]:
            await asyncio.sleep(LATENCY)
            if "solution_letter" in str(messages[-1]["content"]):
                fields = {"thought": "same", "solution_letter": "A"}
            else:
                fields = {"response": answer()}
            return ["\n\n".join(f"[[ ## {name} ## ]]\n{value}" for name, value in fields.items())]

    class Ensemble(dspy.Module):
        def __init__(self) -> None:
            super().__init__()
            self.generate = dspy.Predict(dspy.Signature("problem, entry_point -> response", "Be brief."))
            self.vote = dspy.Predict("problem, candidates -> thought, solution_letter")

        async def aforward(self, problem: str, entry_point: str) -> Any:
            asked = {"problem": problem, "entry_point": entry_point}
            drafts = await asyncio.gather(*[self.generate.acall(**asked) for _ in range(SAMPLES)])
            return await self.decide(problem, [draft.response for draft in drafts])

        async def decide(self, problem: str, solutions: list[str]) -> Any:
            vote = await self.vote.acall(problem=problem, candidates="\n\n".join(solutions))
            return dspy.Prediction(answer=solutions[ord(vote.solution_letter) - 65])

    by_hand, emitted, lm = Ensemble(), DSPyBackend().emit(Workflow.parse(SOURCE)), Model()

    async def sequential() -> Any:
        drafts = [await by_hand.generate.acall(**PROBLEM) for _ in range(SAMPLES)]
        return await by_hand.decide(PROBLEM["problem"], [draft.response for draft in drafts])

    def with_lm(work: System) -> System:
        async def run() -> Any:
            with dspy.context(lm=lm):
                return await work()

        return run

    return {
        "emitted": with_lm(lambda: emitted.acall(**PROBLEM)),
        "by hand": with_lm(lambda: by_hand.acall(**PROBLEM)),
        "sequential": with_lm(sequential),
    }


# --- AFlow on MetaGPT's wheel ----------------------------------------------------------------------------


async def report_aflow(repeats: int) -> None:
    """Prints AFlow's files, which make their calls one after the other as any AFlow graph does, and the live graph."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))
    from aflow_ensembles import time_ensembles

    for latency in (LATENCY, 0.0):
        seconds = await time_ensembles(latency, repeats)
        hand = seconds["by_hand"]
        print(f"\naflow: five samples and a vote, {latency * 1000:.0f} ms per model call")
        print(f"{'':12}{'wall ms':>9}{'ms per call':>17}{'of by hand':>12}")
        for name, wall in seconds.items():
            print(f"{name:12}{wall * 1000:9.1f}{wall * 1000 / CALLS:17.2f}{wall / hand:12.3f}")


FRAMEWORKS: dict[str, Callable[[], dict[str, System]]] = {"langgraph": langgraph_systems, "dspy": dspy_systems}


# --- measuring -------------------------------------------------------------------------------------------


async def _measure(systems: dict[str, System], repeats: int) -> dict[str, tuple[float, float]]:
    """Returns wall-clock seconds and CPU seconds per run; the systems take turns, so that load hits all alike."""
    wall: dict[str, list[float]] = {name: [] for name in systems}
    cpu: dict[str, list[float]] = {name: [] for name in systems}
    for number in range(repeats + 1):
        for name, run in systems.items():
            start, used = time.perf_counter(), time.process_time()
            await run()
            if number:  # the first one warms up
                wall[name].append(time.perf_counter() - start)
                cpu[name].append(time.process_time() - used)
    return {name: (statistics.median(wall[name]), statistics.median(cpu[name])) for name in systems}


def _report(framework: str, measured: dict[str, tuple[float, float]]) -> None:
    hand, hand_cpu = measured["by hand"]
    sequential, _ = measured["sequential"]
    print(f"\n{framework}: five samples and a vote, {LATENCY * 1000:.0f} ms per model call")
    print(f"{'':12}{'wall ms':>9}{'CPU ms per call':>17}{'of by hand':>12}{'of sequential':>15}")
    for name, (wall, cpu) in measured.items():
        print(f"{name:12}{wall * 1000:9.1f}{cpu * 1000 / CALLS:17.2f}{wall / hand:12.3f}{wall / sequential:15.3f}")
    print(f"CPU of the emitted system is {measured['emitted'][1] / hand_cpu:.2f} of the one by hand")


def main() -> None:
    """Measures what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("frameworks", nargs="*", help=f"any of {', '.join(FRAMEWORKS)}, aflow; all unless given")
    parser.add_argument("--repeats", type=int, default=15, help="runs of each system (15)")
    given = parser.parse_args()
    for framework in given.frameworks or [*FRAMEWORKS, "aflow"]:
        if framework == "aflow":
            asyncio.run(report_aflow(given.repeats))
        elif framework in FRAMEWORKS:
            _report(framework, asyncio.run(_measure(FRAMEWORKS[framework](), given.repeats)))
        else:
            sys.exit(f"there is no framework {framework!r} here; there are {', '.join(FRAMEWORKS)} and aflow")


if __name__ == "__main__":
    main()
