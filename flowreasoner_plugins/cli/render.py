"""Shows results on a terminal: the workflow, the table of rounds, the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flowreasoner_plugins.cli.inputs import uses_pair
from flowreasoner_plugins.cli.wording import clock, money, one_line, price, printable, told

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console
    from rich.table import Table

__all__ = ["print_answer", "print_design", "print_run", "rounds_table"]

_BAR = 10
_THEME = "ansi_dark"  # the terminal's own colours, readable on light and dark


def rounds_table(rounds: Sequence[Mapping[str, Any]], best: int | None) -> Table:
    """Returns rounds as a table, from the objects that ``--json`` lists; the best one is marked."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("round", justify="right")
    table.add_column("score")
    table.add_column("what changed, and what failed", ratio=1)
    table.add_column("calls", justify="right")
    table.add_column("cost", justify="right")
    for item in rounds:
        number, score = item["number"], item["score"]
        style = "bold green" if number == best else "" if item["valid"] else "red"
        filled = round(score * _BAR)
        # Text objects: what a model wrote must not be read as markup.
        what = Text(told(item["modification"], valid=item["valid"]))
        if item["failure"]:
            what.append(f"\n{one_line(item['failure'])}", "dim not bold")
        table.add_row(
            Text(f"{number}{'*' if number == best else ' '}"),
            Text(f"{'█' * filled}{'░' * (_BAR - filled)} {score:.2f}"),
            what,
            str(item["cost"]["model_calls"]),
            price(item["cost"]["usd"], item["cost"]["unpriced_calls"]),
            style=style,
        )
    return table


def print_design(result: Mapping[str, Any]) -> None:
    """Prints a finished design, from the object that ``--json`` prints."""
    from rich.console import Console
    from rich.rule import Rule
    from rich.text import Text

    console = Console(highlight=False)
    console.print(Rule("best workflow", align="left"))
    _print_code(console, result["workflow"])
    for name, text in result["prompts"].items():
        console.print(Text.assemble((f"{name}: ", "bold"), printable(text)))
    console.print(Rule("rounds", align="left"))
    console.print(rounds_table(result["rounds"], result["best_round"]))
    print_answer(result["answer"])
    console.print(Rule(style="dim"))
    for line in _summary(result):
        console.print(Text(line), soft_wrap=True)


def print_answer(answer: str) -> None:
    """Prints an answer, with colours when it is code."""
    from rich.console import Console
    from rich.rule import Rule

    console = Console(highlight=False)
    console.print(Rule("answer", align="left"))
    if _is_code(answer):
        _print_code(console, answer)
    else:
        console.print(printable(answer).rstrip(), markup=False, soft_wrap=True)


def _print_code(console: Console, code: str) -> None:
    """Prints code with colours on a terminal, and untouched into a pipe: no line may be broken there."""
    from rich.syntax import Syntax

    code = printable(code)
    if console.is_terminal:
        console.print(Syntax(code.rstrip(), "python", theme=_THEME, background_color="default", word_wrap=True))
    else:
        console.print(code.rstrip(), markup=False, soft_wrap=True)


def print_run(result: Mapping[str, Any], feedback: str) -> None:
    """Prints how an existing workflow did, from the object that ``--json`` prints and the feedback as text."""
    from rich.console import Console
    from rich.text import Text

    if result["answer"] is not None:
        print_answer(result["answer"])
    console = Console(highlight=False)
    console.print(Text(printable(feedback)), soft_wrap=True)
    for line in [*_verdict(result), *_provenance(result)]:
        console.print(Text(line), soft_wrap=True)


def _summary(result: Mapping[str, Any]) -> list[str]:
    judge = "by the metric" if result["tests"] == "metric" else "on the feedback tests"
    lines = [f"score {result['feedback_score']:.2f} {judge} (round {result['best_round']})"]
    if result["answer_feedback_score"] > result["feedback_score"]:
        lines[0] += f", the mean of its runs; {result['answer_feedback_score']:.2f} for this answer"
    lines += _verdict(result)
    if result["stopped"] == "budget":
        lines.append("stopped by the budget, in the middle of a round; --resume with a larger --budget-usd goes on")
    spent = price(result["cost_usd"], result["unpriced_calls"])
    cost = f"{result['calls']} model calls, {result['tokens']:,} tokens, {spent}"
    if result["cached_calls"]:
        cost += f" ({result['cached_calls']} calls from the cache, {money(result['cached_usd'])})"
    lines.append(f"{cost}, {clock(result['seconds'])}")
    lines += _provenance(result)
    if result["run"]:
        lines.append(f"stored as run {result['run']}")
    return lines


def _verdict(result: Mapping[str, Any]) -> list[str]:
    """Returns what the hidden tests said, and what the score is worth."""
    lines = []
    if result["hidden_score"] is not None:
        share = "all" if result["hidden_score"] >= 1.0 else f"{result['hidden_score']:.0%} of the"
        lines.append(f"final score {result['hidden_score']:.2f}: the answer passes {share} hidden tests")
    if result["leaky"]:
        lines.append("LEAKY: the tests that scored also steered the rounds")
    if result["tests"] == "written":
        lines.append("the worker wrote the feedback tests itself: the score says less than tests of yours would")
    return lines


def _provenance(result: Mapping[str, Any]) -> list[str]:
    """Returns where code ran, and whether a model was a tiny one, or simulated."""
    warning = "" if result["sandbox"]["isolated"] else ", which is no isolation"
    lines = [f"sandbox: {result['sandbox']['tier']}{warning}"]
    if uses_pair(*result["models"].values()):
        lines.append("models: the embedded pair, two tiny language models; --meta-agent and --worker name others")
    if result["simulated"]:
        roles = [role.replace("_", "-") for role in result["simulated_models"]]
        who = "no language model was used" if len(roles) == len(result["models"]) else f"the {roles[0]} is no model"
        lines.append(f"SIMULATED: {who}; pass {' and '.join(f'--{role}' for role in roles)} for the real thing")
    return lines


def _is_code(text: str) -> bool:
    return text.startswith(("def ", "class ", "import ", "from ", "async def ", "@")) or "\ndef " in text
