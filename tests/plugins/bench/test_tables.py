import io

from bench_cells import cell, designer
from rich.console import Console

from flowreasoner_plugins.bench.tables import dearer, fittings, heading, markdown, not_ahead, pairs, results, terminal


def test_the_best_designer_comes_first_and_prices_are_honest():
    head, rows = results(cell())
    assert [row[0] for row in rows] == ["c", "a|b"]
    shown = dict(zip(head, rows[0], strict=True))
    assert (shown["pass@1"], shown["USD"], shown["tokens"]) == ("60.0% [50.0%, 70.0%]", "$0.2500", "4")
    assert dict(zip(head, rows[1], strict=True))["USD"] == "price unknown"


def test_a_comparison_is_turned_so_that_the_better_one_is_first():
    (row,) = pairs(cell())[1]
    assert row == ["c − a|b", "+20.0% [+0.0%, +30.0%]", "0.5000", "4 against 1"]


def test_what_leaks_and_what_is_simulated_is_told_first():
    leaky = cell(designers={"a": designer(0.5, leaky=1.0)}, simulated=["worker"], pairs=[])
    told = heading(leaky)
    assert told[0].startswith("SIMULATION: worker simulated")
    assert told[-1].startswith("LEAKY")
    assert results(leaky)[0][-1] == "leaky"
    page = markdown({"command": "flowreasoner bench demo", "cells": [leaky]})
    assert "**SIMULATION" in page
    assert "**LEAKY" in page


def test_queries_that_were_not_tried_are_named_by_their_reason():
    why = {f"q{number}": "it needs numpy" for number in range(7)} | {"x": "the problem of 'x' has no examples"}
    told = heading(cell(not_run=why))
    assert "Not tried, and not counted: 7 (q0, q1, q2, q3, q4, …), as it needs numpy." in told
    assert "Not tried, and not counted: 1 (x), as the problem of the query has no examples." in told


def test_names_cannot_break_a_table():
    page = markdown({"command": "flowreasoner bench demo", "cells": [cell()]})
    rows = [line for line in page.splitlines() if line.startswith("| a")]
    assert rows[0].startswith(r"| a\|b |")
    assert "worker `openai:m`" in page


def test_the_terminal_shows_it_within_80_characters():
    console = Console(width=80, file=io.StringIO())
    console.print(terminal(cell()))
    lines = console.file.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert any("60.0% [50.0%, 70.0%]" in line for line in lines)


FITTED = {
    "seed": 0,
    "model_calls": 1200,
    "tokens": 34567,
    "usd": 0.0,
    "unpriced_calls": 3,
    "seconds": 75.0,
    "facts": {"best_round": 3, "validation_score": 0.8125, "scores": {"1": 0.5}, "best": "a\nb"},
}


def test_fittings_are_told_with_their_cost_and_what_came_of_them():
    own = cell(fitting={"aflow": [FITTED, FITTED | {"seed": 1}]}, fitted_on=["own", 20])
    head, rows = fittings(own)
    assert [row[:2] for row in rows] == [["aflow", "0"], ["aflow", "1"]]
    shown = dict(zip(head, rows[0], strict=True))
    assert (shown["calls"], shown["tokens"], shown["USD"], shown["time"]) == (
        "1,200",
        "34,567",
        "price unknown",
        "1:15",
    )
    assert shown["came to"] == "best round 3, validation score 0.812, best a b"
    page = markdown({"command": "c", "stands_for": "d", "cells": [own]})
    assert "That stands for:\n\n```sh\nd\n```" in page
    assert page.index("### Fitting") > page.index("| designer |")
    assert "aflow: fitted 2 times, with different seeds, on 20 queries of own; none of them is tried." in page
    assert fittings(cell())[1] == []
    assert "Fitting" not in markdown({"command": "c", "cells": [cell()]})


def test_what_a_model_wrote_stays_in_its_cell():
    hostile = "x | y <img src=z> ![a](http://b)\x1b[31m" + "long " * 100
    own = cell(fitting={"adas": [FITTED | {"facts": {"best": hostile}}]}, fitted_on=["own", 20])
    (row,) = [line for line in markdown({"command": "c", "cells": [own]}).splitlines() if line.startswith("| adas")]
    assert r"x \| y &lt;img src=z> ![a]\(http://b)\x1b" in row
    assert len(row) < 200


def against(**others):
    """Returns a cell's pairs of flowreasoner with others, each with its difference and its interval."""
    made = []
    for number, (name, (value, low, high)) in enumerate(others.items()):
        first, second = (name, "flowreasoner") if number % 2 else ("flowreasoner", name)
        numbers = (-value, -high, -low) if number % 2 else (value, low, high)
        made.append(dict(zip(("first", "second", "value", "low", "high"), (first, second, *numbers), strict=True)))
    return {"pairs": made}


def test_it_is_said_where_flowreasoner_is_not_ahead():
    ahead, behind, alike = (0.2, 0.1, 0.3), (-0.2, -0.3, -0.1), (0.1, 0.0, 0.2)
    told = not_ahead(against(a=ahead, b=behind, c=alike, d=behind))
    assert told == (
        "flowreasoner is not ahead everywhere: it is behind b (-20.0%), d (-20.0%), and not told apart from c (+10.0%)."
    )
    assert not_ahead(against(a=ahead, b=ahead)) == "flowreasoner is ahead of all others."
    assert not_ahead(cell()) == ""
    assert told in heading(cell(**against(a=ahead, b=behind, c=alike, d=behind)))


def test_what_flowreasoner_takes_is_told_beside_the_best_of_the_others():
    dear = designer(0.9)
    dear["per_query"] = dear["per_query"] | {"worker_tokens": 3000.0, "meta_tokens": 5000.4}
    made = cell(designers={"a": designer(0.4), "flowreasoner": dear, "b": designer(0.5)})
    told = "flowreasoner takes 8,000 tokens a query; b, the best of the others, takes 4."
    assert dearer(made) == told
    assert told in heading(made)
    assert dearer(cell()) == dearer(cell(designers={"flowreasoner": dear})) == ""
