"""A LangChain chat model for tests: answers by rule, keeps what it was asked, counts calls at the same time."""

from __future__ import annotations

import asyncio
import re
import textwrap
from collections import Counter
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from programs import PROMPTS
from pydantic import Field

from flowreasoner.workflow import Workflow

__all__ = ["FakeChat", "source_of", "workflow_of"]


class FakeChat(BaseChatModel):
    """Answers ``<prompt, in one line>``, or true and that text in the tags that were asked for.

    Attributes:
        prompts: What it was asked, in order.
        raises: Errors by a part of the prompt, raised one after the other before it answers.
        pause: Seconds that a call takes.
        most: Most calls that ran at the same time.
    """

    prompts: list[str] = Field(default_factory=list)
    raises: dict[str, list[Exception]] = Field(default_factory=dict)
    pause: float = 0.0
    running: int = 0
    most: int = 0

    @property
    def _llm_type(self) -> str:
        return "fake"

    @property
    def asked(self) -> Counter[str]:
        """How often it was asked what, by the first line of the prompt: the instruction of `Custom`."""
        return Counter(prompt.split("\n")[0] for prompt in self.prompts)

    def _generate(self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **_: Any) -> ChatResult:
        prompt = str(messages[-1].content)
        self.prompts.append(prompt)
        for part, errors in self.raises.items():
            if part in prompt and errors:
                raise errors.pop(0)
        usage = {"input_tokens": len(prompt), "output_tokens": 7, "total_tokens": len(prompt) + 7}
        return ChatResult(generations=[ChatGeneration(message=AIMessage(_reply(prompt), usage_metadata=usage))])

    async def _agenerate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **_: Any
    ) -> ChatResult:
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(self.pause)
            return self._generate(messages)
        finally:
            self.running -= 1


def _reply(prompt: str) -> str:
    tags = re.findall(r"^<(\w+)>", prompt.partition("Answer in exactly this form")[2], re.M)
    text = "<" + " ".join(prompt.split())[:60].strip() + ">"
    if not tags:
        return text
    return "".join(f"<{tag}>{'true' if tag == 'review_result' else text[1:-1]}</{tag}>\n" for tag in tags)


def source_of(body: str, members: str = "", parameters: str = "problem") -> str:
    """Returns the source of a workflow with a body."""
    text = f"class Workflow:\n    async def __call__(self, {parameters}):\n"
    text += textwrap.indent(textwrap.dedent(body).strip("\n"), " " * 8) + "\n"
    return text + textwrap.indent(textwrap.dedent(members), "    ")


def workflow_of(body: str, members: str = "", parameters: str = "problem") -> Workflow:
    """Returns a workflow with a body."""
    return Workflow.parse(source_of(body, members, parameters), PROMPTS)
