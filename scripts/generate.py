"""Writes the files that are made from the code: docs/cli.md and the JSON Schema of query files.

Run it after changing a command's options or the query file: ``python scripts/generate.py``. A test compares.
"""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from flowreasoner.query_file import query_schema
from flowreasoner_plugins.cli import exits
from flowreasoner_plugins.cli.main import cli

ROOT = Path(__file__).parents[1]
COMMANDS = ("solve", "run", "grade", "check", "export", "runs", "plugins", "doctor")
HEAD = """\
# The command line

Settings come from, in this order: the option, the environment variable named in brackets, `flowreasoner.toml` in the
current folder, `config.toml` in the user's configuration folder, the default. A configuration file holds any of these:

```toml
# flowreasoner.toml
meta_agent = "openai:o4-mini"
worker = "openai:gpt-4o-mini"
rounds = 10
evaluations = 3
```

Errors are one line on standard error that names the offending value and the remedy. Progress goes to standard error,
results to standard output, so that `--json` can be piped. `FLOWREASONER_CONFIG` names another configuration file.

## Exit codes

| code | meaning |
|---|---|
"""


def exit_codes() -> str:
    """Returns the table of the module `exits` as Markdown rows."""
    rows = (line.split(maxsplit=1) for line in (exits.__doc__ or "").splitlines() if line[:1].isdigit())
    return "".join(f"| {code} | {meaning} |\n" for code, meaning in rows)


def help_of(*command: str) -> str:
    """Returns a command's help at a width of 100 columns."""
    return CliRunner().invoke(cli, [*command, "--help"], terminal_width=100, max_content_width=100).stdout


def command_page() -> str:
    """Returns docs/cli.md."""
    parts = [HEAD + exit_codes(), f"\n## flowreasoner\n\n```text\n{help_of()}```\n"]
    parts += [f"\n## flowreasoner {name}\n\n```text\n{help_of(name)}```\n" for name in COMMANDS]
    return "".join(parts)


def schema() -> str:
    """Returns query.schema.json."""
    return json.dumps(query_schema(), indent=2) + "\n"


if __name__ == "__main__":
    (ROOT / "docs/cli.md").write_text(command_page(), encoding="utf-8")
    (ROOT / "core/flowreasoner/query.schema.json").write_text(schema(), encoding="utf-8")
