"""The folders of a run: filled before it, measured during it, and emptied after it."""

from __future__ import annotations

import contextlib
import os
import shutil
import time

__all__ = ["MOST_FILES", "empty", "files_and_bytes", "unpack"]

MOST_FILES = 10_000
"""How many files and folders a run may have."""


def unpack(descriptor: int) -> None:
    """Fills the working folder with the files that the host sent, each made with its mode, which cannot be changed."""
    import tarfile

    here = os.getcwd()
    with open(descriptor, "rb") as file, tarfile.open(fileobj=file) as archive:
        for member in archive:
            entry = tarfile.data_filter(member, here)
            content = archive.extractfile(entry) if entry.isreg() else None
            if entry.isdir():
                os.makedirs(entry.name, exist_ok=True)
            elif entry.issym():
                os.symlink(entry.linkname, entry.name)
            elif content is not None:
                os.makedirs(os.path.dirname(entry.name) or ".", exist_ok=True)
                flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
                with open(os.open(entry.name, flags, entry.mode or 0o600), "wb") as made:
                    shutil.copyfileobj(content, made)


def empty(folder: str, until: float) -> bool:
    """Makes a working folder as it was, and returns whether that could be done in time."""
    os.chmod(folder, 0o700)
    for attribute in os.listxattr(folder) if hasattr(os, "listxattr") else ():
        os.removexattr(folder, attribute)
    with os.scandir(folder) as entries:
        for entry in entries:
            if time.monotonic() > until:
                return False
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, onerror=_unlock)
                shutil.rmtree(entry.path, ignore_errors=True)
            else:
                os.unlink(entry.path)
    return not os.listdir(folder)


def _unlock(_: object, path: str, __: object) -> None:
    """Makes a folder accessible that the run has locked; the second attempt then removes it."""
    with contextlib.suppress(OSError):
        os.chmod(os.path.dirname(path), 0o700)
        if not os.path.islink(path):
            os.chmod(path, 0o700)


def files_and_bytes(folder: str) -> tuple[int, int]:
    """Returns how many files a folder holds, and of how many bytes together; of absurdly many, only that they are."""
    total, seen, folders = 0, 0, [folder]
    while folders:
        with contextlib.suppress(OSError), os.scandir(folders.pop()) as entries:
            for entry in entries:
                seen += 1
                if seen > MOST_FILES:
                    return seen, total
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                total += entry.stat(follow_symlinks=False).st_blocks * 512
    return seen, total
