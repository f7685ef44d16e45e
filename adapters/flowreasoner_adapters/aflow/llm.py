"""MetaGPT's LLM objects as chat models of FlowReasoner: every call goes through MetaGPT and its cost manager."""

from __future__ import annotations

import asyncio
import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, Field

from flowreasoner.errors import ModelError, ModelRefused, RequestRefused
from flowreasoner.models import ChatModel, Completion, ModelContext, model_from_uri
from flowreasoner.models.pricing import price_of
from flowreasoner_adapters.aflow.host import load_metagpt

if TYPE_CHECKING:
    from flowreasoner.models import ChatRequest

__all__ = ["MetaGPTModel", "as_chat_model", "make_llm"]

_SCHEMES = {"api.openai.com": "openai", "api.deepseek.com": "deepseek", "openrouter.ai": "openrouter"}
_REFUSED = {"AuthenticationError", "PermissionDeniedError", "NotFoundError"}
_UNFIT = {"BadRequestError", "UnprocessableEntityError"}


class Reply(BaseModel):
    """What an `ActionNode` is filled with: the whole reply, as text.

    Fields are read out of it by FlowReasoner. MetaGPT would evaluate list and dictionary fields as Python.
    """

    response: str = Field(default="", description="the reply")


def make_llm(config: Any) -> Any:
    """Makes a MetaGPT LLM with a cost manager of its own.

    Args:
        config: An ``LLMConfig``, or a dictionary of its fields.

    Raises:
        ModelRefused: If it is neither, or its fields are refused.
    """
    metagpt = load_metagpt()
    if isinstance(config, dict):
        try:
            config = metagpt.LLMConfig(**config)
        except ValueError as error:  # pydantic's messages hold the values, and so the key
            raise ModelRefused(f"this is no LLMConfig of MetaGPT: {_fields_of(error)}") from None
    if not isinstance(config, metagpt.LLMConfig):
        raise ModelRefused(
            f"a MetaGPT model must be an LLMConfig, e.g. LLMConfig(api_type='openai', api_key=..., model='gpt-4o-mini')"
            f", or an LLM made of one, not {type(config).__name__}"
        )
    llm = metagpt.create_llm_instance(config)
    if llm.cost_manager is None:
        kinds = {"fireworks": metagpt.FireworksCostManager, "open_llm": metagpt.TokenCostManager}
        llm.cost_manager = kinds.get(str(config.api_type.value), metagpt.CostManager)()
    return llm


def _fields_of(error: ValueError) -> str:
    errors = error.errors(include_input=False, include_url=False) if hasattr(error, "errors") else []
    return "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in errors) or "its fields are refused"


def as_chat_model(given: Any, role: str, context: ModelContext | None = None) -> ChatModel:
    """Returns a chat model for whatever a user may give as one.

    Args:
        given: A MetaGPT ``LLMConfig`` (or its fields) or LLM, a chat model of FlowReasoner, or a model URI.
        role: What it is for, for the message.
        context: What a URI's model is for.

    Raises:
        ModelRefused: If it is none of these.
    """
    if isinstance(given, str):
        return model_from_uri(given, context)
    if isinstance(given, ChatModel):
        return given
    kinds = {kind.__name__ for kind in type(given).__mro__}
    if isinstance(given, dict) or kinds & {"LLMConfig", "BaseLLM"}:  # MetaGPT is loaded only where it is used
        return MetaGPTModel(given)
    raise ModelRefused(
        f"{role} must be a MetaGPT LLMConfig or LLM, a chat model or a URI such as 'openai:gpt-4o-mini', "
        f"not {type(given).__name__}"
    )


@dataclass
class _Counted:
    """Stands before an LLM's cost manager for one call: passes on what is counted, and remembers it."""

    manager: Any
    config: Any
    prompt_tokens: int = 0
    completion_tokens: int = 0
    usd: float | None = field(default=None)

    def update_cost(self, prompt_tokens: int, completion_tokens: int, model: str) -> None:
        """Takes what MetaGPT counted for a call; models that it has no price for are priced from FlowReasoner's."""
        self.prompt_tokens += prompt_tokens
        self.completion_tokens += completion_tokens
        usd = self._passed_on(prompt_tokens, completion_tokens, model)
        if usd is not None:
            self.usd = (self.usd or 0.0) + usd

    def _passed_on(self, prompt_tokens: int, completion_tokens: int, model: str) -> float | None:
        if self.manager is None:
            return self._listed(prompt_tokens, completion_tokens, model)
        before = self.manager.total_cost
        self.manager.update_cost(prompt_tokens, completion_tokens, model)
        spent: float = self.manager.total_cost - before
        kind = type(self.manager).__name__
        if spent or kind == "TokenCostManager" or model in self.manager.token_costs:
            return spent
        usd = self._listed(prompt_tokens, completion_tokens, model)
        self.manager.total_cost += usd or 0.0
        return usd

    def _listed(self, prompt_tokens: int, completion_tokens: int, model: str) -> float | None:
        host = urlsplit(self.config.base_url or "").hostname or ""
        scheme = _SCHEMES.get(host)
        price = price_of(model, scheme, None) if scheme else None  # nobody knows what another server asks
        return None if price is None else price.of(prompt_tokens, completion_tokens)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.manager, name)


class MetaGPTModel:
    """A chat model that asks through MetaGPT's own LLM object.

    Requests are not streamed: MetaGPT counts the tokens of a stream with a table that it downloads, and counts
    nothing without a network. What the server counts is what the cost manager gets.

    Args:
        llm: An LLM of MetaGPT, e.g. a role's ``self.llm``; or an ``LLMConfig`` or its fields, for a new one.

    Attributes:
        llm: The LLM; its ``cost_manager`` sees each call.

    Raises:
        ModelRefused: If it is none of these.
        PluginError: If MetaGPT is not installed.
    """

    simulated = False

    def __init__(self, llm: Any) -> None:
        self._metagpt = load_metagpt()
        self._own = not isinstance(llm, self._metagpt.BaseLLM)
        self.llm = make_llm(llm) if self._own else llm
        self._loop: asyncio.AbstractEventLoop | None = None
        config = self._config
        host = urlsplit(config.base_url or "").hostname if config is not None else ""
        named = getattr(config, "model", None) or type(self.llm).__name__
        sampling = "" if config is None else f"&temperature={config.temperature}&max_tokens={config.max_token}"
        self.name = f"metagpt:{named}?host={host}{sampling}"
        self._node = self._metagpt.ActionNode.from_pydantic(Reply)

    @property
    def _config(self) -> Any:
        return getattr(self.llm, "config", None)

    async def complete(self, request: ChatRequest) -> Completion:
        """Answers a request; MetaGPT tries again where the connection fails.

        Raises:
            ModelRefused: If the key or the model's name is refused.
            RequestRefused: If this one request is refused.
            ModelError: If there is no answer.
        """
        request.permit()
        self._renew()
        asked = copy.copy(self.llm)  # calls run at the same time, and each is counted by itself
        asked.cost_manager = counted = _Counted(self.llm.cost_manager, self._config)
        try:
            text = await self._ask(asked, request)
        except Exception as error:
            raise self._translated(error) from None
        if not isinstance(text, str) or not text.strip():
            raise ModelError(f"{self.name} gave an empty reply")
        if counted.prompt_tokens + counted.completion_tokens:
            return Completion(
                text, input_tokens=counted.prompt_tokens, output_tokens=counted.completion_tokens, usd=counted.usd
            )
        read = sum(len(message.content) for message in request.messages)
        return Completion(text, input_tokens=read // 4, output_tokens=len(text) // 4, estimated=True)

    def _renew(self) -> None:
        """Gives an LLM of this object's own a new client in a new event loop; connections belong to the old one."""
        loop = asyncio.get_running_loop()
        if self._own and self._loop not in (None, loop):
            costs = self.llm.cost_manager
            self.llm = make_llm(self.llm.config)
            self.llm.cost_manager = costs
        self._loop = loop

    async def _ask(self, llm: Any, request: ChatRequest) -> Any:
        only = request.messages[0] if len(request.messages) == 1 else None
        if only is not None and only.role == "user":
            node = copy.copy(self._node)
            node.llm = _Unstreamed(llm)
            return (await node.single_fill(only.content))["response"]
        system = [message.content for message in request.messages if message.role == "system"]
        turns = [
            {"role": message.role, "content": message.content}
            for message in request.messages
            if message.role != "system"
        ]
        return await llm.aask(turns, system_msgs=system or None, stream=False)

    def _translated(self, error: Exception) -> ModelError:
        """Returns MetaGPT's or its SDK's error as one of FlowReasoner's, without the key."""
        attempt = getattr(error, "last_attempt", None)
        inner = (attempt.exception() if attempt is not None else None) or error
        kind, said = type(inner).__name__, str(inner)
        for name in ("api_key", "access_key", "secret_key", "session_token", "api_secret"):
            secret = getattr(self._config, name, None)
            if secret and len(secret) > 3:
                said = said.replace(secret, "[key]")
        message = f"{self.name} failed ({kind}): {said[:400]}"
        if kind in _REFUSED:
            return ModelRefused(message)
        return RequestRefused(message) if kind in _UNFIT else ModelError(message)

    async def aclose(self) -> None:
        """Closes the connections of an LLM that this object made; one that was given belongs to whoever made it."""
        client = getattr(self.llm, "aclient", None)
        if self._own and client is not None and self._loop is asyncio.get_running_loop():
            await client.close()
            self._loop = None


class _Unstreamed:
    """What `ActionNode` asks: the LLM, without streaming."""

    def __init__(self, llm: Any) -> None:
        self._llm = llm

    async def aask(self, prompt: str, **named: Any) -> Any:
        return await self._llm.aask(prompt, stream=False, **named)
