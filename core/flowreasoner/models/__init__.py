"""Chat models: OpenAI-compatible endpoints, scripted models for tests, and a simulation (docs/models.md)."""

from flowreasoner.models.base import ChatModel, ChatRequest, Completion, Message
from flowreasoner.models.cache import CachedModel
from flowreasoner.models.scripted import FunctionModel, ScriptedModel
from flowreasoner.models.uri import SCHEMES, ModelContext, ModelFactory, ModelURI, model_from_uri

__all__ = [
    "SCHEMES",
    "CachedModel",
    "ChatModel",
    "ChatRequest",
    "Completion",
    "FunctionModel",
    "Message",
    "ModelContext",
    "ModelFactory",
    "ModelURI",
    "ScriptedModel",
    "model_from_uri",
]
