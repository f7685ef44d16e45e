"""Closes the HTTP clients that MetaGPT's LLMs open and never close; FlowReasoner closes those of models it makes."""

import importlib
import importlib.util

import pytest


@pytest.fixture(autouse=True)
async def closed_clients(request, monkeypatch):
    if importlib.util.find_spec("metagpt") is None or "asyncio" not in request.keywords:
        yield
        return
    from flowreasoner_adapters.aflow import load_metagpt

    load_metagpt()
    provider = importlib.import_module("metagpt.provider.openai_api")
    made = []

    def client(*args, **named):
        made.append(client.kind(*args, **named))
        return made[-1]

    client.kind = provider.AsyncOpenAI
    monkeypatch.setattr(provider, "AsyncOpenAI", client)
    yield
    for item in made:
        await item.close()
