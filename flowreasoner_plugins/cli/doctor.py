"""``flowreasoner doctor``: what is installed, reachable and isolated, and what to do about the rest."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import socket
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import click

from flowreasoner.errors import FlowReasonerError, IsolationUnavailable
from flowreasoner.sandbox import try_forbidden
from flowreasoner_plugins.cli import options
from flowreasoner_plugins.cli.config import config_path
from flowreasoner_plugins.cli.exits import FAILED, OK

if TYPE_CHECKING:
    from flowreasoner.sandbox import Sandbox
    from flowreasoner_plugins.manager import Plugins

__all__ = ["command"]

_OPTIONAL = {
    "tokenizers": "the embedded models",
    "langgraph": "native LangGraph graphs",
    "dspy": "native DSPy modules",
    "metagpt": "running emitted graphs on MetaGPT",
    "torch": "training",
    "trl": "training",
    "vllm": "fast rollouts on GPUs",
}
_MARKS = {"ok": "ok  ", "warn": "note", "fail": "FAIL"}


@dataclass(frozen=True)
class _Finding:
    """One line of the table."""

    area: str
    name: str
    state: Literal["ok", "warn", "fail"]
    detail: str
    remedy: str = ""


@click.command("doctor", short_help="Show what is installed, reachable and isolated.")
@options.meta_agent
@options.worker
@options.store
@options.as_json
@click.pass_obj
def command(plugins: Plugins, meta_agent: str, worker: str, store: str | None, as_json: bool) -> None:
    """Show what is installed, reachable and isolated, and what to do about the rest.

    Ends with 1 if something that FlowReasoner needs does not work.

    \b
    Examples:
      flowreasoner doctor
      flowreasoner doctor --worker ollama:qwen2.5-coder --json
    """
    findings = [
        *_machine(),
        *_packages(),
        *_models(plugins, {"meta-agent": meta_agent, "worker": worker}),
        *asyncio.run(_sandboxes(plugins)),
        *_store(store),
        *_plugins(plugins),
    ]
    if as_json:
        click.echo(json.dumps([asdict(item) for item in findings]))
    else:
        area = ""
        for item in findings:
            if item.area != area:
                area = item.area
                click.echo(area)
            click.echo(f"  {_MARKS[item.state]} {item.name}: {item.detail}")
            if item.remedy:
                click.echo(f"         {item.remedy}")
    raise SystemExit(FAILED if any(item.state == "fail" for item in findings) else OK)


def _machine() -> list[_Finding]:
    path = config_path()
    detail = f"{platform.python_implementation()} {platform.python_version()} on {platform.platform()}"
    return [
        _Finding("machine", "python", "ok", detail),
        _Finding("machine", "cores", "ok", str(os.cpu_count())),
        _Finding("machine", "configuration", "ok", str(path) if path else "no file; options and environment only"),
    ]


def _packages() -> list[_Finding]:
    needed = ("flowreasoner", "openai", "genai-prices", "pydantic", "pluggy", "regex")
    found = [_Finding("packages", name, "ok", metadata.version(name)) for name in needed]
    for name, purpose in _OPTIONAL.items():
        try:
            found.append(_Finding("packages", name, "ok", metadata.version(name)))
        except metadata.PackageNotFoundError:
            found.append(_Finding("packages", name, "warn", f"not installed; for {purpose}"))
    return found


def _models(plugins: Plugins, uris: dict[str, str]) -> list[_Finding]:
    from flowreasoner.models import ModelContext, model_from_uri

    found = []
    for role, uri in uris.items():
        try:
            model = model_from_uri(uri, ModelContext(), plugins.chat_models)
        except FlowReasonerError as error:
            # Who has named no model yet may mean to; one that was named must work.
            found.append(_Finding("models", role, "warn" if uri == "embedded:" else "fail", str(error)))
            continue
        if not model.simulated and not hasattr(model, "base_url"):
            found.append(_Finding("models", role, "ok", f"{model.name} is ready, in this process"))
        elif model.simulated:
            name = role.replace("-", "_")
            remedy = f"set --{role}, FLOWREASONER_{name.upper()}, or {name} in flowreasoner.toml"
            found.append(_Finding("models", role, "warn", f"{uri} is a simulation, no model", remedy))
        else:
            found.append(_reachable(role, uri, model))
    return found


def _reachable(role: str, uri: str, model: Any) -> _Finding:
    """Opens a connection to the model's host, without asking it anything."""
    url = urlsplit(getattr(model, "base_url", None) or "https://api.openai.com/v1")
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        with socket.create_connection((url.hostname or "", port), timeout=3):
            pass
    except OSError as error:
        remedy = "start the server, or correct base_url"
        return _Finding("models", role, "fail", f"{uri}: cannot connect to {url.hostname}:{port}: {error}", remedy)
    price = getattr(model, "price", None)
    cost = f"${price.input:g} / ${price.output:g} per million tokens" if price else "price unknown, add ?price=IN,OUT"
    return _Finding("models", role, "ok", f"{uri}: {url.hostname}:{port} accepts connections; {cost}")


async def _sandboxes(plugins: Plugins) -> list[_Finding]:
    """Lets a program try forbidden things in every tier."""
    found, isolated = [], False
    for name, factory in plugins.sandboxes.items():
        try:
            sandbox = factory()
        except IsolationUnavailable as error:
            found.append(_Finding("sandbox", name, "warn", str(error)))
            continue
        try:
            finding = await _tried(name, sandbox)
        except FlowReasonerError as error:
            finding = _Finding("sandbox", name, "fail", str(error))
        finally:
            await sandbox.aclose()
        isolated = isolated or (sandbox.isolated and finding.state == "ok")
        found.append(finding)
    if not isolated:
        remedy = "see the remedies above; without one, --sandbox none runs programs unisolated"
        found.append(_Finding("sandbox", "isolation", "fail", "no tier isolates programs here", remedy))
    return found


async def _tried(name: str, sandbox: Sandbox) -> _Finding:
    attempts = await try_forbidden(sandbox)
    allowed = [attempt.what for attempt in attempts if attempt.succeeded]
    words = "; ".join(f"{attempt.what}: {'done' if attempt.succeeded else 'refused'}" for attempt in attempts)
    if not sandbox.isolated:
        remedy = "no isolation, for code that you trust; taken only with --sandbox none"
        return _Finding("sandbox", name, "warn", words, remedy)
    if allowed:
        return _Finding("sandbox", name, "fail", words, "do not use this tier on this machine, and report this")
    landlock = getattr(sandbox, "landlock_abi", None)
    layers = "" if landlock is None else f"; Landlock version {landlock}" if landlock else "; without Landlock"
    return _Finding("sandbox", name, "ok", words + layers)


def _store(path: str | None) -> list[_Finding]:
    from flowreasoner.store import Store, default_store_path

    place = path or str(default_store_path())
    try:
        with Store(place) as opened:
            runs = len(opened.runs(1000))
    except FlowReasonerError as error:
        return [_Finding("store", "runs", "fail", str(error))]
    return [_Finding("store", "runs", "ok", f"{place}: {runs} stored")]


def _plugins(plugins: Plugins) -> list[_Finding]:
    found = [_Finding("plugins", info.name, "ok", info.source) for info in plugins.infos if not info.problem]
    for info in plugins.problems:
        remedy = "update or uninstall it, or set FLOWREASONER_DISABLE_PLUGINS"
        found.append(_Finding("plugins", info.name, "warn", f"skipped: {info.problem}", remedy))
    return found
