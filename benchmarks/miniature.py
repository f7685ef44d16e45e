r"""The claims of the paper, in miniature: who passes how many held-out queries, and do workflows follow their depth?

    python benchmarks/miniature.py --worker embedded:WORKER --contender sft=hf:SFT --contender grpo=hf:GRPO \
        --queries 200 --seeds 3 --out benchmarks/results/miniature.json --plot docs/pictures

A contender given several times has several checkpoints, one per training seed; the ones in the same place belong
together. Baselines need no option: the worker alone, and the best workflow of a catalogue, chosen on training queries.
Every outcome is kept beside --out as soon as it is known; the same command goes on where it was stopped.
"""

import argparse
import asyncio
import json
import platform
import shlex
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from flowreasoner.budget import Budget
from flowreasoner.comparison import Arena, Contender, OutcomeFile, run
from flowreasoner.designers import FlowReasoner
from flowreasoner.errors import FlowReasonerError, QueryError
from flowreasoner.models import ModelContext, model_from_uri
from flowreasoner.models.shared import SharedModel
from flowreasoner.query import Query
from flowreasoner.reward import Reward
from flowreasoner.workflow import Workflow
from flowreasoner_plugins.bench.progress import PrintedProgress
from flowreasoner_plugins.cli.inputs import make_sandbox
from flowreasoner_plugins.manager import Plugins, load_plugins
from flowreasoner_training.nano.contenders import baselines, best_candidate, candidates, trained
from flowreasoner_training.nano.logs import read_log
from flowreasoner_training.nano.page import render_page
from flowreasoner_training.nano.summary import summarise
from flowreasoner_training.nano.tables import costs_table, results_table
from flowreasoner_training.nano.weights import folder_of, label_of, weights_hash
from flowreasoner_training.recipes import load_recipe
from flowreasoner_training.requires import explained

LIBRARIES = ("flowreasoner", "numpy", "torch", "transformers")


def options(arguments: list[str] | None) -> argparse.Namespace:
    """Returns the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worker", required=True, help="URI of the worker")
    parser.add_argument("--contender", action="append", default=[], metavar="NAME=URI", help="sft, grpo or outcome")
    parser.add_argument("--world", choices=("miniature", "demo"), default="miniature", help="demo is for a dry run")
    parser.add_argument("--queries", type=int, default=200, help="held-out queries (default 200)")
    parser.add_argument("--validation", type=int, default=100, help="training queries that choose (b) (default 100)")
    parser.add_argument("--seeds", type=int, default=3, help="attempts per query and checkpoint (default 3)")
    parser.add_argument("--rounds", type=int, default=4, help="rounds of FlowReasoner at most (default 4)")
    parser.add_argument("--evaluations", type=int, default=3, help="runs per round (default 3)")
    parser.add_argument("--all-rounds", action="store_true", help="make all rounds, even after a perfect one")
    parser.add_argument("--context", type=int, default=100_000, help="tokens above which old rounds are shortened")
    parser.add_argument(
        "--calls", type=int, default=64, help="operator calls per run at most (default 64, as in training)"
    )
    parser.add_argument("--concurrency", type=int, default=16, help="attempts at the same time (default 16)")
    parser.add_argument("--sandbox", default="best", help="tier (default best)")
    parser.add_argument("--out", type=Path, required=True, help="results file, JSON")
    parser.add_argument("--plot", type=Path, metavar="FOLDER", help="draw pictures there")
    parser.add_argument("--log", action="append", default=[], metavar="NAME=FILE", help="log.jsonl of a GRPO training")
    parser.add_argument("--page", type=Path, help="write the page of results there")
    return parser.parse_args(arguments)


def named(pairs: list[str], option: str) -> dict[str, list[str]]:
    """Returns values of ``NAME=VALUE`` by name."""
    found: dict[str, list[str]] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not (name and equals and value):
            raise QueryError(f"{option} must look like NAME=VALUE, not {pair!r}")
        found.setdefault(name, []).append(value)
    return found


def world(given: argparse.Namespace, plugins: Plugins) -> tuple[list[Query], list[Query], dict[str, Workflow]]:
    """Returns test queries, validation queries and the catalogue, whose first workflow is the plain one."""
    if given.world == "demo":
        from flowreasoner.designers.reply import read_proposal
        from flowreasoner.models import Completion
        from flowreasoner.models.simulated.catalogue import CATALOGUE as PROPOSALS

        demo = list(plugins.benchmarks["demo"].queries())
        read = [read_proposal(Completion(proposal.reply())) for proposal in PROPOSALS]
        workflows = {item.modification: Workflow.parse(item.graph, item.prompt) for item in read}
        return demo[: given.queries], demo[: given.validation], workflows
    from flowreasoner.miniature import queries
    from flowreasoner_training.nano.catalogue import CATALOGUE

    workflows = {item.words: Workflow.parse(item.graph, item.prompts) for item in CATALOGUE}
    return queries("test", given.queries), queries("train", given.validation, seed=1), workflows


class Models:
    """Makes models by URI, each once, except simulated ones, which are made for a query."""

    def __init__(self, plugins: Plugins) -> None:
        self.plugins = plugins
        self.opened: dict[tuple[str, str], SharedModel] = {}

    def source(self, uri: str, role: Any) -> Any:
        """Returns what gives the model for a query and a seed."""
        schemes = self.plugins.chat_models
        if uri.startswith("sim:"):
            return lambda query, seed: model_from_uri(uri, ModelContext(role, query, seed), schemes)
        if (uri, role) not in self.opened:
            self.opened[uri, role] = SharedModel(model_from_uri(uri, ModelContext(role), schemes))
        model = self.opened[uri, role]
        return lambda *_: model  # draws carry the attempt's seed

    async def aclose(self) -> None:
        """Closes what was opened."""
        for model in self.opened.values():
            await model.aclose()


async def evaluate(given: argparse.Namespace) -> dict[str, Any]:
    """Chooses the fixed workflow, runs all contenders, and returns the results."""
    plugins = load_plugins()
    test, validation, catalogue = world(given, plugins)
    uris = named(given.contender, "--contender")
    models, sandbox = Models(plugins), make_sandbox(plugins, given.sandbox)
    try:
        weighted = load_recipe("miniature").rewards.weights
        arena = Arena(models.source(given.worker, "worker"), sandbox, Budget(calls=given.calls), Reward(weighted))
        designer = FlowReasoner(
            given.rounds, given.evaluations, early_stop=not given.all_rounds, context_tokens=given.context
        )
        meta_agents = []
        for name, own in uris.items():
            checkpoints = {label_of(uri): models.source(uri, "meta_agent") for uri in own}
            if len(checkpoints) < len(own):
                raise QueryError(f"two checkpoints of {name!r} are the same: {', '.join(own)}")
            meta_agents += trained(name, checkpoints, designer)
        same = {
            "world": given.world,
            "worker": label_of(given.worker),
            "rounds": given.rounds,
            "evaluations": given.evaluations,
            "early_stop": not given.all_rounds,
            "context": given.context,
            "calls": given.calls,
            "sandbox": sandbox.tier,
            "reward": ", ".join(f"{name} {weight:g}" for name, weight in weighted.items()),
        }
        tried = await attempts(given, "validation", candidates(catalogue), validation, [0], arena, same)
        chosen = best_candidate(tried).partition("/")[2]
        contenders = baselines(next(iter(catalogue.values())), catalogue[chosen], designer)
        contenders += meta_agents
        seeds = list(range(given.seeds))
        outcomes = await attempts(given, "test", contenders, test, seeds, arena, same | {"fixed": chosen})
    finally:
        await models.aclose()
        await sandbox.aclose()
    shares: dict[str, dict[str, float]] = {}
    for name in catalogue:
        own = [outcome for outcome in tried if outcome.contender == f"candidate/{name}"]
        means = {
            measure: sum(getattr(outcome, measure) for outcome in own) / len(own) for measure in ("passed", "calls")
        }
        shares[name] = {measure: round(mean, 4) for measure, mean in means.items()}
    return {
        "command": f"python benchmarks/miniature.py {shlex.join(given.arguments)}",
        "settings": same | {"queries": given.queries, "validation": len(validation), "seeds": given.seeds},
        "versions": {"python": platform.python_version()} | versions(),
        "weights": weights([given.worker, *(uri for own in uris.values() for uri in own)]),
        "candidates": shares,
        "chosen": chosen,
        "summary": summarise(outcomes),
    }


async def attempts(
    given: argparse.Namespace,
    what: str,
    contenders: list[Contender],
    queries: list[Query],
    seeds: list[int],
    arena: Arena,
    settings: dict[str, Any],
) -> Any:
    """Runs contenders and keeps the outcomes beside the results file."""
    file = OutcomeFile(given.out.with_suffix(f".{what}.jsonl"), settings)
    progress = PrintedProgress(what)
    return await run(contenders, queries, seeds, arena, file, concurrency=given.concurrency, progress=progress)


def drawing(logs: dict[str, list[Path]]) -> Any:
    """Returns what draws, after a look at all that it will need, as the evaluation may take hours."""
    with explained("--plot"):
        from flowreasoner_training.nano.plots import draw_all
    for paths in logs.values():
        for path in paths:
            read_log(path)
    return draw_all


def versions() -> dict[str, str]:
    """Returns the versions of the libraries that are installed."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def weights(uris: list[str]) -> dict[str, str]:
    """Returns the hashes of the checkpoints that are folders."""
    folders = {uri: folder_of(uri) for uri in uris}
    return {label_of(uri): weights_hash(folder) for uri, folder in folders.items() if folder is not None}


def main(arguments: list[str] | None = None) -> None:
    """Runs the evaluation, and writes results, pictures and page."""
    given = options(arguments)
    given.arguments = sys.argv[1:] if arguments is None else arguments
    try:
        logs = {name: [Path(path) for path in paths] for name, paths in named(given.log, "--log").items()}
        draw_all = drawing(logs) if given.plot is not None else None
        results = asyncio.run(evaluate(given))
        if draw_all is not None:
            drawn = draw_all(results, logs, given.plot)
            results["pictures"] = {name: f"{given.plot.name}/{file}" for name, file in drawn.items()}
    except FlowReasonerError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("interrupted; the same command goes on from here")
    given.out.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if given.page is not None:
        given.page.write_text(render_page(results), encoding="utf-8")
    print(results_table(results["summary"]), costs_table(results["summary"]), sep="\n")


if __name__ == "__main__":
    main()
