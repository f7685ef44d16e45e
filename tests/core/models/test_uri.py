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
        ("nope:x", r"there is no model scheme 'nope' \(in 'nope:x'\); known are deepseek:, embedded:, ollama:"),
        ("openai:", r"openai: names no model"),
        ("openai:m?tempertaure=1", r"openai:m has the unknown option 'tempertaure'; known are base_url"),
        ("ollama:m?temperature=hot", r"the option temperature of ollama:m must be a number, not 'hot'"),
        ("ollama:m?temperature", r"the options of 'ollama:m\?…' must look like \?a=1&b=2"),
        ("ollama:m?price=1", r"a price must be IN,OUT"),
        ("ollama:m?price=-1,2", r"a price cannot be negative"),
        ("openai:m", r"no API key for openai:m: set the environment variable OPENAI_API_KEY"),
        ("deepseek:m", r"set the environment variable DEEPSEEK_API_KEY"),
        ("openai:m?key_env=MY_KEY", r"set the environment variable MY_KEY"),
        ("ollama:m?concurrency=0", r"concurrency of ollama:m must be at least 1, not 0"),
        ("ollama:m?retries=inf", r"retries of ollama:m must be a number"),
        ("ollama:m?retries=-1", r"retries of ollama:m must be at least 0, not -1"),
        ("ollama:m?max_tokens=1e400", r"max_tokens of ollama:m must be a number"),
        ("ollama:m?seed=1.7", r"seed of ollama:m must be a whole number, not '1.7'"),
        ("ollama:m?stream=maybe", r"stream of ollama:m must be 1 or 0, not 'maybe'"),
        ("openai:m?base_url=notaurl", r"the base_url of openai:m must look like http://host:8000/v1"),
        ("openai:m?base_url=http://[::1", r"the base_url of openai:m must look like"),
        ("openai:m?base_url=http://h:999999/v1", r"the base_url of openai:m must look like"),
        ("openai:m?base_url=http://u:hunter2@h/v1", r"holds a password or a query: put it into OPENAI_BASE_URL"),
        ("openai:m?base_url=http://h/v1%3Fk=hunter2", r"holds a password or a query: put it into OPENAI_BASE_URL"),
        ("opanai:m?api_key=hunter2", r"no model scheme 'opanai' \(in 'opanai:m\?…'\)"),
        ("sim:?skill=2", r"skill must be between 0 and 1, got 2"),
        ("sim:?errors=2", r"errors must be between 0 and 1, got 2"),
        ("sim:?skil=1", r"unknown option 'skil'"),
    ],
)
def test_a_uri_that_cannot_be_used_says_why(text, message):
    with pytest.raises(ModelRefused, match=message) as caught:
        model_from_uri(text)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("key", ["sk-A\nsk-B", "sk-é", "sk-\x1b[2J"])
def test_what_cannot_be_a_key_is_refused_and_not_shown(key, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(ModelRefused, match="OPENAI_API_KEY is no API key") as caught:
        model_from_uri("openai:m")
    assert "sk-" not in str(caught.value)


def test_local_servers_need_no_key(monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1234/v1")
    model = model_from_uri("openai:m")
    assert model.name == "openai:m?base_url=http://127.0.0.1:1234/v1"
    assert model_from_uri("vllm:m").price.of(10**6, 10**6) == 0.0


def test_no_name_shows_a_password_or_key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://me:hunter2@localhost:1/v1?k=hunter2")
    model = model_from_uri("openai:m")
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
