"""A stored run as what the page shows of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from flowreasoner.budget import Spending
from flowreasoner.errors import StoreError
from flowreasoner_plugins.cli.wording import model_name
from flowreasoner_plugins.report.texts import shown, shown_values
from flowreasoner_plugins.report.workflows import changes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flowreasoner.store import RunRecord
    from flowreasoner_plugins.report.workflows import Workflows

__all__ = ["design_of"]

_ROLES = ("meta_agent", "worker")


def design_of(record: RunRecord, rounds: Sequence[Mapping[str, Any]], workflows: Workflows) -> dict[str, Any]:
    """Returns a run as a JSON object: what is known of it, also when it has not ended.

    Args:
        record: What the store knows of the run.
        rounds: Its finished rounds, as they are stored.
        workflows: Takes up the rounds' workflows.

    Raises:
        StoreError: If the rows are damaged.
    """
    try:
        design = _head(record) | _outcome(record, rounds) | {"rounds": list(_rounds(rounds, workflows))}
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise StoreError(f"run {record.id} cannot be shown: it holds a damaged row ({error!r:.80})") from None
    return _without_stand_in(design)


def _without_stand_in(design: dict[str, Any]) -> dict[str, Any]:
    """Leaves the meta-agent out where none was asked: in a bench, the worker then stands in for it."""
    asked = any(item["designing"]["asked"] for item in design["rounds"])
    if asked or not design["rounds"] or design["models"]["meta_agent"] != design["models"]["worker"]:
        return design
    simulated = [role for role in design["simulated"] if role != "meta_agent"]
    return design | {"models": design["models"] | {"meta_agent": ""}, "simulated": simulated}


def _head(record: RunRecord) -> dict[str, Any]:
    settings = record.settings
    return {
        "run": record.id,
        "title": shown(record.title),
        "status": record.status,
        "began": _moment(record.created),
        "designer": shown(str(settings.get("designer", ""))),
        "seed": settings.get("seed"),
        "resumable": "source" in settings,
    }


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


def _outcome(record: RunRecord, rounds: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Returns how the run ended, or what its settings and rounds say until then."""
    problem = shown(_problem(rounds))
    if record.result is None:
        given = {role: str(record.settings.get(role, "")) for role in _ROLES}
        spent = sum((_spent(item) for item in rounds), Spending())
        return {
            "ended": False,
            "problem": problem,
            "query": shown(str(record.settings.get("query", ""))),
            "models": {role: shown(model_name(name)) for role, name in given.items()},
            "simulated": [role for role, name in given.items() if name.partition(":")[0] == "sim"],
            "tests": record.settings.get("tests"),
            "leaky": record.settings.get("tests") == "all",
            "cost": _amounts(spent),
        }
    result = record.result
    names = {role: shown(model_name(result["models"][role])) for role in _ROLES}
    same = ("score", "feedback_score", "hidden_score", "hidden_passed", "best_round", "stopped", "seconds", "leaky")
    return {
        **{name: result[name] for name in same},
        "ended": True,
        "problem": problem,
        "query": shown(result["query"]),
        "answer": shown(result["answer"]),
        "models": names,
        "simulated": list(result["simulated_models"]),
        "tests": result["tests"],
        "sandbox": dict(result["sandbox"]),
        "cost": {
            "usd": result["cost_usd"],
            "unpriced": result["unpriced_calls"],
            "asked": result["calls"],
            "cached": result["cached_calls"],
            "cached_usd": result["cached_usd"],
            "calls": result["operator_calls"],
            "tokens": result["tokens"],
        },
    }


def _amounts(spent: Spending) -> dict[str, Any]:
    return {
        "usd": spent.usd,
        "unpriced": spent.unpriced_calls,
        "asked": spent.model_calls,
        "cached": spent.cached_calls,
        "cached_usd": spent.cached_usd,
        "calls": spent.calls,
        "tokens": spent.tokens,
    }


def _problem(rounds: Sequence[Mapping[str, Any]]) -> str:
    """Returns the problem as the first operator call that was given one had it; the store keeps no query."""
    for item in rounds:
        for evaluation in item["feedback"]["evaluations"]:
            for call in evaluation["trace"].get("calls", ()):
                given = call["inputs"].get("problem", call["inputs"].get("input"))
                if isinstance(given, str) and given.strip():
                    return given
    return ""


def _spent(item: Mapping[str, Any]) -> Spending:
    evaluations = (Spending.from_json(own["spent"]) for own in item["feedback"]["evaluations"])
    return sum(evaluations, Spending.from_json(item["spent"]))


def _rounds(rounds: Sequence[Mapping[str, Any]], workflows: Workflows) -> Iterator[dict[str, Any]]:
    before: Mapping[str, Any] | None = None
    for item in rounds:
        feedback = item["feedback"]
        yield {
            "number": item["number"],
            "score": feedback["score"],
            "reasoning": shown(item["reasoning"]),
            "modification": shown(item["modification"]),
            "workflow": workflows.number_of(item["graph"], item["prompt"]),
            "since": None if before is None else before["number"],
            "changes": None if before is None else changes(before["graph"], item["graph"]),
            "prompt_changes": None if before is None else changes(before["prompt"], item["prompt"]),
            "evaluations": [_evaluation(own) for own in feedback["evaluations"]],
            "diagnostics": [
                {name: shown(value) if isinstance(value, str) else value for name, value in own.items()}
                for own in feedback["diagnostics"]
            ],
            "dropped": [shown(text) for text in feedback["dropped"]],
            "turns": [[role, shown(text)] for role, text in item["turns"]],
            "designing": _amounts(Spending.from_json(item["spent"])),
            "cost": _amounts(_spent(item)),
        }
        before = item


def _evaluation(own: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "score": own["score"],
        "answer": None if own["answer"] is None else shown(own["answer"]),
        "error": shown(own["error"]),
        "note": shown(own["note"]),
        "seconds": own["seconds"],
        "tests": [{name: shown(text) for name, text in test.items()} for test in own["tests"]],
        "calls": [_call(call) for call in own["trace"].get("calls", ())],
        "log": [shown(line) for line in own["trace"].get("log", ())],
        "cost": _amounts(Spending.from_json(own["spent"])),
    }


def _call(call: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{name: shown(call[name]) for name in ("path", "operator", "site", "status")},
        "start": call["start"],
        "end": call["end"],
        "error": shown(call["error"]),
        "inputs": shown_values(call["inputs"]),
        "outputs": shown_values(call["outputs"]),
        "cost": _amounts(Spending.from_json(call["spending"])),
    }
