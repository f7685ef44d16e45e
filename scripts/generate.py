"""Writes what is made from code and results: docs/cli.md, the query schema, tables in docs/sandbox.md and training.md.

And docs/miniature.md. Run it after changing a command's options or the query file, or after `benchmarks/attacks.py`
or `benchmarks/miniature.py`: ``python scripts/generate.py``. A test compares.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from flowreasoner.query_file import query_schema
from flowreasoner_plugins.cli import exits
from flowreasoner_plugins.cli.main import cli
from flowreasoner_training.nano.page import render_page
from flowreasoner_training.recipes import load_recipe
from flowreasoner_training.recipes.plan import make_plan
from flowreasoner_training.recipes.sizes import GIB, MemoryPlan

ROOT = Path(__file__).parents[1]
MINIATURE = ROOT / "benchmarks/results/miniature.json"
COMMANDS = (
    *("solve", "run", "grade", "bench", "verify", "check", "export", "runs", "report", "plugins", "doctor"),
    *("distill", "sft", "grpo", "train", "recipes", "recipes list", "recipes show", "recipes check", "recipes plan"),
)
HARDWARE = {
    "lora+1gpu": "1, adapters",
    "qlora+1gpu": "1, adapters on 4 bits",
    "1gpu+offload": "1, all weights, optimizer in the host's memory",
    "lora+4gpu": "4, adapters",
    "4gpu": "4, all weights, ZeRO-3",
    "4gpu+vllm-server": "4, all weights, ZeRO-3, and 4 for vLLM",
    "lora+8gpu": "8, adapters",
    "8gpu": "8, all weights, ZeRO-3",
    "8gpu+fsdp2": "8, all weights, FSDP2",
    "4nodes": "4 x 8, all weights, ZeRO-3",
    "4nodes+fsdp2": "4 x 8, all weights, FSDP2",
}
HEAD = """\
# The command line

Settings come from, in this order: the option, the environment variable named in brackets, `flowreasoner.toml` in the
current folder, `config.toml` in the user's configuration folder, the default. A configuration file holds any of these:

```toml
# flowreasoner.toml
meta_agent = "openai:o4-mini"
worker = "openai:gpt-4o-mini"
rounds = 10
evaluations = 3
```

Errors are one line on standard error that names the offending value and the remedy. Progress goes to standard error,
results to standard output, so that `--json` can be piped. `FLOWREASONER_CONFIG` names another configuration file.

## Exit codes

| code | meaning |
|---|---|
"""


def exit_codes() -> str:
    """Returns the table of the module `exits` as Markdown rows."""
    rows = (line.split(maxsplit=1) for line in (exits.__doc__ or "").splitlines() if line[:1].isdigit())
    return "".join(f"| {code} | {meaning} |\n" for code, meaning in rows)


def help_of(*command: str) -> str:
    """Returns a command's help at a width of 100 columns."""
    return CliRunner().invoke(cli, [*command, "--help"], terminal_width=100, max_content_width=100).stdout


def command_page() -> str:
    """Returns docs/cli.md."""
    parts = [HEAD + exit_codes(), f"\n## flowreasoner\n\n```text\n{help_of()}```\n"]
    parts += [f"\n## flowreasoner {name}\n\n```text\n{help_of(*name.split())}```\n" for name in COMMANDS]
    return "".join(parts)


def schema() -> str:
    """Returns query.schema.json."""
    return json.dumps(query_schema(), indent=2) + "\n"


def sandbox_page() -> str:
    """Returns docs/sandbox.md with the table of attacks that the results say."""
    results = json.loads((ROOT / "benchmarks/results/attacks.json").read_text(encoding="utf-8"))
    page = (ROOT / "docs/sandbox.md").read_text(encoding="utf-8")
    start, end = (page.index(mark) for mark in ("<!-- attacks:", "<!-- end of attacks -->"))
    start = page.index("\n", start) + 1
    return page[:start] + _attack_table(results) + page[end:]


def _attack_table(results: dict[str, Any]) -> str:
    groups = {
        "resources": "exhaust memory, disk, processes, time, the judge",
        "escape": "reach files, secrets, network, processes, the next run",
        "forgery": "get a wrong answer scored as right",
    }
    tiers = results["tiers"]
    lines = [f"{results['machine']}.", "", "| attacks that try to | tried | " + " | ".join(tiers) + " |"]
    lines.append("|---|---|" + "---|" * len(tiers))
    for group, words in groups.items():
        counts = []
        for found in tiers.values():
            styles = [failed for name, ways in found.items() if name.startswith(group) for failed in ways.values()]
            counts.append((len(styles), sum(not failed for failed in styles)))
        tried = counts[0][0]
        lines.append(f"| {words} | {tried} | " + " | ".join(f"{good} contained" for _, good in counts) + " |")
    bad = [
        f"- {tier}: `{name}` ({way}): {'; '.join(failed)}"
        for tier, found in tiers.items()
        for name, ways in found.items()
        for way, failed in ways.items()
        if failed
    ]
    return "\n".join([*lines, "", *(["Not contained:", *bad] if bad else ["Not contained: none."])]) + "\n"


def miniature_page() -> str:
    """Returns docs/miniature.md."""
    return render_page(json.loads(MINIATURE.read_text(encoding="utf-8")))


def training_page() -> str:
    """Returns docs/training.md with the table of memory that the planner comes to."""
    page = (ROOT / "docs/training.md").read_text(encoding="utf-8")
    start, end = (page.index(mark) for mark in ("<!-- hardware:", "<!-- end of hardware -->"))
    start = page.index("\n", start) + 1
    return page[:start] + _memory_table() + page[end:]


def _memory_table() -> str:
    lines = [
        "Planned memory at the fullest moment, in GiB of the 79 that an A100-80GB leaves:",
        "",
        "| variants | GPUs | 7B: SFT | 7B: GRPO | 14B: SFT | 14B: GRPO |",
        "|---|---|---|---|---|---|",
    ]
    for variants, what in HARDWARE.items():
        cells = []
        for size in ("7b", "14b"):
            plan = make_plan(load_recipe(f"flowreasoner-{size}+{variants}"), stages=("sft", "grpo"))
            cells += [_peak(stage.memory) for stage in plan.stages]
        lines.append(f"| `+{variants}` | {what} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""]) + "\n"


def _peak(memory: MemoryPlan | None) -> str:
    if memory is None:
        return "not known"
    return f"{memory.peak / GIB:.0f}" if memory.fits else f"no: {memory.peak / GIB:.0f}"


if __name__ == "__main__":
    if MINIATURE.exists():  # until the miniature is evaluated there is nothing to show
        (ROOT / "docs/miniature.md").write_text(miniature_page(), encoding="utf-8")
    (ROOT / "docs/sandbox.md").write_text(sandbox_page(), encoding="utf-8")
    (ROOT / "docs/training.md").write_text(training_page(), encoding="utf-8")
    (ROOT / "docs/cli.md").write_text(command_page(), encoding="utf-8")
    (ROOT / "core/flowreasoner/query.schema.json").write_text(schema(), encoding="utf-8")
