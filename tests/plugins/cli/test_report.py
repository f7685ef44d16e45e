"""``flowreasoner report``: the file it writes, and what it says where it cannot."""

import pytest
from cli import invoke
from reports import a_bench, a_result, a_round, keep


@pytest.fixture
def store(tmp_path):
    path = tmp_path / "s.sqlite"
    keep(path, a_round(), result=a_result())
    return path


def test_the_last_run_is_shown_unless_another_is_named(store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = invoke("report", "--store", store)
    assert (result.exit_code, result.stderr) == (0, "")
    written = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert written.startswith("<!doctype html>")
    assert result.stdout == f"written: report.html ({len(written.encode()) // 1000} kB)\n"


def test_runs_and_benches_go_into_one_file(store, tmp_path):
    result = invoke("report", "last", a_bench(tmp_path / "bench"), "--store", store, "-o", tmp_path / "x.html")
    assert result.exit_code == 0, result.output
    assert "q/2" in (tmp_path / "x.html").read_text()


def test_a_bench_needs_no_store_of_its_own(tmp_path):
    result = invoke("report", a_bench(tmp_path / "bench"), "-o", tmp_path / "x.html", "--store", tmp_path / "none")
    assert result.exit_code == 0, result.output


def test_the_page_is_opened_when_asked_for(store, tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    assert invoke("report", "--store", store, "-o", tmp_path / "a page.html", "--open").exit_code == 0
    assert opened == [(tmp_path / "a page.html").as_uri()]


@pytest.mark.parametrize(
    ("arguments", "told", "code"),
    [
        (("nobody", "--store", "s.sqlite"), "no run matches 'nobody' in s.sqlite; `flowreasoner runs list`", 2),
        (("nobody", "--store", "s.sqlite"), "and 'nobody' is no folder of a bench", 2),
        (("last", "--store", "none.sqlite"), "no run matches 'last': there is no run store at none.sqlite", 2),
        (("last", "--store", "broken.sqlite"), "cannot open the run store broken.sqlite", 3),
        (("./none",), "'./none' is not there", 2),
        (("s.sqlite",), "'s.sqlite' is a file; give a run's id, or the folder", 2),
        (("empty",), "'empty' is no folder of a bench", 2),
        (("last", "--store", "s.sqlite", "-o", "empty"), "cannot write 'empty': Is a directory; give -o", 2),
        (("last", "--store", "s.sqlite", "-o", "no/x.html"), "cannot write 'no/x.html': No such file", 2),
    ],
)
def test_what_is_wrong_is_a_line_with_the_remedy(arguments, told, code, store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.sqlite").write_text("x" * 5000)
    result = invoke("report", *arguments)
    assert result.exit_code == code, result.output
    assert told in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not list(tmp_path.glob("*.html"))
