"""A model behind the store's completion cache: no finished completion is asked for, or paid for, twice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flowreasoner.models.base import ModelWrapper

if TYPE_CHECKING:
    from flowreasoner.models.base import ChatModel, ChatRequest, Completion
    from flowreasoner.store import Store

__all__ = ["CachedModel"]


class CachedModel(ModelWrapper):
    """Answers from the store where it can, and writes down each new completion the moment it is there.

    Args:
        model: Asked for what the store does not have.
        store: Where completions are kept.
    """

    def __init__(self, model: ChatModel, store: Store) -> None:
        super().__init__(model)
        self.store = store

    async def complete(self, request: ChatRequest) -> Completion:
        """Answers a request, from the store if it was answered before.

        Raises:
            ModelError: From the inner model.
            StoreError: If the store cannot be read or written.
        """
        key = request.key(self.model.name)
        known = self.store.completion(key)
        if known is not None:
            return replace(known, cached=True)
        completion = await self.model.complete(request)
        self.store.keep_completion(key, self.model.name, completion)
        return completion
