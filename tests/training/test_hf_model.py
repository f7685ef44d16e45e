import asyncio
import gc
import random
import shutil
import time

import pytest
import torch
from tiny_model import CHATML, tiny_model, tiny_tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer

from flowreasoner.errors import BudgetExceeded, ModelRefused, RequestRefused
from flowreasoner.models import ChatRequest, ModelContext
from flowreasoner.models.uri import ModelURI
from flowreasoner_training.generation import Generator, _Draw
from flowreasoner_training.hf_model import _loaded, hf_model_from_uri


def model(folder, options="max_tokens=12"):
    return hf_model_from_uri(ModelURI.parse(f"hf:{folder}?{options}"), ModelContext())


def ask(made, requests):
    async def main():
        try:
            return await asyncio.gather(*map(made.complete, requests), return_exceptions=True)
        finally:
            await made.aclose()

    return asyncio.run(main())


REQUESTS = [ChatRequest.ask(f"Say {'so ' * number}", draw=str(number)) for number in range(7)]


def test_concurrent_requests_are_answered_in_one_batch(tiny, monkeypatch):
    sizes = []
    real = Generator.generate

    def generate(self, prompts, *rest):
        sizes.append(len(prompts))
        return real(self, prompts, *rest)

    monkeypatch.setattr(Generator, "generate", generate)
    answers = ask(model(tiny, "max_tokens=3&batch=4"), REQUESTS)
    assert sizes == [4, 3]
    assert all(answer.text for answer in answers)


def test_checkpoints_that_are_first_asked_at_the_same_time_are_loaded_one_by_one(tiny, tmp_path, monkeypatch):
    loading, most = [0], []
    real = Generator.__init__

    def load(self, *given):
        loading[0] += 1
        most.append(loading[0])
        time.sleep(0.05)  # long enough for the others to begin, if they may
        real(self, *given)
        loading[0] -= 1

    monkeypatch.setattr(Generator, "__init__", load)
    folders = [shutil.copytree(tiny, tmp_path / str(number)) for number in range(3)]
    models = [model(folder) for folder in [*folders, folders[0]]]

    async def main():
        return await asyncio.gather(*(made.complete(REQUESTS[0]) for made in models))

    answers = asyncio.run(main())
    assert most == [1, 1, 1]  # the fourth shares what the first has loaded
    assert answers[0] == answers[3]
    for made in models:
        asyncio.run(made.aclose())
    gc.collect()
    assert not _loaded


@pytest.mark.parametrize("options", ["max_tokens=12", "max_tokens=12&top_p=0.7", "max_tokens=12&temperature=0"])
def test_an_answer_does_not_depend_on_what_else_is_in_flight(tiny, options):
    together = ask(model(tiny, options), REQUESTS)
    alone = [ask(model(tiny, f"{options}&batch=1"), [request])[0] for request in REQUESTS]
    assert together == alone
    assert ask(model(tiny, options), REQUESTS[::-1]) == together[::-1]


def test_draws_are_independent_and_repeatable(tiny):
    requests = [ChatRequest.ask("Say so.", draw=str(number)) for number in range(6)]
    first, again = (ask(model(tiny), requests) for _ in range(2))
    assert first == again
    assert len({answer.text for answer in first}) == 6
    greedy = ask(model(tiny, "max_tokens=12&temperature=0"), requests)
    assert len({answer.text for answer in greedy}) == 1


def test_greedy_answers_are_those_of_transformers(tiny):
    tokenizer, plain = AutoTokenizer.from_pretrained(tiny), AutoModelForCausalLM.from_pretrained(tiny)
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Say so."}], add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    ids = plain.generate(**prompt, do_sample=False, max_new_tokens=12)[0, prompt["input_ids"].shape[1] :]
    (answer,) = ask(model(tiny, "max_tokens=12&temperature=0"), [ChatRequest.ask("Say so.")])
    assert answer.text == tokenizer.decode(ids, skip_special_tokens=True)
    assert (answer.input_tokens, answer.output_tokens) == (prompt["input_ids"].shape[1], 12)
    assert answer.usd == 0.0


def test_drawing_follows_the_probabilities():
    scores = torch.log(torch.tensor([[0.5, 0.3, 0.2]])).expand(3000, 3)
    streams = [random.Random(number) for number in range(3000)]
    for temperature, top_p, expected in [(1.0, 1.0, [0.5, 0.3, 0.2]), (1.0, 0.6, [0.625, 0.375, 0.0])]:
        chosen = _Draw(streams, temperature, top_p)(None, scores).argmax(dim=-1)
        found = torch.bincount(chosen, minlength=3) / 3000
        assert found.tolist() == pytest.approx(expected, abs=0.04)
    sharp = _Draw(streams, 0.05, 1.0)(None, scores).argmax(dim=-1)
    assert sharp.sum() == 0


def test_a_reply_ends_at_the_end_token_and_counts_it(tmp_path):
    folder = tiny_model(tmp_path)
    plain = AutoModelForCausalLM.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    with torch.no_grad():  # every next token is the end
        plain.model.norm.weight.zero_()
        plain.config.tie_word_embeddings = False
        plain.lm_head = torch.nn.Linear(32, len(tokenizer))
        torch.nn.init.zeros_(plain.lm_head.weight)
        plain.lm_head.bias.fill_(0.0)[tokenizer.eos_token_id] = 50.0
    generator = Generator(folder, "cpu", "auto")
    generator.model = plain
    (reply,) = generator.generate(
        [generator.prompt([{"role": "user", "content": "x"}])], [random.Random(0)], 1.0, 1.0, 9
    )
    assert (reply.text, reply.written) == ("", 1)


def test_what_the_template_opens_is_part_of_the_reply(tmp_path):
    folder = tiny_model(tmp_path)
    template = CHATML.replace("<|im_start|>assistant\n{% endif %}", "<|im_start|>assistant\n<think>\n{% endif %}")
    assert template != CHATML
    tiny_tokenizer(template=template).save_pretrained(folder)
    (answer,) = ask(model(folder), [ChatRequest.ask("Say so.")])
    assert answer.text.startswith("<think>\n")


def test_a_conversation_that_is_too_long_is_refused_and_the_others_are_answered(tiny):
    long = ChatRequest.ask("so " * 9000)
    refused, answer = ask(model(tiny), [long, REQUESTS[0]])
    assert isinstance(refused, RequestRefused)
    assert "takes 4096" in str(refused)
    assert answer.text


def test_a_request_that_is_not_permitted_fails_alone(tiny):
    def never():
        raise BudgetExceeded("usd", 1, 2)

    refused, answer = ask(model(tiny), [ChatRequest.ask("a", permit=never), REQUESTS[0]])
    assert isinstance(refused, BudgetExceeded)
    assert answer.text


def test_the_name_tells_checkpoints_apart(tiny, tmp_path):
    other, same = tiny_model(tmp_path / "a", seed=1), tiny_model(tmp_path / "b" / tiny.name)
    assert model(tiny).name == model(same).name
    assert model(tiny).name.split("@")[1] != model(other).name.split("@")[1]
    assert model(tiny).name != model(tiny, "max_tokens=13").name


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("heat=1", "unknown option 'heat'; known are batch, device, dtype, max_tokens, temperature, top_p"),
        ("temperature=-1", "temperature of .* must be at least 0"),
        ("top_p=0", "top_p of .* must be above 0 and at most 1, not 0"),
        ("max_tokens=0", "max_tokens of .* must be at least 1"),
        ("dtype=int4", "dtype of .* must be one of auto, bfloat16"),
    ],
)
def test_options_that_make_no_sense_are_refused(tiny, options, message):
    with pytest.raises(ModelRefused, match=message):
        model(tiny, options)


def test_folders_without_a_checkpoint_are_named(tmp_path):
    with pytest.raises(ModelRefused, match=r"there is no checkpoint at .*none': No such file"):
        model(tmp_path / "none")
    with pytest.raises(ModelRefused, match="holds no checkpoint"):
        model(tmp_path)


def test_a_checkpoint_without_a_chat_template_or_with_broken_weights_is_refused(tmp_path):
    bare = tiny_model(tmp_path / "bare")
    (bare / "chat_template.jinja").unlink()
    (answer,) = ask(model(bare), [ChatRequest.ask("a")])
    assert isinstance(answer, ModelRefused)
    assert "has no chat template" in str(answer)
    broken = tiny_model(tmp_path / "broken")
    (broken / "config.json").write_text("{}")
    (answer,) = ask(model(broken), [ChatRequest.ask("a")])
    assert isinstance(answer, ModelRefused)
    assert "cannot load the checkpoint" in str(answer)


def test_giving_up_ends_the_generation_and_the_model_goes_on_with_the_next(tiny):
    made = model(tiny, "max_tokens=3000&temperature=0")  # at temperature 0 it repeats itself and never ends

    async def main():
        task = asyncio.create_task(made.complete(REQUESTS[0]))
        await asyncio.sleep(0.3)
        task.cancel()
        await made.aclose()
        return await asyncio.gather(task, return_exceptions=True)

    (ended,) = asyncio.run(main())
    assert isinstance(ended, asyncio.CancelledError)
    made._sampling = (1.0, 1.0, 3)
    assert ask(made, [REQUESTS[0]])[0].output_tokens == 3
