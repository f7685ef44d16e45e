"""Functions under test in the interpreter: a program in one session, and its tests in another."""

from __future__ import annotations

import keyword
import time
from typing import TYPE_CHECKING, Any

import pydantic_monty as monty

from flowreasoner.sandbox.events import Events
from flowreasoner.sandbox.interpreted.code import (
    JUDGE_SIDE,
    PROGRAM_SIDE,
    adapted,
    explained,
    is_limit,
    names_of,
)
from flowreasoner.sandbox.interpreted.guard import MOST_CROSSING, Guard
from flowreasoner.sandbox.interpreted.session import TIER, Lost, Printed, Session, said
from flowreasoner.sandbox.verdict import Usage, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from flowreasoner.sandbox.base import Limits
    from flowreasoner.sandbox.interpreted.session import Leash, Pools
    from flowreasoner.sandbox.suite import Suite
    from flowreasoner.sandbox.verdict import Status

__all__ = ["SuiteRun"]


class _SetupFailed(Exception):
    pass


class SuiteRun:
    """Grades one program with asserts or a check function; every method blocks.

    Args:
        pools: Where the sessions' processes come from.
        limits: What the run may use.
        leash: What may end the run from outside.
        code: The program.
        suite: Its tests.
    """

    def __init__(self, pools: Pools, limits: Limits, leash: Leash, code: str, suite: Suite) -> None:
        self._pools, self._limits, self._leash, self._suite = pools, limits, leash, suite
        self._code = adapted(code, script=False)
        self._guard = Guard()
        self._printed = Printed(limits.output_kib << 10)
        self._events = Events(len(suite))
        self._program: Session | None = None
        self._judge: Session | None = None
        self._starts = 0
        self._test: int | None = None
        self._spent_s = 0.0
        self._trouble = ""
        self._between: Lost | None = None  # the first that no test was under way for
        self._status: Status = "ok"
        self._began = time.monotonic()

    def verdict(self) -> Verdict:
        """Runs the tests and returns what came of them.

        Raises:
            SandboxError: If the interpreter itself fails.
            Ended: If the caller has given the run up.
        """
        ending = ""
        try:
            self._run()
        except Lost as lost:
            self._status, ending = ("timeout" if lost.outcome == "timeout" else "died"), lost.detail
        finally:
            self._close_program()
            self._close_judge()
        tests = self._events.results(self._suite, timed_out=self._status == "timeout", ending=ending)
        usage = Usage(time.monotonic() - self._began)
        return Verdict(tests, self._status, TIER, "separated", self._printed.text("stdout"), usage)

    def _run(self) -> None:
        try:
            self._start_program()
            self._open_judge()
        except monty.MontyError as error:
            self._events.add({"load_error": explained(said(error))})
            return
        except _SetupFailed as error:
            self._events.add({"load_error": f"the tests' setup: {error}"})
            return
        if self._suite.format == "check":
            self._run_check()
        else:
            self._run_asserts()
        if self._between is not None:  # the tests may have caught what it raised, and gone on
            self._events.add({"stopped": self._between.detail})
            self._status = "timeout" if self._between.outcome == "timeout" else "died"
        self._events.add({"done": True})

    # --- the program -----------------------------------------------------------------------------------------

    def _start_program(self) -> Session:
        self._starts += 1
        limits = self._limits
        self._program = program = Session(
            self._pools.programs, self._leash, limits, self._printed, turn_s=limits.test_s, feed_s=limits.test_s
        )
        program.feed(self._guard.side(PROGRAM_SIDE), limits.test_s)
        self._feed_program(program, self._guard.load(), __program__=self._code, __name__="solution")
        return program

    def _close_program(self) -> None:
        if self._program is not None:
            self._program.close()
            self._program = None

    def _feed_program(self, program: Session, code: str, **given: Any) -> monty.MontyComplete:
        """Runs code in the program's session, and closes a session that does not survive it."""
        try:
            return program.feed(code, self._limits.test_s, **given)
        except Lost:
            self._close_program()
            raise
        except monty.MontyError as error:
            if isinstance(error.exception(), SystemExit | KeyboardInterrupt):
                self._close_program()
                raise Lost("error", f"the program ended the run: {said(error)}") from None
            raise

    def _in_program(self, code: str, **given: Any) -> str:
        """Returns the text of an expression in the program's session, which is started anew if it has ended."""
        if self._program is None and self._starts > self._limits.restarts:
            raise Lost("not_reached", f"the program has ended, or was ended, {self._starts} times")
        program = self._program or self._start_program()
        began = time.monotonic()
        try:
            text: str = self._feed_program(program, self._guard.ask(code), **given).output
        finally:
            self._spent_s += time.monotonic() - began
        if self._spent_s > self._limits.test_s:
            self._close_program()
            raise Lost("timeout", f"took longer than {self._limits.test_s:g} s")
        return text

    # --- what the judge asks ---------------------------------------------------------------------------------

    @property
    def _answers(self) -> dict[str, Callable[[tuple[Any, ...]], Any]]:
        return {"__ask__": self._call, "__tell__": self._note}

    def _call(self, args: tuple[Any, ...]) -> Any:
        """Calls a function of the program."""
        match args:
            case (str(name), str(given)) if name.isidentifier() and not keyword.iskeyword(name):
                pass
            case _:
                return {"exception": TypeError("not a call")}
        try:
            text = self._in_program(f"__reply_SECRET__({name}, __given__)", __given__=given)
        except Lost as lost:
            self._lose(lost)
            return {"exception": KeyboardInterrupt(lost.detail)}  # which tests do not catch by the way
        except monty.MontyError as error:
            raised = error.exception()
            plain = isinstance(raised, Exception) and len(str(raised)) < 1000
            return {"exception": raised if plain else RuntimeError(said(error))}
        if len(text) > MOST_CROSSING:
            return {"exception": ValueError("the program's result is too large to be compared")}
        return {"return_value": text}

    def _lose(self, lost: Lost) -> None:
        self._trouble = lost.detail
        if lost.outcome == "error":
            self._status = "died"
        if self._test is not None:
            self._events.add({"site": self._test, "outcome": lost.outcome, "detail": lost.detail})
        elif self._between is None:
            self._between = lost

    def _note(self, args: tuple[Any, ...]) -> Any:
        """Takes in how a test came out."""
        match args:
            case (int(number), "started", _):
                self._begin(number)
            case (int(number), str(outcome), str(detail)):
                told = explained(detail) if outcome == "error" else detail
                self._events.add({"site": number, "outcome": outcome, "detail": told})
                if self._suite.format == "check":
                    self._begin(None)
        return {"return_value": None}

    def _begin(self, number: int | None) -> None:
        self._test, self._spent_s, self._trouble = number, 0.0, ""
        if number is not None:
            self._events.add({"site": number, "outcome": "started"})

    # --- the tests -------------------------------------------------------------------------------------------

    def _feed_judge(self, code: str, **given: Any) -> None:
        judge = self._judge or self._open_judge()
        try:
            judge.feed(code, self._left_s, self._answers, **given)
        except Lost as lost:
            self._close_judge()
            if self._left_s <= 0:
                ending = f"the run was stopped at its time limit of {self._limits.wall_s:g} s"
                raise Lost("timeout", ending) from None
            raise Lost(lost.outcome, f"the tests {lost.detail}") from None

    @property
    def _left_s(self) -> float:
        return self._began + self._limits.wall_s - time.monotonic()

    def _open_judge(self) -> Session:
        limits = self._limits
        self._judge = judge = Session(
            self._pools.judges, self._leash, limits, Printed(0), turn_s=limits.test_s, feed_s=limits.wall_s
        )
        try:
            self._prepare_judge()
        except BaseException:
            self._close_judge()
            raise
        return judge

    def _prepare_judge(self) -> None:
        suite = self._suite
        self._feed_judge(JUDGE_SIDE)
        imports, wanted = names_of(suite)
        for code in imports:
            self._bind(code)
        for name in wanted:
            self._bind_program(name)
        entry = suite.entry_point
        if entry:
            self._bind_program(entry, "candidate", needed=True)
        try:
            self._feed_judge(suite.setup)
        except monty.MontyError as error:
            raise _SetupFailed(explained(said(error))) from None
        if entry:
            self._feed_judge(f"{entry} = candidate")  # the setup may hold an empty one, as HumanEval's does

    def _bind(self, code: str, **given: Any) -> None:
        try:
            self._feed_judge(code, **given)
        except monty.MontyError:
            return  # whatever needs it will say so

    def _bind_program(self, name: str, alias: str = "", *, needed: bool = False) -> None:
        try:
            text = self._in_program(f"__show_SECRET__({name})")
        except monty.MontyError:
            if needed:
                raise
            return
        finally:
            self._spent_s = 0.0
        self._bind(f"{alias or name} = __program__({name!r}, __shown__)", __shown__=text)

    def _close_judge(self) -> None:
        if self._judge is not None:
            self._judge.close()
            self._judge = None

    def _run_check(self) -> None:
        try:
            self._feed_judge(self._suite.body)
            self._feed_judge("check(candidate)")
        except monty.MontyError as error:
            stopped = self._trouble or said(error)
            self._events.add({"stopped": explained(stopped)})
            if is_limit(stopped):
                for number in set(range(len(self._suite))) - set(self._events.outcomes):
                    self._note((number, "error", stopped))

    def _run_asserts(self) -> None:
        for number, case in enumerate(self._suite.cases):
            self._begin(number)
            try:
                self._feed_judge(case.program, __number__=number)
            except (monty.MontyError, _SetupFailed) as error:
                if not self._trouble:
                    self._note((number, "error", said(error)))
            except Lost as lost:
                if self._left_s <= 0:
                    raise
                self._note((number, lost.outcome, lost.detail))
        self._begin(None)
