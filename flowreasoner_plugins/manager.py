"""Loads plugins and offers what they provide, typed: the only place that touches pluggy.

A plugin that is broken is reported and skipped; it never takes the command line down with it. Set
``FLOWREASONER_STRICT_PLUGINS=1`` to raise instead, ``FLOWREASONER_DISABLE_PLUGINS=a,b`` to leave some out, and
``FLOWREASONER_TRACE_PLUGINS=1`` to see each hook call on standard error.
"""

from __future__ import annotations

import inspect
import os
import sys
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from typing import TYPE_CHECKING, Any

import pluggy

from flowreasoner.errors import PluginError
from flowreasoner.events import GuardedObserver
from flowreasoner_plugins import builtins, hookspecs

if TYPE_CHECKING:
    import click

    from flowreasoner.backend import Backend
    from flowreasoner.baselines import Fittable
    from flowreasoner.benchmark import Benchmark
    from flowreasoner.designers import Designer
    from flowreasoner.events import Observer
    from flowreasoner.models import ModelFactory
    from flowreasoner.operators import Operator
    from flowreasoner.query import Metric, SuiteReader
    from flowreasoner.reward import RewardTerm
    from flowreasoner.sandbox import Sandbox

__all__ = [
    "BackendFactory",
    "DesignerFactory",
    "MethodFactory",
    "PluginInfo",
    "Plugins",
    "SandboxFactory",
    "load_plugins",
]

DesignerFactory = Callable[..., "Designer"]
MethodFactory = Callable[..., "Fittable"]
BackendFactory = Callable[[], "Backend"]
SandboxFactory = Callable[..., "Sandbox"]


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """A plugin as ``flowreasoner plugins`` lists it.

    Attributes:
        name: Name of its entry point.
        source: Distribution and version, or where it comes from.
        hooks: Hooks it implements, without the common prefix.
        problem: Why it was skipped, or empty.
    """

    name: str
    source: str
    hooks: tuple[str, ...]
    problem: str = ""


def load_plugins(*, entry_points: bool = True, extra: Mapping[str, object] | None = None) -> Plugins:
    """Loads the built-ins, then every installed plugin, one by one.

    Args:
        entry_points: Whether to load what is installed in the entry-point group ``flowreasoner``.
        extra: Further plugins by name, e.g. for tests.

    Raises:
        PluginError: If a plugin is broken and ``FLOWREASONER_STRICT_PLUGINS`` is set.
    """
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    plugins = Plugins(manager)
    plugins.add("builtin", builtins, "flowreasoner")
    disabled = {name.strip() for name in os.environ.get("FLOWREASONER_DISABLE_PLUGINS", "").split(",")}
    if entry_points:
        for point in sorted(metadata.entry_points(group=hookspecs.PROJECT), key=lambda item: item.name):
            if point.name not in disabled:
                plugins.add_entry_point(point)
    for name, plugin in (extra or {}).items():
        plugins.add(name, plugin, "given in code")
    return plugins


class Plugins:
    """What all loaded plugins provide, merged and checked.

    Args:
        manager: A pluggy manager with the hook specifications.
    """

    def __init__(self, manager: pluggy.PluginManager) -> None:
        self._manager = manager
        self.infos: list[PluginInfo] = []

    # --- loading ---

    def add(self, name: str, plugin: object, source: str) -> None:
        """Registers a plugin; a broken one is reported in `infos` and skipped."""
        try:
            problem = _misfit(plugin)
            if problem:
                raise PluginError(problem)
            self._manager.register(plugin, name)
        except (pluggy.PluginValidationError, PluginError, ValueError) as error:
            self._skip(name, source, f"{error}")
            return
        hooks = [caller.name for caller in self._manager.get_hookcallers(plugin) or []]
        self.infos.append(PluginInfo(name, source, tuple(sorted(_short(hook) for hook in hooks))))

    def add_entry_point(self, point: metadata.EntryPoint) -> None:
        """Imports and registers an installed plugin."""
        source = f"{point.dist.name} {point.dist.version}" if point.dist else point.value
        try:
            plugin = point.load()
        except Exception as error:
            self._skip(point.name, source, f"it cannot be imported: {type(error).__name__}: {error}")
            return
        self.add(point.name, plugin, source)

    def _skip(self, name: str, source: str, problem: str) -> None:
        if os.environ.get("FLOWREASONER_STRICT_PLUGINS"):
            raise PluginError(f"the plugin {name!r} ({source}) is broken: {problem}")
        self.infos.append(PluginInfo(name, source, (), " ".join(problem.split())))

    @property
    def problems(self) -> list[PluginInfo]:
        """Plugins that were skipped."""
        return [info for info in self.infos if info.problem]

    # --- what they provide ---

    @cached_property
    def operators(self) -> Mapping[str, Operator]:
        """Operators by class name."""
        from flowreasoner.operators import Operator

        return self._named("flowreasoner_operators", Operator, lambda item: item.name)

    @cached_property
    def chat_models(self) -> Mapping[str, ModelFactory]:
        """Factories of chat models by URI scheme."""
        return self._merged("flowreasoner_chat_models")

    @cached_property
    def designers(self) -> Mapping[str, DesignerFactory]:
        """Factories of designers by name."""
        return self._merged("flowreasoner_designers")

    @cached_property
    def methods(self) -> Mapping[str, MethodFactory]:
        """Factories by name of methods that are fitted before they design."""
        return self._merged("flowreasoner_methods")

    @cached_property
    def backends(self) -> Mapping[str, BackendFactory]:
        """Factories of backends by name."""
        return self._merged("flowreasoner_backends")

    @cached_property
    def test_formats(self) -> Mapping[str, SuiteReader]:
        """Readers of further test formats by name."""
        return self._merged("flowreasoner_test_formats")

    @cached_property
    def metrics(self) -> Mapping[str, Metric]:
        """Metrics by name."""
        return self._merged("flowreasoner_metrics")

    @cached_property
    def reward_terms(self) -> Mapping[str, RewardTerm]:
        """Reward terms by name."""
        return self._merged("flowreasoner_reward_terms")

    @cached_property
    def benchmarks(self) -> Mapping[str, Benchmark]:
        """Benchmarks by name."""
        return self._named("flowreasoner_benchmarks", object, lambda item: item.name)

    @cached_property
    def sandboxes(self) -> Mapping[str, SandboxFactory]:
        """Factories of sandboxes by tier."""
        return self._merged("flowreasoner_sandboxes")

    @cached_property
    def observers(self) -> tuple[Observer, ...]:
        """Observers of events; one that raises is dropped with a warning, once."""
        return tuple(
            GuardedObserver(observer, _warn_of(name))
            for name, result in self._results("flowreasoner_observers")
            for observer in result
        )

    @cached_property
    def commands(self) -> Mapping[str, click.Command]:
        """Further commands by name."""
        return self._named("flowreasoner_commands", object, lambda item: str(item.name))

    def pick(self, kind: str, name: str) -> Any:
        """Returns one thing by name.

        Args:
            kind: One of the properties above, e.g. ``"backends"``.
            name: Its name.

        Raises:
            PluginError: If there is none, naming those that there are and plugins that were skipped.
        """
        known: Mapping[str, Any] = getattr(self, kind)
        if name in known:
            return known[name]
        listed = ", ".join(sorted(known)) or "none"
        skipped = "".join(f"; the plugin {info.name!r} was skipped: {info.problem}" for info in self.problems)
        raise PluginError(f"there is no {kind[:-1].replace('_', ' ')} {name!r}; known are {listed}{skipped}")

    # --- merging ---

    def _results(self, hook: str) -> list[tuple[str, Any]]:
        """Calls one hook plugin by plugin; one that raises is reported and skipped."""
        results = []
        for implementation in getattr(self._manager.hook, hook).get_hookimpls():
            try:
                result = implementation.function()
                _trace(hook, implementation.plugin_name, result)
                if result is not None:
                    results.append((implementation.plugin_name, result))
            except Exception as error:
                problem = f"{_short(hook)} raised {type(error).__name__}: {error}"
                self._skip(implementation.plugin_name, "", problem)
        return results

    def _merged(self, hook: str) -> Mapping[str, Any]:
        merged: dict[str, Any] = {}
        owners: dict[str, str] = {}
        for owner, result in self._results(hook):
            if not isinstance(result, Mapping):
                self._skip(owner, "", f"{_short(hook)} must return a mapping, not {type(result).__name__}")
                continue
            for name, value in result.items():
                self._claim(hook, name, owner, owners)
                merged[name] = value
        return merged

    def _named(self, hook: str, kind: type, name_of: Callable[[Any], str]) -> Mapping[str, Any]:
        merged: dict[str, Any] = {}
        owners: dict[str, str] = {}
        for owner, result in self._results(hook):
            for item in result:
                if not isinstance(item, kind):
                    self._skip(owner, "", f"{_short(hook)} must hold {kind.__name__} objects, not {item!r:.60}")
                    continue
                self._claim(hook, name_of(item), owner, owners)
                merged[name_of(item)] = item
        return merged

    @staticmethod
    def _claim(hook: str, name: str, owner: str, owners: dict[str, str]) -> None:
        if name in owners:
            raise PluginError(
                f"the plugins {owners[name]!r} and {owner!r} both provide {name!r} ({_short(hook)}); "
                f"set FLOWREASONER_DISABLE_PLUGINS to one of them"
            )
        owners[name] = owner


def _warn_of(plugin: str) -> Callable[[Exception], None]:
    def report(error: Exception) -> None:
        sys.stderr.write(f"warning: the observer of plugin {plugin!r} failed and is left out: {error!r}\n")

    return report


def _trace(hook: str, plugin: str, result: object) -> None:
    if os.environ.get("FLOWREASONER_TRACE_PLUGINS"):
        sys.stderr.write(f"hook {_short(hook)} of plugin {plugin!r} -> {result!r:.200}\n")


def _short(hook: str) -> str:
    return hook.removeprefix(f"{hookspecs.PROJECT}_")


def _misfit(plugin: object) -> str:
    """Returns what is wrong with a plugin's hooks: pluggy itself checks argument names only."""
    specs = {name: value for name, value in vars(hookspecs).items() if name.startswith(f"{hookspecs.PROJECT}_")}
    for name in dir(plugin):
        implementation = getattr(plugin, name, None)
        if not hasattr(implementation, f"{hookspecs.PROJECT}_impl"):
            continue
        options = getattr(implementation, f"{hookspecs.PROJECT}_impl")
        wanted = options.get("specname") or name
        if wanted not in specs:
            return f"there is no hook {wanted!r}; known are {', '.join(sorted(specs))}"
        problem = _annotation_problem(specs[wanted], implementation)
        if problem:
            return problem
    return ""


def _annotation_problem(spec: Callable[..., Any], implementation: Any) -> str:
    """Compares return annotations by their outer type, as far as both can be resolved."""
    expected, given = (_returned(function) for function in (spec, implementation))
    if expected is None or given is None:
        return ""
    outer_expected, outer_given = (typing.get_origin(kind) or kind for kind in (expected, given))
    if not (inspect.isclass(outer_expected) and inspect.isclass(outer_given)):
        return ""
    if issubclass(outer_given, outer_expected):
        return ""
    return f"{spec.__name__} must return {outer_expected.__name__}, but is annotated as {outer_given.__name__}"


def _returned(function: Any) -> Any:
    """Returns the outer type of a return annotation, or None when it has none or cannot be resolved."""
    function = getattr(function, "__func__", function)
    text = getattr(function, "__annotations__", {}).get("return")
    if not isinstance(text, str):
        return text
    outer = text.split("[")[0].strip()
    names = {**vars(typing), **getattr(function, "__globals__", {})}
    names |= {
        "Iterable": Iterable,
        "Mapping": Mapping,
        "list": list,
        "dict": dict,
        "tuple": tuple,
        "str": str,
        "int": int,
    }
    return names.get(outer)
