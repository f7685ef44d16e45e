"""Grading a program by hand: where it may come from, and what judges it."""

import json

import pytest
from cli import invoke

QUERY = {"problem": "Double it.", "entry_point": "double", "tests": {"feedback": ["assert double(2) == 4"]}}
CODE = "def double(x):\n    return 2 * x\n"


@pytest.fixture
def query(tmp_path):
    path = tmp_path / "query.json"
    path.write_text(json.dumps(QUERY))
    return path


@pytest.mark.parametrize(
    "data",
    [
        CODE.encode(),
        b"\xef\xbb\xbf" + CODE.encode(),
        "# -*- coding: latin-1 -*-\nNAME = '\xe9'\n".encode("latin-1") + CODE.encode(),
        CODE.replace("\n", "\r\n").encode(),
    ],
    ids=["plain", "byte order mark", "declared encoding", "windows"],
)
@pytest.mark.parametrize("source", ["file", "standard input"])
def test_a_program_is_read_as_python_reads_it(tmp_path, query, data, source):
    path = tmp_path / "code.py"
    path.write_bytes(data)
    given = str(path) if source == "file" else "-"
    result = invoke("grade", given, "--query", str(query), "--json", input=data if source != "file" else None)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["passed"] is True


@pytest.mark.parametrize(
    ("data", "complaint"),
    [(b"x = '\xe9'\n", "no text in UTF-8"), (b"```python\n" + CODE.encode() + b"```\n", "without the fences")],
)
@pytest.mark.parametrize("source", ["file", "standard input"])
def test_what_is_no_program_is_a_usage_error(tmp_path, query, data, complaint, source):
    path = tmp_path / "code.py"
    path.write_bytes(data)
    given = str(path) if source == "file" else "-"
    result = invoke("grade", given, "--query", str(query), input=data if source != "file" else None)
    assert result.exit_code == 2
    assert complaint in result.stderr


def test_a_command_judges_with_a_folder_of_its_own(tmp_path, query):
    (tmp_path / "code.py").write_text(CODE)
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks" / "judge.py").write_text("from solution import double\nassert double(3) == 6\n")
    given = ["grade", str(tmp_path / "code.py"), "--query", str(query), "--check", "python3 judge.py"]
    assert invoke(*given).exit_code == 1
    assert invoke(*given, "--check-dir", str(tmp_path / "checks")).exit_code == 0
    result = invoke("grade", str(tmp_path / "code.py"), "--query", str(query), "--check-dir", str(tmp_path / "checks"))
    assert result.exit_code == 2
    assert "there is none" in result.stderr


def test_the_folder_of_a_query_file_is_beside_it(tmp_path, monkeypatch):
    (tmp_path / "code.py").write_text(CODE)
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks" / "judge.py").write_text("from solution import double\nassert double(3) == 6\n")
    tests = {"format": "command", "source": "python3 judge.py", "directory": "checks"}
    for name, folder in (("query.json", "checks"), ("wrong.json", "missing")):
        given = QUERY | {"tests": {"feedback": tests | {"directory": folder}}}
        (tmp_path / name).write_text(json.dumps(given))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert invoke("grade", "../code.py", "--query", "../query.json").exit_code == 0
    result = invoke("grade", "../code.py", "--query", "../wrong.json")
    assert result.exit_code == 2
    assert "'missing' is no folder" in result.stderr
