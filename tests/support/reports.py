"""Stores and benches to make pages of, some with hostile texts at every place; and a real browser to look at them."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from outcomes import an_outcome

from flowreasoner.budget import Spending
from flowreasoner.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["HOSTILE", "a_bench", "a_call", "a_result", "a_round", "browser", "keep", "run_id"]

HOSTILE = (
    "</script><script>window.ran = 1</script><img src=x onerror='window.ran = 2'>"
    "<a href='javascript:window.ran = 3'>a</a>\u2028\u2029<!--<script>]]>{{7*7}}${7*7}\u202e\x1b[31m\x00</pre></style>"
)
"""What must not run, wherever it stands."""

SPENT = Spending(1, 1, 100, 20, 0.002).to_json()
GRAPH = """\
class Workflow:
    async def __call__(self, problem, entry_point):
        s = await self.custom_code_generate(problem=problem, entry_point=entry_point, instruction=prompt_custom.WRITE)
        for _ in range(2):
            r = await self.review(problem=problem, solution=s['response'])
            if r['review_result']:
                break
        return s['response']
"""


def a_call(site: str, operator: str, text: str = "x", **changes: Any) -> dict[str, Any]:
    """Returns an operator call as a trace holds it."""
    call = {"path": "1", "operator": operator, "site": site, "line": 3, "start": 0.1, "end": 0.4, "status": "ok"}
    call |= {"inputs": {"problem": text}, "outputs": {"response": text}, "error": "", "spending": SPENT}
    return call | changes


def a_round(number: int = 1, text: str = "x", **changes: Any) -> dict[str, Any]:
    """Returns a stored round with one run, which fails one of two tests; `text` is all that models wrote."""
    tests = [
        {"id": "a", "outcome": "pass", "detail": "", "source": "assert f(1) == 1"},
        {"id": "b", "outcome": "fail", "detail": f"expected 2, got {text}", "source": f"assert f(2) == 2 # {text}"},
    ]
    calls = [
        a_call("custom_code_generate_1", "CustomCodeGenerate", text),
        a_call("review_1", "Review", text, path="2", status="failed", error=text, end=0.9),
    ]
    evaluation = {"answer": f"def f(n):\n    return {text!r}", "score": 0.5, "tests": tests, "error": "", "note": text}
    evaluation |= {"spent": SPENT, "seconds": 1.0, "trace": {"calls": calls, "log": [text]}, "tier": "jail"}
    feedback = {"score": 0.5, "evaluations": [evaluation], "diagnostics": [], "dropped": [text]}
    made = {"number": number, "reasoning": text, "modification": text, "graph": f"{GRAPH}# {number} {text!r}"}
    made |= {"prompt": f"WRITE = {text!r}", "feedback": feedback, "turns": [["assistant", text]], "spent": SPENT}
    return made | changes


def a_result(text: str = "x", **changes: Any) -> dict[str, Any]:
    """Returns a design's result as the store keeps it."""
    return {
        "query": f"q {text}",
        "answer": f"def f(n):\n    return {text!r}",
        "score": 0.5,
        "feedback_score": 0.5,
        "hidden_score": 0.5,
        "hidden_passed": False,
        "tests": "split",
        "leaky": False,
        "best_round": 1,
        "stopped": "rounds",
        "models": {"meta_agent": "openai:o4-mini?base_url=http://secret.example", "worker": f"ollama:small{text}?x=1"},
        "simulated_models": [],
        "cost_usd": 0.008,
        "unpriced_calls": 0,
        "cached_usd": 0.001,
        "calls": 4,
        "cached_calls": 1,
        "operator_calls": 2,
        "tokens": 480,
        "seconds": 3.0,
        "sandbox": {"tier": "jail", "isolated": True},
    } | changes


def keep(
    path: Path,
    *rounds: dict[str, Any],
    title: str = "Write f.",
    status: Any = "finished",
    result: Any = None,
    **settings: Any,
) -> str:
    """Writes a run into a store and returns its id."""
    with Store(path) as store:
        run = store.start_run(title, {"designer": "flowreasoner", "source": {}, **settings})
        for item in rounds:
            store.keep_round(run, item["number"], item)
        if status != "running":
            store.end_run(run, status, result)
    return run


def run_id(store: Path) -> str:
    """Returns the id of a store's latest run."""
    with Store(store, readonly=True) as opened:
        return opened.run("last").id


def a_bench(folder: Path, count: int = 3, text: str = "") -> Path:
    """Writes a bench's folder with attempts of two designers, the second of which fails, without a summary."""
    folder.mkdir(parents=True, exist_ok=True)
    lines: list[dict[str, Any]] = [{"benchmark": f"b{text}", "worker": "ollama:small?x=1"}]
    for number in range(count):
        for designer, passed in (("vanilla", 1.0), ("cot", 0.0)):
            result = a_result(text, query=f"q/{number}")
            run = keep(
                folder / "runs.sqlite", a_round(1, text or "x"), title=f"{designer} on q/{number}", result=result
            )
            made = an_outcome(contender=designer, checkpoint="1", query=f"q/{number}{text}", passed=passed, run=run)
            lines.append(asdict(made) | {"worker_tokens": 100 * (count - number)})
    (folder / "b-small.outcomes.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


@contextlib.contextmanager
def browser() -> Iterator[Any]:
    """Starts the system's Chromium, or skips the test with the reason why there is none."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.skip("no Chromium is installed (apt install chromium)")
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as driver:
        # As root, Chromium refuses to start with its own sandbox; the pages are our own.
        arguments = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        started = driver.chromium.launch(executable_path=found, args=arguments)
        try:
            yield started
        finally:
            started.close()
