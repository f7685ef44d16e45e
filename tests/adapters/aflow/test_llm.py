"""MetaGPT's LLM as a chat model, over HTTP."""

import asyncio

import pytest
from chat_server import ChatServer, Fault

pytest.importorskip("metagpt")

from flowreasoner.errors import ModelError, ModelRefused, RequestRefused
from flowreasoner.models import ChatRequest, ScriptedModel
from flowreasoner_adapters.aflow import MetaGPTModel, load_metagpt
from flowreasoner_adapters.aflow.llm import as_chat_model, make_llm

KEY = "sk-a-secret-key"


def fields(server, **more):
    return {"api_type": "openai", "base_url": server.url, "api_key": KEY, "model": "gpt-4o-mini", **more}


async def test_the_cost_manager_sees_what_the_server_counted():
    with ChatServer(lambda body: "x" * 40) as server:
        model = MetaGPTModel(fields(server))
        completion = await model.complete(ChatRequest.ask("hello"))
        costs = model.llm.cost_manager
        assert (completion.input_tokens, completion.output_tokens) == (100, 10)
        assert (costs.total_prompt_tokens, costs.total_completion_tokens) == (100, 10)
        assert completion.usd == pytest.approx(costs.total_cost) == pytest.approx((100 * 0.15 + 10 * 0.6) / 1e6)
        assert not completion.estimated


async def test_a_configuration_that_asks_for_streams_is_counted_all_the_same():
    with ChatServer(lambda body: "hello") as server:
        model = MetaGPTModel(load_metagpt().LLMConfig(**fields(server, stream=True)))
        for request in (ChatRequest.ask("hello"), ChatRequest.ask("a").then("b", "c", "d")):
            assert (await model.complete(request)).input_tokens == 100
        assert not any(body.get("stream") for body in server.requests)
        assert model.llm.config.stream is True  # the user's own object is as it was


async def test_calls_at_the_same_time_are_counted_one_by_one():
    with ChatServer(lambda body: body["messages"][-1]["content"], latency=0.02) as server:
        model = MetaGPTModel(fields(server))
        asked = [model.complete(ChatRequest.ask("w" * 40 * size)) for size in range(1, 9)]
        tokens = [completion.output_tokens for completion in await asyncio.gather(*asked)]
        assert tokens == [10 * size for size in range(1, 9)]
        assert model.llm.cost_manager.total_completion_tokens == sum(tokens)
        assert server.most_at_once > 1


async def test_a_model_that_metagpt_has_no_price_for_is_priced_where_its_price_is_known(monkeypatch):
    with ChatServer(lambda body: "hello") as server:
        unknown = MetaGPTModel(fields(server, model="gpt-4.1-nano"))
        assert (await unknown.complete(ChatRequest.ask("a"))).usd is None  # nobody knows what this server asks
        assert unknown.llm.cost_manager.total_prompt_tokens == 100
        assert unknown.llm.cost_manager.total_cost == 0
        unknown.llm.config.base_url = "https://api.openai.com/v1"  # as if it were OpenAI's own; the client is not
        usd = (await unknown.complete(ChatRequest.ask("a"))).usd
        assert usd
        assert unknown.llm.cost_manager.total_cost == pytest.approx(usd)


async def test_a_conversation_keeps_its_roles():
    with ChatServer(lambda body: "hello") as server:
        request = ChatRequest.ask("one").then("two", "three", "d")
        await MetaGPTModel(fields(server)).complete(request)
        said = [(message["role"], message["content"]) for message in server.requests[0]["messages"]]
        assert said[-3:] == [("user", "one"), ("assistant", "two"), ("user", "three")]


@pytest.mark.parametrize(
    ("status", "kind"), [(401, ModelRefused), (404, ModelRefused), (400, RequestRefused), (422, RequestRefused)]
)
async def test_refusals_are_told_apart_and_hold_no_key(status, kind):
    with ChatServer(lambda body: "hello", faults={0: Fault(status=status)}) as server:
        with pytest.raises(kind) as caught:
            await MetaGPTModel(fields(server)).complete(ChatRequest.ask("hello"))
        assert KEY not in str(caught.value)


async def test_a_key_that_the_server_repeats_is_not_repeated():
    with ChatServer(lambda body: "hello", key="another") as server:
        with pytest.raises(ModelRefused, match=r"\[key\]") as caught:
            await MetaGPTModel(fields(server)).complete(ChatRequest.ask("hello"))
        assert KEY not in str(caught.value)
        assert KEY not in MetaGPTModel(fields(server)).name


async def test_an_empty_reply_is_an_error():
    with ChatServer(lambda body: "  ") as server, pytest.raises(ModelError, match="empty reply"):
        await MetaGPTModel(fields(server)).complete(ChatRequest.ask("hello"))


async def test_a_users_llm_and_its_cost_manager_are_used_as_they_are():
    with ChatServer(lambda body: "hello") as server:
        llm = make_llm(fields(server))
        llm.cost_manager = shared = load_metagpt().CostManager()
        await MetaGPTModel(llm).complete(ChatRequest.ask("hello"))
        assert llm.cost_manager is shared
        assert shared.total_prompt_tokens == 100


def test_a_model_of_the_wrong_kind_is_named():
    with pytest.raises(ModelRefused, match=r"exec_llm_config must be a MetaGPT LLMConfig.*not int"):
        as_chat_model(7, "exec_llm_config")
    with pytest.raises(ModelRefused, match=r"must be an LLMConfig.*not object"):
        make_llm(object())
    with pytest.raises(ModelRefused, match="api_type") as caught:
        make_llm({"api_type": "nonsense", "api_key": KEY})
    assert KEY not in str(caught.value)
    scripted = ScriptedModel([])
    assert as_chat_model(scripted, "x") is scripted
