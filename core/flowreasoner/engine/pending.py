"""Values that are still being computed: promises of operator calls, and operations postponed on them.

Only what cannot fail is postponed (reading a declared key, building strings): so a workflow that ends in an
error of its own ends at the same point as the sequential program, with the same calls made.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CallFailure", "Lazy", "Original", "Pending", "Promise"]

_UNSET = object()


class CallFailure(BaseException):
    """A call failed that was started before any `try` that is being run now.

    Not an `Exception`, so that no handler catches it: in the sequential program the failure would have come
    before the `try` was entered.
    """

    def __init__(self, error: BaseException) -> None:
        self.error = error
        super().__init__(str(error))


class Pending:
    """Base of values that are not there yet.

    Attributes:
        kind: `str` or `bool` where the value's type is certain, else None.
        depth: Length of the longest chain of postponed operations that it stands on.
    """

    __slots__ = ("depth", "kind")
    kind: type | None
    depth: int

    async def value(self) -> Any:
        """Waits for the value."""
        raise NotImplementedError


class Promise(Pending):
    """The result of a started call.

    Args:
        task: The running call; its result is handed over as it is.
        outputs: Type by key of an operator's result dictionary; None for other results.
    """

    __slots__ = ("_taken", "outputs", "task")

    def __init__(self, task: asyncio.Task[Any], outputs: dict[str, type] | None = None) -> None:
        self.kind, self.depth = None, 0
        self.task, self.outputs = task, outputs
        self._taken: Any = _UNSET

    @property
    def untouched(self) -> bool:
        """True until the program got hold of the result itself, which it may then change."""
        return self._taken is _UNSET

    @property
    def taken(self) -> Any:
        """The result that the program holds; only once it is no longer untouched."""
        return self._taken

    async def value(self) -> Any:
        """Waits for the result and hands it to the program, which may change it."""
        if self._taken is _UNSET:
            result = await self.result()
            if self._taken is _UNSET:
                self._taken = dict(result) if self.outputs is not None else result
        return self._taken

    async def result(self) -> Any:
        """Waits for the result as the call gave it, whatever the program does to its own copy."""
        try:
            return await asyncio.shield(self.task)
        except asyncio.CancelledError:
            if self.task.cancelled():
                raise CallFailure(RuntimeError("the call was cancelled")) from None
            raise
        except CallFailure:
            raise
        except Exception as error:
            raise CallFailure(error) from error

    def field(self, key: str) -> Lazy:
        """Returns the postponed value of a declared key."""
        assert self.outputs is not None  # noqa: S101 - only asked of operator results
        return Lazy(lambda result: result[key], (self,), self.outputs[key])


class Original(Pending):
    """A call's result as the call gave it, for copies made before the program could change its own."""

    __slots__ = ("promise",)

    def __init__(self, promise: Promise) -> None:
        self.kind, self.depth = promise.kind, promise.depth
        self.promise = promise

    async def value(self) -> Any:
        """Waits for the result and returns a copy."""
        result = await self.promise.result()
        return dict(result) if self.promise.outputs is not None else result


class Lazy(Pending):
    """An operation that cannot fail, postponed until one of its operands is there.

    Args:
        compute: Called with the operands' values.
        operands: Values, pending or not; containers among them must be private copies.
        kind: Type of the result.
    """

    __slots__ = ("_value", "compute", "operands")

    def __init__(self, compute: Callable[..., Any], operands: tuple[Any, ...], kind: type) -> None:
        self.kind = kind
        self.depth = 1 + max((operand.depth for operand in operands if isinstance(operand, Pending)), default=0)
        self.compute, self.operands = compute, operands
        self._value: Any = _UNSET

    async def value(self) -> Any:
        """Waits for the operands and computes the value, once."""
        if self._value is _UNSET:
            values = []
            for operand in self.operands:
                if isinstance(operand, Promise):
                    operand = Original(operand)
                values.append(await operand.value() if isinstance(operand, Pending) else operand)
            self._value = self.compute(*values)
            self.operands = ()
        return self._value
