from outcomes import an_outcome

from flowreasoner_plugins.bench.progress import PrintedProgress


def test_progress_says_how_far_it_is_and_how_long_it_takes(capsys):
    progress = PrintedProgress("test", every_s=0)
    progress(an_outcome(passed=0.0), 11, 20)
    progress(an_outcome(), 12, 20)
    line = capsys.readouterr().err.splitlines()[1]
    assert line.startswith("test: 12 of 20 attempts, passed: sft 0.50; about 0.0 s left")
