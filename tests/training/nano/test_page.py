import re
import runpy
from copy import deepcopy
from pathlib import Path

import pytest
from outcomes import an_outcome, some_results

from flowreasoner_plugins.bench.tables import table
from flowreasoner_training.nano.page import render_page
from flowreasoner_training.nano.summary import summarise

RESULTS = some_results()
PAGE = render_page(RESULTS)


ROOT = Path(__file__).parents[3]


@pytest.mark.skipif(not (ROOT / "docs/miniature.md").exists(), reason="the miniature is not evaluated yet")
def test_the_page_in_the_repository_is_what_the_results_file_says():
    made = runpy.run_path(str(ROOT / "scripts" / "generate.py"), run_name="generate")
    assert (ROOT / "docs/miniature.md").read_text() == made["miniature_page"](), "run: python scripts/generate.py"


def rows_of(page, heading):
    section = page.split(f"## {heading}\n")[1].split("\n## ")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"]


def test_tables_are_whole():
    tables = re.findall(r"(?:^\|.*\n)+", PAGE, re.M)
    assert len(tables) >= 8
    for found in tables:
        assert len({line.count("|") for line in found.splitlines()}) == 1
    assert "\n\n\n" not in PAGE
    assert "nan" not in PAGE.lower().replace("nano", "")


def test_the_page_shows_what_the_file_says():
    changed = deepcopy(RESULTS)
    changed["summary"]["contenders"]["grpo"]["measures"]["passed"] = {"value": 0.123, "low": 0.1, "high": 0.156}
    row = next(row for row in rows_of(render_page(changed), "Who passes how much") if row[0].startswith("(d)"))
    assert row[1] == "12.3% [10.0%, 15.6%]"
    assert rows_of(PAGE, "The fixed workflow")[2:] == [["write it", "40.0%", "1.00"], ["**plan it**", "50.0%", "2.00"]]
    assert "| `runs/grpo@0123abcd` | `0123abcd01234567`" in PAGE
    assert "at most 4 rounds of 3 runs per\nquery and stopped at the first perfect round" in PAGE
    assert "![Share of held-out queries that pass, per contender](pictures/miniature-contenders.png)" in PAGE


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.01, 0.2, "it holds that (d) > (c)"),
        (-0.1, 0.2, "it is not shown that (d) > (c)"),
        (-0.2, -0.1, "contradicted"),
    ],
)
def test_a_link_that_does_not_hold_is_said(low, high, said):
    changed = deepcopy(RESULTS)
    changed["summary"]["differences"] = [
        {"first": "grpo", "second": "sft", "measure": "passed", "value": 0.05, "low": low, "high": high, "p": 0.0001}
    ]
    page = render_page(changed)
    assert said in page
    (row,) = rows_of(page, "Differences")[2:]
    assert row[0] == "(d) − (c)"
    assert row[-1] == "< 0.001"


def test_slopes_have_their_sign():
    slopes = [row for row in rows_of(PAGE, "Workflows follow the query's depth") if row[0] == "per step"]
    assert len(slopes) == 4
    assert slopes[2][2:] == [
        "+0.00 [+0.00, +0.00]",
        "+1.00 [+1.00, +1.00]",
        "+0.00 [+0.00, +0.00]",
        "+2.00 [+2.00, +2.00]",
        "",
    ]


def test_a_page_without_depths_and_pictures_has_no_such_sections():
    plain = [an_outcome(query=f"q{number}", depth=None, complexity=None) for number in range(3)]
    page = render_page(some_results(summary=summarise(plain), pictures={}))
    assert "depth\n" not in page
    assert "![" not in page


def test_a_table_is_markdown():
    assert table(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | ---: |\n| 1 | 2 |\n"
