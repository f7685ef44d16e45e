r"""How much of a bench's time is lost: its wall-clock time over the least that its chains of calls can take.

    python benchmarks/bench_throughput.py

Two designers try 50 queries with a worker that takes 100 ms for every call, by the same code as ``flowreasoner bench``:
real sandbox, store and files. An attempt's calls that wait for each other are its chain. No schedule can be shorter
than the longest chain, nor than all chains together over the attempts at a time; the peer is the longer of the two.
"""

import argparse
import asyncio
import contextlib
import tempfile
import time
from pathlib import Path
from typing import Any

from flowreasoner.miniature import queries
from flowreasoner.models import FunctionModel
from flowreasoner.store import Store
from flowreasoner_plugins import hookimpl, load_plugins
from flowreasoner_plugins.bench.plan import Settings, plan
from flowreasoner_plugins.bench.running import Bench

DESIGNERS = {
    "vanilla": 1,
    "self-refine": 2,
}  # calls that wait for each other: an answer; one that a review is content with


class Slow:
    """A plugin with a worker that is right at once, in its own time."""

    def __init__(self, latency: float) -> None:
        self.latency = latency
        self.calls = 0

    @hookimpl
    def flowreasoner_chat_models(self) -> dict[str, Any]:
        """Returns the scheme ``slow:``."""

        async def answer(request: Any) -> str:
            self.calls += 1
            await asyncio.sleep(self.latency)
            if request.purpose == "Review":
                return "<review_result>true</review_result>\n<feedback>Nothing.</feedback>"
            asked = request.messages[-1].content
            return f"```python\n{next(code for problem, code in ANSWERS.items() if problem in asked)}\n```"

        return {"slow": lambda *_: FunctionModel(answer, name="slow:")}


ANSWERS = {query.problem: query.reference for query in queries("test", 240)}


def main() -> None:
    """Prints both times and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", type=int, default=50)
    parser.add_argument("--latency", type=float, default=0.1, help="seconds per call")
    parser.add_argument("--concurrency", type=int, default=4, help="attempts at a time")
    given = parser.parse_args()
    slow = Slow(given.latency)
    plugins = load_plugins(extra={"slow": slow})
    settings = Settings("slow:", first=given.queries)
    cells = plan(plugins, ["miniature"], ["slow:"], {}, settings)
    with tempfile.TemporaryDirectory() as folder, contextlib.closing(Store(Path(folder) / "runs.sqlite")) as store:
        bench = Bench(
            plugins,
            settings,
            list(DESIGNERS),
            Path(folder),
            store,
            concurrency=given.concurrency,
            progress=lambda _: contextlib.nullcontext(lambda *_: None),
        )
        began = time.perf_counter()
        summary = asyncio.run(bench.run(cells))
        seconds = time.perf_counter() - began
    chains = sum(DESIGNERS.values()) * given.queries * given.latency
    least = max(max(DESIGNERS.values()) * given.latency, chains / given.concurrency)
    shares = {name: own["pass@1"]["value"] for name, own in summary["cells"][0]["designers"].items()}
    attempts = len(DESIGNERS) * given.queries
    print(f"{attempts} attempts, {slow.calls} calls of {given.latency:g} s, {given.concurrency} at a time")
    print(f"pass@1 {shares}")
    print(f"bench {seconds:.2f} s, least possible {least:.2f} s, ratio {seconds / least:.2f}")


if __name__ == "__main__":
    main()
