"""One budget for many design runs: what was really paid counts, once, whatever was interrupted and gone on with."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from flowreasoner.budget import Budget, Meter
from flowreasoner.errors import BudgetExceeded, ModelError
from flowreasoner.models.base import ModelWrapper

if TYPE_CHECKING:
    from flowreasoner.budget import Spending
    from flowreasoner.models import ChatModel, ChatRequest, Completion

__all__ = ["PaidModel", "Share", "Till"]


class Till(Meter):
    """Counts the money that models were paid.

    Args:
        usd: US dollars at most; None for no limit.
        paid: What was paid in earlier sessions.
    """

    def __init__(self, usd: float | None, paid: Spending) -> None:
        super().__init__(Budget.unlimited(usd=usd))
        self.pay(paid)

    def pay(self, spending: Spending) -> None:
        """Counts what is paid already: too much of it withholds the next request, and loses no answer."""
        with contextlib.suppress(BudgetExceeded):
            self.charge(spending)


class PaidModel(ModelWrapper):
    """A model that asks the till before each request. Behind a cache, so that only new requests are paid for.

    Args:
        model: The model.
        till: Pays for it.
    """

    def __init__(self, model: ChatModel, till: Till) -> None:
        super().__init__(model)
        self.till = till

    async def complete(self, request: ChatRequest) -> Completion:
        """Answers a request.

        Raises:
            BudgetExceeded: If the money is spent.
            ModelError: From the inner model.
        """

        def permit() -> None:
            self.till.permit()
            request.permit()

        permit()
        try:
            completion = await self.model.complete(replace(request, permit=permit))
        except ModelError as error:
            if error.spent is not None:
                self.till.pay(error.spent)
            raise
        self.till.pay(completion.spending)
        return completion


class Share(Meter):
    """Counts what one design run costs, cached answers included; it ends when the till is empty.

    Args:
        till: The money of all.
    """

    def __init__(self, till: Till) -> None:
        super().__init__(Budget.unlimited())
        self.till = till

    def check(self) -> None:
        """Looks whether the till has refused anything: what failed for that reason is no workflow's fault.

        Raises:
            BudgetExceeded: If it has.
        """
        self.till.check()
