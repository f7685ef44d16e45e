import pytest

from flowreasoner.errors import ModelRefused
from flowreasoner.models import ModelContext, ModelURI, ScriptedModel, model_from_uri


def test_names_may_contain_colons_and_slashes():
    uri = ModelURI.parse("openrouter:deepseek/deepseek-r1:free?temperature=0.5&max_tokens=10")
    assert (uri.scheme, uri.name) == ("openrouter", "deepseek/deepseek-r1:free")
    assert dict(uri.options) == {"temperature": "0.5", "max_tokens": "10"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gpt-4o", r"'gpt-4o' is no model URI; write scheme:name"),
        ("", r"'' is no model URI"),
        ("nope:x", r"there is no model scheme 'nope' \(in 'nope:x'\); known are deepseek:, ollama:, openai:"),
        ("openai:", r"openai: names no model"),
        ("openai:m?tempertaure=1", r"openai:m has the unknown option 'tempertaure'; known are base_url"),
        ("ollama:m?temperature=hot", r"the option temperature of ollama:m must be a number, not 'hot'"),
        ("ollama:m?temperature", r"the options of 'ollama:m\?temperature' must look like a=1&b=2"),
        ("ollama:m?price=1", r"a price must be IN,OUT"),
        ("ollama:m?price=-1,2", r"a price cannot be negative"),
        ("openai:m", r"no API key for openai:m: set the environment variable OPENAI_API_KEY"),
        ("deepseek:m", r"set the environment variable DEEPSEEK_API_KEY"),
        ("openai:m?key_env=MY_KEY", r"set the environment variable MY_KEY"),
        ("sim:?skill=2", r"skill must be between 0 and 1, got 2"),
        ("sim:?errors=2", r"errors must be between 0 and 1, got 2"),
        ("sim:?skil=1", r"unknown option 'skil'"),
    ],
)
def test_a_uri_that_cannot_be_used_says_why(text, message):
    with pytest.raises(ModelRefused, match=message):
        model_from_uri(text)


def test_local_servers_need_no_key(monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1234/v1")
    model = model_from_uri("openai:m")
    assert model.name == "openai:m?base_url=http://127.0.0.1:1234/v1"
    assert model_from_uri("vllm:m").price.of(10**6, 10**6) == 0.0


def test_no_name_shows_a_password_or_key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    model = model_from_uri("openai:m?base_url=http://me:hunter2@localhost:1/v1")
    assert "hunter2" not in model.name
    assert "very-secret" not in model.name + repr(vars(model).get("sampling"))


def test_prices_are_looked_up_or_given(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    assert model_from_uri("openai:gpt-4o-mini").price.input == pytest.approx(0.15)
    assert model_from_uri("openai:gpt-4o-mini?price=1,2").price.output == 2.0
    assert model_from_uri("openai:no-such-model").price is None
    assert model_from_uri("openai:gpt-4o-mini?base_url=http://localhost:1/v1").price is None


def test_schemes_can_be_replaced():
    made = []

    def factory(uri, context):
        made.append((uri.name, context.role))
        return ScriptedModel([])

    model_from_uri("mine:x", ModelContext("meta_agent"), {"mine": factory})
    assert made == [("x", "meta_agent")]
