"""Every file in examples/ runs as a user runs it."""

import subprocess
import sys
from pathlib import Path

import pytest
from cli import SIMULATED, invoke

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.mark.slow
@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_an_example_runs(example, tmp_path):
    ran = subprocess.run(
        [sys.executable, "-W", "error", str(example)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip()
    assert not ran.stderr


def test_the_example_query_is_valid_and_solved():
    assert invoke("check", EXAMPLES / "query.yaml").exit_code == 0
    assert invoke("solve", *SIMULATED, EXAMPLES / "query.yaml", "--fail-under", 1, "-q").exit_code == 0
