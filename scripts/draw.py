#!/usr/bin/env python3
"""Draws the LangGraph graph of a workflow: scripts/draw.py WORKFLOW [-o PICTURE.svg|.png]; needs Graphviz's `dot`."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from flowreasoner.workflow import check
from flowreasoner_adapters.langgraph import LangGraphBackend

_STYLE = (
    'graph [bgcolor="transparent" pad="0.2" nodesep="0.4" ranksep="0.45"] '
    'node [shape="box" style="rounded,filled" fillcolor="#eef2ff" color="#6366f1" fontname="Helvetica" fontsize="11"] '
    'edge [color="#475569" arrowsize="0.7"]'
)


def as_dot(graph: Any) -> str:
    """Returns a drawable graph of LangGraph's in Graphviz's language: operators coloured, conditional edges dashed."""
    lines = []
    for name, node in graph.nodes.items():
        operator = (node.metadata or {}).get("operator")
        label = name.strip("_") + (f"\\n{operator}" if operator else "")
        extra = "" if operator else ' fillcolor="#f8fafc" color="#94a3b8"'
        lines.append(f'"{name}" [label="{label}"{extra}]')
    lines += [f'"{edge.source}" -> "{edge.target}"' + ' [style="dashed"]' * edge.conditional for edge in graph.edges]
    return "digraph {" + _STYLE + "\n" + "\n".join(lines) + "\n}"


def main() -> None:
    """Draws one workflow."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workflow", type=Path)
    parser.add_argument("-o", "--out", type=Path, default=Path("graph.svg"))
    given = parser.parse_args()
    dot = shutil.which("dot")
    if dot is None:
        sys.exit("Graphviz is not installed, which draws the picture: apt install graphviz, brew install graphviz")
    prompts = given.workflow.with_name("prompt.py")
    report = check(given.workflow.read_text(), prompts.read_text() if prompts.exists() else {})
    if report.workflow is None:
        sys.exit(f"{given.workflow}: {report.diagnostics[0]}")
    graph = LangGraphBackend().emit(report.workflow).compile().get_graph()
    subprocess.run(  # noqa: S603 - the program was looked up, its input is our own
        [dot, f"-T{given.out.suffix.lstrip('.')}", "-o", str(given.out)], input=as_dot(graph), text=True, check=True
    )
    print(f"wrote {given.out}")  # noqa: T201


if __name__ == "__main__":
    main()
