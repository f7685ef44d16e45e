"""Makes ``import metagpt`` work, from PyPI's wheel beside other frameworks or from a user's own checkout.

PyPI's metagpt 0.8.2 cannot be installed with its own pins, reads a configuration file at import, writes a log
file, takes over loguru's sinks and imports the SDK of every vendor. `load_metagpt` gives it what it asks for in
a private folder, keeps it from the rest, and leaves no trace of that. A user's own configuration is not touched.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import os
import shutil
import sys
import tempfile
import threading
import warnings
from importlib import metadata, util
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from flowreasoner.errors import PluginError
from flowreasoner_adapters.aflow.stubs import stubbed_vendors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["INSTALL", "is_checkout", "load_metagpt"]

INSTALL = 'pip install "flowreasoner[metagpt]" && pip install --no-deps metagpt==0.8.2'
"""What installs MetaGPT's wheel; its own pins cannot be had, hence ``--no-deps``."""

_ROOT = "METAGPT_PROJECT_ROOT"
_CONFIG = "llm:\n  api_type: openai\n  model: none\n  api_key: unused\n  stream: false\n"
"""MetaGPT refuses to be imported without a model. Nothing uses this one; real keys are never written."""

_NEEDED = {  # in this order: `metagpt.team` first fails with newer versions of pydantic
    "metagpt.actions.action_node": ("ActionNode",),
    "metagpt.configs.llm_config": ("LLMConfig", "LLMType"),
    "metagpt.provider.base_llm": ("BaseLLM",),
    "metagpt.provider.llm_provider_registry": ("create_llm_instance",),
    "metagpt.utils.cost_manager": ("CostManager", "FireworksCostManager", "TokenCostManager"),
    "metagpt.schema": ("Message",),
    "metagpt.actions": ("Action",),
    "metagpt.roles.role": ("Role",),
    "metagpt.team": ("Team",),
    "metagpt.config2": ("config",),
}

_lock = threading.Lock()
_loaded: SimpleNamespace | None = None


def load_metagpt() -> Any:
    """Imports MetaGPT, once, and returns what FlowReasoner needs of it.

    Returns:
        A namespace with ``ActionNode``, ``LLMConfig``, ``BaseLLM``, ``create_llm_instance``, ``CostManager``,
        ``Role``, ``Team``, ``Message``, ``Action``; ``own_config`` tells whether the user has a configuration.

    Raises:
        PluginError: If MetaGPT is absent, of another version, or cannot be imported; with the remedy.
    """
    global _loaded
    with _lock:
        if _loaded is None:
            _check_installed()
            _loaded = _load()
    return _loaded


def is_checkout() -> bool:
    """Tells whether the MetaGPT that would be imported has AFlow's own operators, as a source checkout has."""
    spec = util.find_spec("metagpt")
    folders = list(spec.submodule_search_locations or []) if spec else []
    return any((Path(folder) / "ext" / "aflow" / "scripts" / "operator.py").is_file() for folder in folders)


def _check_installed() -> None:
    if util.find_spec("metagpt") is None:
        if sys.version_info >= (3, 12):
            running = ".".join(map(str, sys.version_info[:2]))
            raise PluginError(
                f"MetaGPT 0.8.2 supports Python 3.9 to 3.11, and this is Python {running}: make an environment with "
                f"Python 3.11, and there: {INSTALL}"
            )
        raise PluginError(
            f"metagpt is not installed, which this needs: {INSTALL}; or put a source checkout of MetaGPT on PYTHONPATH"
        )
    if is_checkout():
        return  # whatever its version is, it has AFlow
    with contextlib.suppress(metadata.PackageNotFoundError):
        version = metadata.version("metagpt")
        if not version.startswith("0.8."):
            raise PluginError(f"metagpt {version} is installed, and FlowReasoner was tested with 0.8.2: {INSTALL}")


def _load() -> SimpleNamespace:
    started = "metagpt.const" in sys.modules  # somebody imported it before: it is set up as they like
    own = started or _has_own_config()
    with contextlib.ExitStack() as during:
        during.enter_context(stubbed_vendors())
        during.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")  # of MetaGPT's and its vendors' own modules, at their import
        if not own:
            during.enter_context(_private_root())
            during.enter_context(_untouched_loguru())
            importlib.import_module("loguru").logger.disable("metagpt")  # it logs whole prompts
        try:
            found = {
                name: getattr(importlib.import_module(home), name) for home, names in _NEEDED.items() for name in names
            }
        except Exception as error:
            raise PluginError(_complaint(error, own=own)) from error
    return SimpleNamespace(**found, own_config=own)


def _complaint(error: Exception, *, own: bool) -> str:
    said = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
    if isinstance(error, ImportError):
        remedy = "install what your checkout of MetaGPT needs" if is_checkout() else INSTALL
        return f"metagpt cannot be imported ({said}): {remedy}"
    if own:
        return f"metagpt cannot be imported with your own configuration, config2.yaml ({said}): correct it"
    return f"metagpt cannot be imported ({said})"


def _has_own_config() -> bool:
    """Tells whether MetaGPT would find a configuration by itself: then its folders and logs are the user's choice."""
    if os.environ.get(_ROOT):
        return True
    spec = util.find_spec("metagpt")
    package = Path(next(iter(spec.submodule_search_locations or []), ".")).parent if spec else Path()
    return any(
        (root / "config2.yaml").is_file()
        for root in (
            Path.home() / ".metagpt",
            Path.cwd() / "config",
            package / "config",
        )
    )


@contextlib.contextmanager
def _private_root() -> Iterator[None]:
    """Lets MetaGPT find a configuration, and keep its files, in a folder that only this process knows."""
    root = Path(tempfile.mkdtemp(prefix="flowreasoner-metagpt-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    (root / "config").mkdir()
    (root / "config" / "config2.yaml").write_text(_CONFIG, encoding="utf-8")
    os.environ[_ROOT] = str(root)
    try:
        yield
    finally:
        del os.environ[_ROOT]


@contextlib.contextmanager
def _untouched_loguru() -> Iterator[None]:
    """Keeps MetaGPT from removing the sinks of loguru that the user has set up, and from adding its own."""
    kind: Any = type(importlib.import_module("loguru").logger)
    before = {name: getattr(kind, name) for name in ("add", "remove")}

    def guarded(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(self: Any, *args: Any, **named: Any) -> Any:
            caller = sys._getframe(1).f_globals.get("__name__")
            return None if caller == "metagpt.logs" else method(self, *args, **named)

        return call

    for name, method in before.items():
        setattr(kind, name, guarded(method))
    try:
        yield
    finally:
        for name, method in before.items():
            setattr(kind, name, method)
