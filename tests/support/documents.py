"""Reads the code blocks of Markdown pages, and runs each page's blocks in order, as a reader would."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli import invoke

__all__ = ["Block", "blocks", "run_page"]

_FENCE = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE_NAME = re.compile(r"# (?P<name>[\w./-]+\.\w+)\n")


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    page: Path
    line: int
    language: str
    text: str

    @property
    def file_name(self) -> str:
        """The name in a first line such as ``# query.yaml``: the block is that file."""
        match = _FILE_NAME.match(self.text)
        return match["name"] if match else ""

    def commands(self) -> list[str]:
        """The lines that a reader would type."""
        joined = self.text.replace("\\\n", " ")
        return [line[2:] for line in joined.splitlines() if line.startswith("$ ")]


def blocks(page: Path) -> list[Block]:
    """Returns the fenced blocks of a page."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(page, text.count("\n", 0, found.start()) + 2, found["language"], found["text"])
        for found in _FENCE.finditer(text)
    ]


def run_page(page: Path) -> int:
    """Runs a page's blocks in the current folder and returns how many there were.

    Blocks that begin with a file's name are written to it; Python runs in one namespace; commands of
    ``flowreasoner`` run in this process. ``# ends with N`` after a command is its exit code.
    """
    namespace: dict[str, Any] = {"__name__": "__page__"}
    found = blocks(page)
    for block in found:
        where = f"{page.name}:{block.line}"
        if block.file_name:
            Path(block.file_name).parent.mkdir(parents=True, exist_ok=True)
            Path(block.file_name).write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            exec(compile("\n" * (block.line - 1) + block.text, str(page), "exec", dont_inherit=True), namespace)
        elif block.language == "console":
            for command in block.commands():
                _run(command, where)
        else:
            assert block.language in {"sh", "text", "toml", "mermaid", "json"}, f"{where}: unknown kind of block"
    return len(found)


def _run(command: str, where: str) -> None:
    command, _, remark = command.partition("  # ends with ")
    program, *arguments = shlex.split(command)
    assert program == "flowreasoner", f"{where}: only commands of flowreasoner can be run here, not {program}"
    result = invoke(*arguments)
    assert result.exit_code == int(remark or 0), f"{where}: {command}\n{result.output}"
