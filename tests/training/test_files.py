from pathlib import Path

import pytest
import torch

from flowreasoner.errors import TrainingError
from flowreasoner_training.files import NotWritten, guarded, write_atomically

full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
WEIGHTS = {"weights": torch.zeros(100_000)}


@full
@pytest.mark.parametrize(
    "write",
    [
        lambda: Path("/dev/full").write_text("text"),
        lambda: torch.save(WEIGHTS, "/dev/full"),
    ],
    ids=["text", "torch"],
)
def test_whatever_cannot_write_ends_in_one_error(write):
    with (
        pytest.raises(NotWritten, match=r"cannot write 'out': .*; make that possible") as caught,
        guarded(Path("out")),
    ):
        write()
    assert isinstance(caught.value, TrainingError)
    assert caught.value.path == Path("out")


def test_other_errors_pass():
    with pytest.raises(RuntimeError, match="shapes"), guarded(Path("out")):
        raise RuntimeError("shapes do not fit")


@full
def test_a_file_that_cannot_be_written_stays_as_it_was(tmp_path):
    file = tmp_path / "file"
    write_atomically(file, ["old\n"])
    (tmp_path / "file.part").symlink_to("/dev/full")
    with pytest.raises(NotWritten, match="No space left on device"):
        write_atomically(file, ["new\n"])
    assert file.read_text() == "old\n"
