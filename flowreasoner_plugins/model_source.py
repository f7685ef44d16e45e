"""Models for many queries at once: one for all, or one for each where a model knows its query."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowreasoner.models import ChatModel
from flowreasoner_plugins.cli.inputs import make_model

if TYPE_CHECKING:
    from flowreasoner.models.uri import ModelRole
    from flowreasoner.query import Query
    from flowreasoner_plugins import Plugins

__all__ = ["ModelSource"]


class ModelSource:
    """Gives the model for a query.

    Args:
        given: The model, or its URI.
        role: What it is for.
        plugins: Where schemes come from.
        need_price: Whether a budget in dollars has to hold.

    Raises:
        ModelRefused: If the URI cannot be used, or the price is needed and not known.
    """

    def __init__(self, given: ChatModel | str, role: ModelRole, plugins: Plugins, *, need_price: bool = False) -> None:
        self._role: ModelRole = role
        self._plugins, self._need_price = plugins, need_price
        self._uri = given if isinstance(given, str) else ""
        self._made: list[ChatModel] = []
        self._shared = given if isinstance(given, ChatModel) else self._make(None, 0)

    @property
    def name(self) -> str:
        """The URI, or the name of the model that was given."""
        return self._uri or self._shared.name

    @property
    def simulated(self) -> bool:
        """Whether there is no model behind it."""
        return self._shared.simulated

    def of(self, query: Query, seed: int = 0) -> ChatModel:
        """Returns the model for a query.

        Args:
            query: What is asked.
            seed: Seed of the design run; draws carry it, so that only models that know their query need it.
        """
        if self._uri and _knows_its_query(self._shared):
            return self._make(query, seed)
        return self._shared

    async def aclose(self) -> None:
        """Closes the models that this made."""
        for model in self._made:
            await model.aclose()

    def _make(self, query: Query | None, seed: int) -> ChatModel:
        model = make_model(self._plugins, self._uri, self._role, query, seed, need_price=self._need_price)
        if not self._made or not _knows_its_query(model):  # such models hold nothing that wants closing
            self._made.append(model)
        return model


def _knows_its_query(model: ChatModel) -> bool:
    """Whether the model was made for one query: a simulation, or one that says so with ``knows_its_query``."""
    return model.simulated or bool(getattr(model, "knows_its_query", False))
