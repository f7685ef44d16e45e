"""The group of all commands; each is imported when it is used."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

import click

from flowreasoner import __version__
from flowreasoner_plugins.cli.exits import INFRASTRUCTURE, INTERRUPTED, OK
from flowreasoner_plugins.cli.wording import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from flowreasoner_plugins.manager import Plugins

__all__ = ["cli", "main"]

_COMMANDS = {
    "solve": "Design a workflow for a query, run it, and answer.",
    "run": "Run an existing workflow on a query.",
    "grade": "Grade one candidate program by a query's tests.",
    "bench": "Compare designers on benchmarks.",
    "verify": "Prove that a benchmark's answers are scored right here.",
    "check": "Check workflow and query files.",
    "export": "Write a workflow as source for a framework.",
    "runs": "List and show stored runs.",
    "report": "Make a page of runs or a bench to look at.",
    "plugins": "List plugins and what they provide.",
    "doctor": "Show what is installed, reachable and isolated.",
}


class _Commands(click.Group):
    """Built-in commands by name, then those of plugins."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*_COMMANDS, *sorted(_plugins(ctx).commands)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _COMMANDS:
            module = importlib.import_module(f"flowreasoner_plugins.cli.{cmd_name}")
            command: click.Command = module.command
            return command
        return _plugins(ctx).commands.get(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists the commands without importing the built-in ones."""
        rows = list(_COMMANDS.items())
        rows += [(name, item.get_short_help_str(80)) for name, item in sorted(_plugins(ctx).commands.items())]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def main(self, *args: Any, **extra: Any) -> Any:
        """Runs a command; as a program, it ends with one of the documented exit codes."""
        run: Callable[..., Any] = super().main
        if not extra.pop("standalone_mode", True):
            return run(*args, standalone_mode=False, **extra)
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")  # a terminal that is not UTF-8 gets question marks
        try:
            code = run(*args, standalone_mode=False, **extra) or OK
        except SystemExit as ended:
            code = ended.code
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            code = error.exit_code
        except click.ClickException as error:
            code = _report(error)
        except (click.Abort, KeyboardInterrupt):
            click.echo("interrupted", err=True)
            code = INTERRUPTED
        except OSError as error:
            code = _unwritable(error)
        sys.exit(_flushed(code))


def _plugins(ctx: click.Context) -> Plugins:
    """Returns the loaded plugins, loading them once per process run of the command line."""
    root = ctx.find_root()
    if root.obj is None:
        from flowreasoner_plugins.manager import load_plugins

        root.obj = load_plugins()
    plugins: Plugins = root.obj
    return plugins


def _report(error: click.ClickException) -> int:
    """Prints an error as one line, click's own errors too."""
    hint = ""
    if isinstance(error, click.UsageError) and error.ctx is not None:
        hint = f"; `{error.ctx.command_path} --help` shows how"
    click.echo(f"error: {one_line(error.format_message()).rstrip('.')}{hint}", err=True)
    return error.exit_code


def _flushed(code: Any) -> Any:
    """Writes out what was printed, and returns the exit code, which is another one where that fails."""
    try:
        sys.stdout.flush()
    except OSError as error:
        return _unwritable(error)
    return code


def _unwritable(error: OSError) -> int:
    """Says that the output could not be written; a reader that has seen enough need not be told."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains once more at its end
    if not isinstance(error, BrokenPipeError):
        click.echo(f"error: cannot write the output: {error.strerror or error}", err=True)
    return INFRASTRUCTURE


@click.group("flowreasoner", cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="flowreasoner")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """One query in, a designed, executed and verified multi-agent system out.

    \b
    Examples:
      flowreasoner solve demo:spiral-walk
      flowreasoner solve query.yaml --meta-agent openai:o4-mini --worker openai:gpt-4o-mini
      flowreasoner check workflows/ --json
      flowreasoner doctor
    """
    for info in _plugins(ctx).problems:
        click.echo(f"warning: the plugin {info.name!r} ({info.source}) was skipped: {info.problem}", err=True)


def main(args: list[str] | None = None, **extra: Any) -> None:
    """Runs the command line."""
    # Whoever asks the process to end, as `docker stop` does, gets the same clean stop as Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    cli.main(args=args, prog_name="flowreasoner", **extra)
