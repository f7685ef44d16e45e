from outcomes import an_outcome

from flowreasoner_plugins.bench.progress import LiveProgress, PrintedProgress


def test_progress_says_how_far_it_is_and_how_long_it_takes(capsys):
    progress = PrintedProgress("test", every_s=0)
    progress(an_outcome(passed=0.0), 11, 20)
    progress(an_outcome(), 12, 20)
    line = capsys.readouterr().err.splitlines()[1]
    assert line.startswith("test: 12 of 20 attempts, passed: sft 0.50; about 0.0 s left")


def test_the_live_table_has_a_line_for_each_designer():
    progress = LiveProgress("demo")
    progress(an_outcome(contender="cot", passed=0.0, model_calls=1), 1, 4)
    progress(an_outcome(contender="cot", model_calls=3), 2, 4)
    progress(an_outcome(contender="vanilla", leaky=True), 3, 4)
    table = progress.table()
    assert str(table.title).startswith("demo: 3 of 4 attempts, about ")
    cells = [list(column.cells) for column in table.columns]
    assert (cells[0], cells[1], cells[2], cells[3][0]) == (["cot", "vanilla"], ["2", "1"], ["50.0%", "100.0%"], "2.0")
    assert [row.style for row in table.rows] == [None, "red"]
