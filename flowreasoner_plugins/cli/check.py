"""``flowreasoner check``: workflows and query files, for people and for machines."""

from __future__ import annotations

import json
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flowreasoner.errors import QueryError
from flowreasoner_plugins.cli import options
from flowreasoner_plugins.cli.exits import FAILED, OK, USAGE, Failure
from flowreasoner_plugins.cli.inputs import PROMPT_FILES, QUERY_SUFFIXES, check_workflow_file, prompt_file, read_source
from flowreasoner_plugins.cli.wording import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flowreasoner.workflow import Workflow
    from flowreasoner_plugins.manager import Plugins

__all__ = ["command"]


@dataclass(frozen=True)
class _Result:
    """What checking one file gave."""

    path: Path
    ok: bool
    repaired: tuple[str, ...]
    diagnostics: tuple[dict[str, Any], ...]
    workflow: Workflow | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "path": str(self.path),
            "ok": self.ok,
            "repaired": list(self.repaired),
            "diagnostics": list(self.diagnostics),
        }


@click.command("check", short_help="Check workflow and query files.")
@click.argument("paths", nargs=-1, required=True, metavar="PATH…", type=click.Path(path_type=Path))
@click.option(
    "--fix",
    is_flag=True,
    help="Write repaired workflows back in canonical form. All that is not the workflow goes: comments, docstrings, "
    "other classes, what __init__ sets up besides operators and constants.",
)
@options.as_json
@click.pass_obj
def command(plugins: Plugins, paths: tuple[Path, ...], fix: bool, as_json: bool) -> None:
    """Check workflow files, query files, or folders of them.

    A workflow's prompts are read from prompt.py or prompt_custom.py beside it. Nothing is executed. With
    --json, one object a line: {"path", "ok", "repaired", "diagnostics"}. Ends with 0 if all are ok, 1 if
    some are not, and 2 if a path cannot be read.

    \b
    Examples:
      flowreasoner check graph.py
      flowreasoner check workspace/ --json
      flowreasoner check query.yaml
    """
    failed = False
    for file in _files(paths):
        try:
            result = _check_file(file, plugins)
            if fix and result.repaired and result.workflow is not None:
                _refuse_other_encodings(file)
                _write_back(file, result.workflow)
        except QueryError as error:
            raise Failure(str(error), USAGE) from None
        failed = failed or not result.ok
        click.echo(json.dumps(result.to_json(), ensure_ascii=False) if as_json else _shown(result, fixed=fix))
    raise SystemExit(FAILED if failed else OK)


def _files(paths: Iterable[Path]) -> list[Path]:
    """Returns the files that the paths name, folders searched.

    Raises:
        Failure: If a path does not exist, or a folder holds nothing to check.
    """
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise Failure(f"there is no file or folder {str(path)!r}", USAGE)
        inside = _search(path) if path.is_dir() else [path]
        if not inside:
            raise Failure(f"the folder {str(path)!r} holds no workflow and no query file", USAGE)
        found += inside
    return list(dict.fromkeys(found))


def _search(folder: Path) -> list[Path]:
    """Returns the workflow and query files below a folder: ``graph.py`` by name, others by content."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [path for path in files if _is_workflow(path) or _is_query(path)]


def _is_workflow(path: Path) -> bool:
    if path.suffix != ".py" or path.name in PROMPT_FILES:
        return False
    return path.name == "graph.py" or "\nclass Workflow" in f"\n{read_source(path)}"


def _is_query(path: Path) -> bool:
    """Tells whether a JSON or YAML file is an object with a problem."""
    if path.suffix.lower() not in QUERY_SUFFIXES:
        return False
    from flowreasoner.query_file import read_document

    try:
        value = read_document(path)
    except QueryError:
        return False
    return isinstance(value, dict) and "problem" in value


def _check_file(path: Path, plugins: Plugins) -> _Result:
    if path.suffix.lower() in QUERY_SUFFIXES:
        return _check_query(path, plugins)
    report = check_workflow_file(path, plugins)
    found = tuple(item.to_json() for item in report.diagnostics)
    return _Result(path, report.ok, report.repairs, found, report.workflow)


def _check_query(path: Path, plugins: Plugins) -> _Result:
    from flowreasoner.query_file import load_query

    try:
        load_query(path, formats=plugins.test_formats)
    except QueryError as error:
        finding = {
            "code": "bad-query",
            "severity": "error",
            "line": 0,
            "column": 0,
            "message": str(error),
            "remedy": "see docs/queries.md for the format",
        }
        return _Result(path, False, (), (finding,))
    return _Result(path, True, (), ())


def _write_back(path: Path, workflow: Workflow) -> None:
    """Writes a workflow in canonical form; prompts that stood in the same file are added to the file beside it."""
    from flowreasoner.workflow import read_prompts
    from flowreasoner.workflow.printer import print_prompts

    beside = prompt_file(path)
    kept = read_source(beside) if beside.is_file() else ""
    known, _ = read_prompts(kept)
    added = {name: text for name, text in workflow.prompts.items() if name not in known}
    if added:
        _replace(beside, f"{kept.rstrip()}\n{print_prompts(added)}".lstrip())
    _replace(path, workflow.source)


def _refuse_other_encodings(path: Path) -> None:
    """Refuses to write back what was not read as it stands."""
    try:
        path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise QueryError(f"cannot fix {str(path)!r}: it is not UTF-8, so that characters would be lost") from None


def _replace(path: Path, text: str) -> None:
    """Writes a file whole or not at all; it stays where a link points, with its permissions."""
    path = path.resolve()
    mode = path.stat().st_mode if path.exists() else None
    if mode is not None and not mode & stat.S_IWUSR:
        raise QueryError(f"cannot write {str(path)!r}: it is read-only")
    draft = path.with_name(f".{path.name}.new")
    try:
        draft.write_text(text, encoding="utf-8")
        if mode is not None:
            draft.chmod(stat.S_IMODE(mode))
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise QueryError(f"cannot write {str(path)!r}: {error.strerror}") from None


def _shown(result: _Result, *, fixed: bool) -> str:
    lines = [f"{result.path}: {'ok' if result.ok else 'not ok'}"]
    prompts = prompt_file(result.path)
    word = "repaired" if fixed and result.ok else "repairable" if not fixed else "repaired while reading"
    lines += [f"  {word}: {repair}" for repair in result.repaired]
    for item in result.diagnostics:
        file = prompts if item["code"].startswith("prompt-") and prompts.is_file() else result.path
        place = f"{file}:{item['line']}:{item['column']}" if item["line"] else str(file)
        lines.append(f"  {place}: {item['severity']}: {item['message']} [{item['code']}]")
        lines.append(f"    {item['remedy']}")
    return printable("\n".join(lines))
