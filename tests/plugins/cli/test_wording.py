import pytest
from cli import invoke

from flowreasoner_plugins.cli.wording import clock, money, one_line, printable, told


@pytest.mark.parametrize(("usd", "text"), [(0, "$0.00"), (0.00042, "$0.0004"), (0.5, "$0.5000"), (12.345, "$12.35")])
def test_small_amounts_have_more_digits(usd, text):
    assert money(usd) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.44, "0.4 s"), (9.97, "10 s"), (59, "59 s"), (61, "1:01"), (3_725, "62:05")]
)
def test_minutes_are_written_from_one_minute_on(seconds, text):
    assert clock(seconds) == text


def test_a_round_is_told_in_a_line_and_refused_only_if_it_was():
    assert told("add\n tests", valid=True) == "add tests"
    assert told("", valid=True) == "not described"
    assert told("add tests", valid=False) == "refused: add tests"
    assert told("", valid=False) == "refused"
    assert len(told("class Workflow: " * 100, valid=True)) == 200


def test_foreign_text_cannot_steer_the_terminal():
    assert printable("a\x1b[2Jb\x07\x9b\n\tc\u202ed") == "a\\x1b[2Jb\\x07\\x9b\n\tc\\u202ed"
    assert one_line(" a\n b\r\x1bc") == "a b \\x1bc"


def test_what_a_query_and_a_workflow_say_is_printed_without_controls(tmp_path):
    query = tmp_path / "q.json"
    query.write_text('{"id": "a\\u001b]0;x\\u0007", "problem": "p\\u001b[2J", "check": "true"}')
    graph = tmp_path / "graph.py"
    graph.write_text("class Workflow:\n    async def __call__(self, problem):\n        return problem + '\\x1b[31m'\n")
    result = invoke("run", graph, query, "--worker", "sim:", "--evaluations", 1)
    assert result.exit_code == 0, result.output
    assert "\\x1b" in result.output
    assert "\x1b" not in result.output
    assert "\x07" not in result.output
