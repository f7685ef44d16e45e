"""The miniature's tokenizers: lossless, short on fixed sentences, with a mask for the assistant's words."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("transformers")

from flowreasoner_training.nano.lessons import lessons
from flowreasoner_training.nano.tokenizer import END, frequent_sentences, make_tokenizer

TAUGHT = list(lessons(0, 200))
SENTENCES = frequent_sentences(lesson.prompt for lesson in TAUGHT)
TOKENIZER = make_tokenizer([text for lesson in TAUGHT for text in (lesson.prompt, lesson.answer)], SENTENCES, 1024)


def ids(text):
    return TOKENIZER(text)["input_ids"]


def test_what_was_taught_is_encoded_without_loss():
    for lesson in TAUGHT:
        for text in (lesson.prompt, lesson.answer):
            assert TOKENIZER.decode(ids(text)) == text


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_any_text_is_encoded_without_loss(text):
    assert TOKENIZER.decode(ids(text)) == text


def test_a_fixed_sentence_is_one_token():
    assert "Answer with one Python code block and nothing after it." in SENTENCES
    assert len(ids("Answer with one Python code block and nothing after it.")) == 1
    assert len(ids("Answer with one Python code block and nothing else.")) > 1


def test_only_what_many_prompts_share_becomes_a_token():
    assert frequent_sentences(["a sentence that is long enough", "another one that is as long", "short"] * 1) == []
    assert frequent_sentences(["a sentence that is long enough\nx", "y\na sentence that is long enough"]) == [
        "a sentence that is long enough"
    ]


def test_the_template_marks_the_assistant_s_words_and_its_end():
    conversation = [
        {"role": "user", "content": "Add."},
        {"role": "assistant", "content": "Done."},
        {"role": "user", "content": "Again."},
        {"role": "assistant", "content": "Done twice."},
    ]
    rendered = TOKENIZER.apply_chat_template(conversation, return_dict=True, return_assistant_tokens_mask=True)
    learned = [token for token, kept in zip(rendered["input_ids"], rendered["assistant_masks"], strict=True) if kept]
    assert TOKENIZER.decode(learned) == f"Done.{END}Done twice.{END}"


def test_a_conversation_grows_without_being_rendered_anew():
    start = [{"role": "user", "content": "Add."}]
    whole = [*start, {"role": "assistant", "content": "Done."}, {"role": "user", "content": "Again."}]
    first = TOKENIZER.apply_chat_template(start, add_generation_prompt=True, return_dict=False)
    assert TOKENIZER.apply_chat_template(whole, return_dict=False)[: len(first)] == first
