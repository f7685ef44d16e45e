"""A MetaGPT role that designs a multi-agent workflow for what it is asked, runs it, and answers with its result."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from flowreasoner.api import design
from flowreasoner.query import Query
from flowreasoner_adapters.aflow.host import load_metagpt
from flowreasoner_adapters.aflow.llm import as_chat_model

__all__ = ["DesignAnswer", "FlowReasonerRole"]

_metagpt = load_metagpt()


class DesignAnswer(_metagpt.Action):  # type: ignore[misc, name-defined]
    """Designs a workflow for a query and answers with it; the settings are `flowreasoner.design`'s.

    Attributes:
        meta_agent: Designs workflows: an ``LLMConfig``, an LLM, or a model or URI of FlowReasoner; the role's own LLM
            when None.
        worker: Runs operators, likewise.
        settings: Further arguments of `flowreasoner.design`, e.g. ``{"rounds": 5, "budget_usd": 0.5}``.
        last: The last design.
    """

    name: str = "DesignAnswer"
    meta_agent: Any = Field(default=None, exclude=True)
    worker: Any = Field(default=None, exclude=True)
    settings: dict[str, Any] = Field(default_factory=dict, exclude=True)
    last: Any = Field(default=None, exclude=True)

    async def run(self, query: Query | str) -> str:
        """Designs and answers.

        Args:
            query: The query, or its problem as text; without tests, the worker writes some.

        Returns:
            The answer of the best workflow.

        Raises:
            FlowReasonerError: As `flowreasoner.design`.
        """
        meta_agent, worker = (
            as_chat_model(given if given is not None else self.llm, role)
            for given, role in ((self.meta_agent, "meta_agent"), (self.worker, "worker"))
        )
        self.last = await design(query, meta_agent=meta_agent, worker=worker, **self.settings)
        return str(self.last.answer)


class FlowReasonerRole(_metagpt.Role):  # type: ignore[misc, name-defined]
    """A role for a ``Team`` that answers each message it watches with a workflow designed for it.

    Its calls go through its own MetaGPT LLM unless models are given, so that the team's budget counts them.

    Attributes:
        meta_agent: As for `DesignAnswer`.
        worker: As for `DesignAnswer`.
        query: Makes a query, with tests or a metric, of a message's text; the text alone when None.
        settings: Further arguments of `flowreasoner.design`.
    """

    name: str = "Flo"
    profile: str = "FlowReasoner"
    goal: str = "answer each query with a multi-agent workflow designed for it"
    meta_agent: Any = Field(default=None, exclude=True)
    worker: Any = Field(default=None, exclude=True)
    query: Any = Field(default=None, exclude=True)
    settings: dict[str, Any] = Field(default_factory=dict, exclude=True)

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.set_actions([DesignAnswer(meta_agent=self.meta_agent, worker=self.worker, settings=self.settings)])

    @property
    def design(self) -> Any:
        """The last design, with its workflow, rounds and cost; None before the first."""
        return self.actions[0].last

    async def _act(self) -> Any:
        """Answers the latest message."""
        asked = self.rc.news[-1].content if self.rc.news else self.rc.memory.get(1)[0].content
        answer = await self.rc.todo.run(asked if self.query is None else self.query(asked))
        message = _metagpt.Message(content=answer, role=self.profile, cause_by=DesignAnswer, sent_from=self)
        self.rc.memory.add(message)
        return message
