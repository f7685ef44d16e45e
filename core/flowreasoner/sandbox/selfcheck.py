"""Tries what a tier must prevent, and says whether it was prevented: a forbidden open, connection and signal."""

from __future__ import annotations

import json
import os
import secrets
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from flowreasoner.errors import SandboxError

if TYPE_CHECKING:
    from flowreasoner.sandbox.verdict import RunOutput

__all__ = ["Attempt", "refuse_if_open", "try_forbidden"]

_PROGRAM = """
import json, os
done = {}
def attempt(name, act):
    try:
        done[name] = "done" if act() else "nothing"
    except BaseException as error:
        done[name] = f"{type(error).__name__}: {error}"
def connect():
    import socket
    with socket.create_connection(("127.0.0.1", PORT), timeout=2):
        return True
attempt("read a file of yours", lambda: open(FILE).read() == SECRET)
attempt("write beside it", lambda: open(FILE + ".new", "w").write("x"))
attempt("connect to a local port", connect)
attempt("signal your process", lambda: PID != os.getpid() and os.kill(PID, 0) is None)
print(json.dumps(done))
"""


class Runs(Protocol):
    """Whatever runs scripts."""

    async def run(self, code: str, stdin: str = "") -> RunOutput:
        """Runs a program."""
        ...


@dataclass(frozen=True, slots=True)
class Attempt:
    """One thing that was tried.

    Attributes:
        what: What it was.
        succeeded: Whether the sandbox let it happen.
        detail: What the program was told.
    """

    what: str
    succeeded: bool
    detail: str


async def try_forbidden(sandbox: Runs) -> list[Attempt]:
    """Lets a program try to read a file, write one, open a connection and send a signal, outside the sandbox.

    Raises:
        SandboxError: If the program could not be run at all.
    """
    secret = secrets.token_hex(8)
    with tempfile.TemporaryDirectory(prefix="flowreasoner_check_") as folder, socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        file = Path(folder) / "secret"
        file.write_text(secret)
        os.chmod(folder, 0o777)  # noqa: PTH101, S103 - what keeps the program out must be the sandbox
        os.chmod(file, 0o666)  # noqa: PTH101, S103
        program = _PROGRAM
        values = {"PORT": listener.getsockname()[1], "FILE": str(file), "SECRET": secret, "PID": os.getpid()}
        for name, value in values.items():
            program = program.replace(name, repr(value))
        ran = await sandbox.run(program)
    try:
        done = json.loads(ran.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError):
        raise SandboxError(f"a program that tries the sandbox could not run: {ran.stderr.strip()[-300:]}") from None
    return [Attempt(what, detail == "done", detail) for what, detail in done.items()]


async def refuse_if_open(tier: str, sandbox: Runs) -> None:
    """Refuses a tier that calls itself isolated and is not.

    Raises:
        SandboxError: If anything forbidden succeeded.
    """
    open_ = [attempt.what for attempt in await try_forbidden(sandbox) if attempt.succeeded]
    if open_:
        raise SandboxError(f"the sandbox tier {tier!r} let a program {' and '.join(open_)}; it is not used")
