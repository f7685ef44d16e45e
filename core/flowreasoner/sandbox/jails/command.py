"""A check command and its folder: what is sent into a jail, and how to tell whether the command can be started."""

from __future__ import annotations

import io
import re
import shlex
import tarfile
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

from flowreasoner.errors import SandboxError

if TYPE_CHECKING:
    from flowreasoner.sandbox.suite import Suite

__all__ = ["NOT_STARTED", "pack", "probe"]

NOT_STARTED = {126, 127}
"""The shell's exit codes for a command that cannot be run, and for one that is not there. A program can end with
them too."""

_PLAIN = re.compile(r"[\w./+:@%,-]+")
_ASSIGNMENT = re.compile(r"\w+=.*", re.DOTALL)


def probe(command: str) -> str:
    """Returns a command that fails if the first word of another cannot be started, and runs nothing of it.

    Args:
        command: A command line for a shell.

    Returns:
        The command, empty if what is started cannot be told without running something.
    """
    words = shlex.shlex(command, posix=True, punctuation_chars=True)
    words.whitespace_split, words.commenters = True, ""
    for word in words:
        if _ASSIGNMENT.fullmatch(word) or not set(word) - set("()"):
            continue
        if not _PLAIN.fullmatch(word) or word.isdigit():  # digits are part of a redirection
            return ""
        # Landlock decides what may be opened, and has no say in what `command -v` and `-x` look at.
        return f'found=$(command -v -- {word}) && case $found in */*) [ -x "$found" ] && : < "$found";; esac'
    return ""


def pack(file: IO[bytes], suite: Suite, answer: bytes, disk_mib: int) -> None:
    """Writes an archive of the check's folder with the answer in it.

    Raises:
        SandboxError: If the folder cannot be copied or does not fit.
    """
    if suite.directory and (Path(suite.directory) / suite.answer_file).is_dir():
        raise SandboxError(f"cannot write {suite.answer_file!r} into the sandbox's folder: it is a folder")
    try:
        with tarfile.open(fileobj=file, mode="w") as archive:
            if suite.directory:
                archive.add(suite.directory, arcname=".")
            entry = tarfile.TarInfo(suite.answer_file)
            entry.size, entry.mtime = len(answer), int(time.time())
            archive.addfile(entry, io.BytesIO(answer))
    except OSError as error:
        raise SandboxError(f"cannot copy the check's folder {suite.directory!r}: {error}") from error
    if file.tell() > disk_mib << 20:
        raise SandboxError(
            f"the check's folder {suite.directory!r} is {file.tell() >> 20} MiB; the sandbox holds {disk_mib} MiB"
        )
    file.seek(0)
