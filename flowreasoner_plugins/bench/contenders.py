"""Who is compared in a bench: designers, files with a workflow, and methods that are fitted first."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowreasoner.comparison import Contender
from flowreasoner.designers import FixedWorkflow
from flowreasoner.errors import PluginError, QueryError
from flowreasoner_plugins.cli.inputs import check_workflow_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flowreasoner.baselines import Fittable
    from flowreasoner.comparison import ModelFor
    from flowreasoner.designers import Designer
    from flowreasoner_plugins.bench.plan import Settings
    from flowreasoner_plugins.manager import Plugins

__all__ = ["Unfitted", "contenders_of", "method_settings"]


@dataclass(frozen=True)
class Unfitted:
    """A method that is to be fitted before it tries anything.

    Attributes:
        name: Short name.
        method: What is fitted.
        meta_agent: The meta-agent.
        mark: Stands for all that is given of it: settings, meta-agent, the kind of models.
    """

    name: str
    method: Fittable
    meta_agent: ModelFor
    mark: str


def contenders_of(
    names: Sequence[str], plugins: Plugins, settings: Settings, meta_agent: Callable[[], ModelFor]
) -> list[Contender | Unfitted]:
    """Returns who is compared, each with a mark of all that its outcomes depend on.

    Args:
        names: Names of plugins' designers and methods, and files that hold a workflow.
        plugins: Where they come from.
        settings: What is the same for all.
        meta_agent: Makes the source of the meta-agent, where one is asked.

    Raises:
        PluginError: If there is no designer of a name, or what it needs is not installed.
        QueryError: If a file cannot be read, holds no correct workflow, two have the same name, or settings are given
            that cannot be used.
        ModelRefused: If the meta-agent cannot be used.
    """
    strange = next((name for name in settings.methods if name not in names or name not in plugins.methods), None)
    if strange is not None:
        raise QueryError(f"--set is for methods that are fitted in this bench, and {strange!r} is none of them")
    made: dict[str, Contender | Unfitted] = {}
    for given in names:
        name = Path(given).stem if given.endswith(".py") else given
        if name in made:
            raise QueryError(f"two designers are called {name!r}; rename a file, or leave one out")
        if given in plugins.methods:
            made[name] = _unfitted(name, plugins, settings, meta_agent())
            continue
        designer = _from_file(Path(given), name, plugins) if given.endswith(".py") else _named(given, plugins, settings)
        asks = not isinstance(designer, FixedWorkflow)
        mark = _mark([repr(designer), settings.meta_agent] if asks else [_text(designer)])
        made[name] = Contender(name, designer, meta_agent() if asks else None, mark, run_again=False)
    return list(made.values())


def _named(name: str, plugins: Plugins, settings: Settings) -> Designer:
    try:
        factory = plugins.pick("designers", name)
    except PluginError as error:
        raise PluginError(f"{error}; methods that are fitted first are {', '.join(sorted(plugins.methods))}") from None
    small = {"small": True} if settings.small else {}
    try:
        designer: Designer = factory(
            rounds=settings.rounds, evaluations=settings.evaluations, early_stop=settings.early_stop, **small
        )
    except TypeError as error:
        if not small:
            raise
        raise QueryError(f"the designer {name!r} knows nothing of small models: {error}") from None
    return designer


def _from_file(path: Path, name: str, plugins: Plugins) -> Designer:
    report = check_workflow_file(path, plugins)
    if report.workflow is None:
        raise QueryError(f"{path} holds no workflow that can run; `flowreasoner check {path}` says why")
    return FixedWorkflow(report.workflow, name=name)


def _text(designer: Any) -> str:
    return f"{designer.workflow.source}\n{designer.workflow.prompt_source}\n{designer.rounds} {designer.evaluations}"


def _mark(parts: Sequence[Any]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:8]


# --- methods ---------------------------------------------------------------------------------------------

_KINDS: Mapping[str, tuple[type, ...]] = {
    "bool": (bool,),
    "int": (int,),
    "float": (int, float),
    "str": (str,),
    "Wording": (str,),
    "Path": (str, Path),
    "Any": (object,),
}


def _unfitted(name: str, plugins: Plugins, settings: Settings, meta_agent: ModelFor) -> Unfitted:
    given = settings.methods.get(name, {})
    try:
        method: Fittable = plugins.methods[name](small=settings.small, **given)
    except TypeError as error:
        raise QueryError(f"the method {name!r} cannot be made with {dict(given)}: {error}") from None
    for setting, value in given.items():
        _check_kind(f"{name}.{setting}", value, _annotation(method, setting))
    return Unfitted(name, method, meta_agent, _mark([name, settings.small, dict(given), settings.meta_agent]))


def _annotation(method: Any, setting: str) -> str:
    """Returns how a dataclass annotates a field; of other methods nothing is known."""
    kinds = {item.name: str(item.type) for item in fields(method)} if is_dataclass(method) else {}
    return kinds.get(setting, "Any")


def _check_kind(name: str, value: Any, kind: str) -> None:
    """Refuses a value of another kind than the field's, by its annotation."""
    kinds = (str,) if kind.startswith("Literal") else _KINDS.get(kind)
    if kinds is None:
        raise QueryError(f"{name} cannot be set on the command line")
    if not isinstance(value, kinds) or (isinstance(value, bool) and kind in {"int", "float"}):
        raise QueryError(f"{name} must be {kind}, got {value!r:.60}")


def method_settings(given: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Reads ``NAME.SETTING=VALUE``; a value is JSON, or else text.

    Raises:
        QueryError: If one is written otherwise.
    """
    found: dict[str, dict[str, Any]] = {}
    for text in given:
        path, equals, value = text.partition("=")
        name, dot, setting = path.partition(".")
        if not (equals and dot and name and setting.isidentifier()):
            raise QueryError(f"--set takes NAME.SETTING=VALUE, e.g. aflow.max_rounds=8, not {text!r:.80}")
        found.setdefault(name, {})[setting] = _value(value)
    return found


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
