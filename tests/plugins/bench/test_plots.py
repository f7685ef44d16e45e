import pytest

pytest.importorskip("matplotlib", reason="pictures are drawn with matplotlib: the extra benchmarks")

from bench_cells import cell, designer
from matplotlib.figure import Figure

from flowreasoner_plugins.bench.plots import draw


def drawn(summary, path, monkeypatch):
    figures = []
    real = Figure.savefig

    def save(figure, *args, **rest):
        figures.append(figure)
        real(figure, *args, **rest)

    monkeypatch.setattr(Figure, "savefig", save)
    draw(summary, path)
    assert path.read_bytes().startswith(b"\x89PNG")
    return [axes for axes in figures[0].axes if axes.get_visible()]


def test_each_cell_is_a_panel_with_a_point_for_each_designer(tmp_path, monkeypatch):
    panels = drawn({"cells": [cell(), cell(), cell()]}, tmp_path / "c.png", monkeypatch)
    assert len(panels) == 3
    assert [text.get_text() for text in panels[0].get_legend().get_texts()] == ["a|b", "c"]
    assert panels[0].get_xlabel() == "tokens per query (log scale)"


def test_dollars_are_drawn_where_all_have_a_price_and_marks_are_in_the_title(tmp_path, monkeypatch):
    priced = {"a": designer(0.5, usd=0.1, leaky=1.0), "b": designer(0.6, usd=0.2)}
    (panel,) = drawn({"cells": [cell(designers=priced, simulated=["worker"])]}, tmp_path / "c.png", monkeypatch)
    assert panel.get_xlabel() == "US dollars per query (log scale)"
    assert panel.get_title() == "SIMULATION, LEAKY: demo, worker openai:m"
