"""Stands in for vendor SDKs that MetaGPT imports at its start, while it starts and no longer.

MetaGPT's package imports the SDK of every provider it knows. FlowReasoner asks for none of them: where one is
not installed, an empty module takes its place during the import. Installed ones always win.
"""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.machinery
import sys
import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["VENDORS", "stubbed_vendors"]

VENDORS = frozenset(
    """IPython boto3 botocore dashscope google.ai google.api_core google.generativeai imap_tools joblib nbclient
    nbformat playwright qianfan sklearn sparkai volcenginesdkarkruntime zhipuai""".split()
)
"""Modules that MetaGPT 0.8.2 imports and FlowReasoner does not need."""


class _Meta(type):
    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Stub


class _Stub(metaclass=_Meta):
    """Any class, function or decorator of a vendor."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Stub

    def __call__(self, *args: Any, **named: Any) -> Any:
        return args[0] if len(args) == 1 and callable(args[0]) and not named else _Stub()

    @classmethod
    def __get_pydantic_core_schema__(cls, *_: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.any_schema()


class _StubModule(types.ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (_Stub,), {})


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: Any = None
    ) -> importlib.machinery.ModuleSpec | None:
        del path, target
        parents = fullname.split(".")
        prefixes = {".".join(parents[: end + 1]) for end in range(len(parents))}
        if fullname != "google" and not prefixes & VENDORS:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return _StubModule(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        pass


@contextlib.contextmanager
def stubbed_vendors() -> Iterator[None]:
    """Answers imports of absent vendor SDKs, and takes every stand-in away again at the end."""
    finder = _Finder()
    sys.meta_path.append(finder)  # the last: what is installed is found before
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name, module in sys.modules.items() if isinstance(module, _StubModule)]:
            del sys.modules[name]
            parent, _, last = name.rpartition(".")
            if parent in sys.modules and isinstance(vars(sys.modules[parent]).get(last), _StubModule):
                delattr(sys.modules[parent], last)
