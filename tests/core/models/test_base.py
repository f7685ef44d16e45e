from flowreasoner.models import ChatRequest, Completion, Message


def test_the_key_depends_on_model_messages_and_draw_only():
    request = ChatRequest.ask("hello", draw="1", purpose="Custom")
    same = ChatRequest.ask("hello", draw="1", purpose="Review")
    assert request.key("m") == same.key("m")
    others = [
        request.key("other"),
        ChatRequest.ask("hello!", draw="1").key("m"),
        ChatRequest.ask("hello", draw="2").key("m"),
        ChatRequest((Message("system", "hello"),), "1").key("m"),
    ]
    assert len({request.key("m"), *others}) == 5


def test_the_key_takes_any_text():
    assert len(ChatRequest.ask("\ud800 lone surrogate").key("m")) == 64


def test_then_continues_the_conversation_with_a_new_draw():
    request = ChatRequest.ask("a", draw="1", purpose="p").then("b", "c", "1+")
    assert [(message.role, message.content) for message in request.messages] == [
        ("user", "a"),
        ("assistant", "b"),
        ("user", "c"),
    ]
    assert (request.draw, request.purpose) == ("1+", "p")


def test_spending_counts_cached_replies_apart():
    fresh = Completion("x", input_tokens=10, output_tokens=5, usd=0.5)
    cached = Completion("x", input_tokens=10, output_tokens=5, usd=0.5, cached=True)
    total = fresh.spending + cached.spending
    assert (total.model_calls, total.cached_calls, total.usd, total.cached_usd) == (2, 1, 1.0, 0.5)
    assert total.tokens == 30
