"""YAML as people write recipes: numbers such as ``1e-5`` are numbers, a key stands there once, and no aliases."""

from __future__ import annotations

import re
from typing import Any

import yaml

__all__ = ["parse_yaml"]


class _Loader(yaml.SafeLoader):
    """YAML 1.1 takes ``1e-5`` for text, and the last of two equal keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = [key.value for key, _ in node.value]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"{name!r} stands there twice (near line {node.start_mark.line + 1})")
        mapping = super().construct_mapping(node, deep)
        if not all(isinstance(key, str) for key in mapping):
            wrong = next(key for key in mapping if not isinstance(key, str))
            raise ValueError(f"the key {wrong!r} is no text (near line {node.start_mark.line + 1})")
        return mapping

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise ValueError("aliases (*name) cannot be used in a recipe; use extends")
        return super().compose_node(parent, index)


_Loader.yaml_implicit_resolvers = {key: list(rules) for key, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)[eE][-+]?\d+$"), list("-+.0123456789")
)


def parse_yaml(text: str) -> Any:
    """Parses one YAML document.

    Raises:
        yaml.YAMLError: If it is none.
        ValueError: If a key stands there twice, is no text, or an alias is used.
    """
    return yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader
