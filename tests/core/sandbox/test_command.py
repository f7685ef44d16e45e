"""How it is found out whether a check command can be started, without running it."""

import subprocess

import pytest

from flowreasoner.sandbox.jails.command import probe


@pytest.mark.parametrize(
    ("command", "starts"),
    [
        ("sh -c 'exit 127'", True),
        ("A=1 B='x y' sh solution.sh", True),
        ("(cd /tmp; sh solution.sh)", True),
        ("cd /tmp&&sh solution.sh", True),
        ("! true", None),
        ("if true; then false; fi", True),
        ("no-such-tool --check", False),
        ("A=1 no-such-tool", False),
        ("./no-such-file", False),
        ("/etc/passwd", False),
        ("$PYTHON solution.py", None),
        ("`sh solution.sh` x", None),
        ("$(sh solution.sh)", None),
        ("2>/dev/null sh solution.sh", None),
        ("'a b' solution.py", None),
        ("A=1", None),
        ("\\'; touch made; '", None),
    ],
)
def test_only_the_first_word_of_a_command_is_looked_for(tmp_path, command, starts):
    (tmp_path / "solution.sh").write_text("touch made")
    asked = probe(command)
    assert bool(asked) is (starts is not None)
    if asked:
        ran = subprocess.run(["sh", "-c", asked], cwd=tmp_path, capture_output=True)
        assert (ran.returncode == 0) is starts
    assert not (tmp_path / "made").exists()
