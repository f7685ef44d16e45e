"""What a program returns or raises is cut to size in its session, before the host has to hold it."""

from __future__ import annotations

import secrets

__all__ = ["MOST_CROSSING", "Guard"]

MOST_CROSSING = 8 << 20
"""Characters of a result that are looked at."""

# The built-in names are parameters, since a program may well have a variable `len`.
_SIDE = """
def __short_SECRET__(BaseException, KeyboardInterrupt, RuntimeError, SystemExit, isinstance, len, type):
    def short(error):
        text = f"{error}"
        if len(text) < 1000:
            return error
        kind = SystemExit if isinstance(error, (SystemExit, KeyboardInterrupt)) else RuntimeError
        return kind(f"{type(error).__name__}: {text[:300]}")
    return short

__short_SECRET__ = __short_SECRET__(BaseException, KeyboardInterrupt, RuntimeError, SystemExit, isinstance, len, type)
__any_SECRET__ = BaseException
"""
_WRAPPED = """
try:
    __result_SECRET__ = {}
except __any_SECRET__ as __error_SECRET__:
    raise __short_SECRET__(__error_SECRET__)
__result_SECRET__
"""


class Guard:
    """Makes the code for one program's sessions.

    A value costs the host many times what it costs the session. What is left to a program is to hand large values
    to functions that are not there; their frames are held to 256 MiB by the interpreter and are never converted.
    """

    def __init__(self) -> None:
        self._secret = secrets.token_hex(8)  # a program cannot list the names of its session, so it cannot replace them

    def side(self, text: str = "") -> str:
        """Returns what a session needs before the program, with `text`, in which names may end in ``_SECRET__``."""
        return self._named(_SIDE + text)

    def load(self) -> str:
        """Returns code that runs the text ``__program__``."""
        return self._named(_WRAPPED.format("exec(__program__)"))

    def ask(self, expression: str) -> str:
        """Returns code whose result is an expression's text, whatever it is and of whatever length."""
        # Formatted, so that whatever the program puts in the way, it is a text that arrives.
        return self._named(_WRAPPED.format(f'f"{{{expression}}}"[:{MOST_CROSSING + 1}]'))

    def _named(self, text: str) -> str:
        return text.replace("_SECRET__", f"_{self._secret}__")
