"""The judge's lines: to the host, which is told what happens, and to the guest, which is asked for every call."""

from __future__ import annotations

import select
import socket
import time
from typing import TYPE_CHECKING

from . import wire

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

_SOON_S = 0.005


class GuestLost(BaseException):
    """Raised inside a test when the program ended or did not answer in time; no test can catch it unnoticed."""

    def __init__(self, outcome: str, detail: str) -> None:
        super().__init__(detail)
        self.outcome, self.detail = outcome, detail


class Host:
    """The line to the host: events, which are kept until something has to be said, and requests.

    Args:
        channel: Connection to the host.
    """

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._events: list[dict[str, Any]] = []

    def emit(self, **event: object) -> None:
        """Notes one event."""
        self._events.append(event)

    def flush(self, **last: object) -> None:
        """Sends the events."""
        if self._events or last:
            wire.send(self._channel, {"events": self._events, **last})
            self._events = []

    def ask(self, what: str) -> tuple[dict[str, Any], list[int]]:
        """Asks the host about the guest: is it ``late``, was it ``lost``, or give a ``fresh`` one."""
        self.flush(ask=what)
        return wire.receive_with_descriptors(self._channel)


class GuestLine:
    """The line to the guest, with the clock that runs while the judge waits for it.

    Args:
        host: Who can tell what became of the guest.
        channel: Connection to the first guest.
        test_s: Wall-clock seconds that a test may wait for the program.

    Attributes:
        generation: Number of the guest; a program that ended is started anew, a few times.
        test: Number of the running test, None between tests.
        trouble: What happened to the guest during the running test, if anything.
        trouble_between: What happened to it between tests, where no test's code may forget it.
        steady: Whether the first guest has done all that it was asked to.
    """

    def __init__(self, host: Host, channel: socket.socket, test_s: float) -> None:
        self._host, self._test_s = host, test_s
        self._channel: socket.socket | None = channel
        self._deadline: float | None = None
        self.generation = 1
        self.test: int | None = None
        self.trouble: GuestLost | None = None
        self.trouble_between: GuestLost | None = None
        self.steady = True

    def begin(self, test: int | None) -> None:
        """Starts a test's time."""
        self.test, self.trouble = test, None
        self._deadline = time.monotonic() + self._test_s

    def load(self) -> str:
        """Waits until the program is loaded, and returns why it could not be, or an empty text."""
        self._deadline = None  # loading has the whole run's time
        message = self._receive()
        return str(message["load_error"]) if "load_error" in message else ""

    def ready(self) -> None:
        """Makes sure that there is a guest: one that has ended is started anew, a few times."""
        if self._channel is None:
            self._start_anew()

    def ask(self, request: dict[str, Any], answer: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
        """Sends a request and returns the guest's reply; see `flowreasoner.sandbox.inside.program.Line`."""
        if self.test is None:
            self._deadline = time.monotonic() + self._test_s
        try:
            return self._exchange({**request, "test": self.test}, answer)
        except GuestLost:
            raise
        except BaseException:
            self.steady = False
            self.hang_up()  # whatever is still to come on this line would be taken for something else
            raise

    def _exchange(self, request: dict[str, Any], answer: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
        self._send(request)
        while True:
            message = self._receive()
            if "ask" in message:
                self._send(answer(message))
            elif message.get("to") == request["ask"] and ("value" in message or "raised" in message):
                return message
            else:
                raise wire.WireError("the program answered what it was not asked")

    def _start_anew(self) -> None:
        reply, descriptors = self._host.ask("fresh")
        if not descriptors:
            raise self._lost("not_reached", str(reply.get("detail")))
        self._channel = socket.socket(fileno=descriptors[0])
        self.generation += 1
        failed = self.load()
        if failed:
            raise self._lost("error", failed)
        self._deadline = time.monotonic() + self._test_s

    def _send(self, message: dict[str, Any]) -> None:
        frame = wire.pack(message)
        try:
            self._open.sendall(frame)
        except OSError:
            self._explain()

    @property
    def _open(self) -> socket.socket:
        if self._channel is None:
            raise EOFError
        return self._channel

    def _receive(self) -> dict[str, Any]:
        """Returns the next message of the guest.

        Raises:
            GuestLost: If it ended, is out of time, or sent what is no message.
        """
        try:
            message: object = wire.unpack(self._exactly(wire.length(self._exactly(4))))
            if isinstance(message, dict):
                return message
            raise wire.WireError("not a message")
        except (EOFError, OSError):
            self._explain()
        except (wire.WireError, MemoryError) as error:
            self.hang_up()
            raise self._lost("error", f"the program answered out of turn: {error}") from None

    def _exactly(self, size: int) -> bytes:
        data, channel = bytearray(), self._open
        while len(data) < size:
            self._wait(channel)
            chunk = channel.recv(min(size - len(data), 1 << 16))
            if not chunk:
                raise EOFError
            data += chunk
        return bytes(data)

    def _wait(self, channel: socket.socket) -> None:
        if select.select([channel], [], [], _SOON_S)[0]:
            return
        self._host.flush()  # it may be a long wait, and the host should know of all before it
        while True:
            left = None if self._deadline is None else self._deadline - time.monotonic()
            if select.select([channel], [], [], left and max(left, 0))[0]:
                return
            reply, _ = self._host.ask("late")
            if "more" not in reply:
                self.hang_up()
                raise self._lost(reply["outcome"], reply["detail"])
            self._deadline = time.monotonic() + float(reply["more"])

    def _explain(self) -> NoReturn:
        """Raises what the host knows of the end of the guest."""
        self.hang_up()
        reply, _ = self._host.ask("lost")
        raise self._lost(reply["outcome"], reply["detail"])

    def hang_up(self) -> None:
        """Gives the guest up."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def _lost(self, outcome: str, detail: str) -> GuestLost:
        self.steady = False
        self.trouble = GuestLost(outcome, detail)
        if self.test is None:
            self.trouble_between = self.trouble
        return self.trouble
