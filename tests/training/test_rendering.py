import pytest
from tiny_model import CHATML, tiny_tokenizer
from trajectories import make_trajectory

from flowreasoner.errors import TrainingError
from flowreasoner_training.rendering import opened_thought, render, use_training_template

MESSAGES = [
    {"role": "system", "content": "You design."},
    {"role": "user", "content": "The task."},
    {"role": "assistant", "content": "<think>\nfirst thought\n</think>\n\nfirst reply"},
    {"role": "user", "content": "The feedback."},
    {"role": "assistant", "content": "<think>\nsecond thought\n</think>\n\nsecond reply"},
]
R1 = ["<｜begin▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>", "<｜end▁of▁sentence｜>"]


def learned(tokenizer, rendered):
    """The stretches of text that are trained on, and the text that is not."""
    spans, rest, before = [], [], 0
    for token, own in zip(rendered.input_ids, rendered.mask, strict=True):
        if own and not before:
            spans.append([])
        (spans[-1] if own else rest).append(token)
        before = own
    return [tokenizer.decode(span) for span in spans], tokenizer.decode(rest)


def test_only_the_assistant_s_words_and_their_end_are_learned():
    tokenizer = tiny_tokenizer()
    use_training_template(tokenizer)
    rendered = render(tokenizer, MESSAGES)
    spans, rest = learned(tokenizer, rendered)
    assert spans == [f"{message['content']}<|im_end|>" for message in MESSAGES if message["role"] == "assistant"]
    assert "The feedback." in rest
    assert "thought" not in rest
    assert [label for label in rendered.labels if label != -100] == [
        token for token, own in zip(rendered.input_ids, rendered.mask, strict=True) if own
    ]


async def test_real_trajectories_render_whole():
    made = await make_trajectory()
    tokenizer = tiny_tokenizer()
    spans, rest = learned(tokenizer, render(tokenizer, made.messages()))
    assert [span.removesuffix("<|im_end|>") for span in spans] == [item.text for item in made.rounds]
    assert made.rounds[0].feedback in rest


def test_r1_distill_keeps_earlier_thoughts_and_opens_one_for_a_reply_without():
    from trl.chat_template_utils import deepseek_r1_distill_chat_template as own

    tokenizer = tiny_tokenizer(R1, own)
    assert "first thought" not in tokenizer.apply_chat_template(MESSAGES, tokenize=False)
    use_training_template(tokenizer, "r1-distill")
    spans, rest = learned(tokenizer, render(tokenizer, MESSAGES))
    assert [span.count("thought") for span in spans] == [1, 1]
    assert "The feedback." in rest
    assert opened_thought(tokenizer) == "<think>\n"
    spans, _ = learned(tokenizer, render(tokenizer, [*MESSAGES[:2], {"role": "assistant", "content": "no thought"}]))
    assert spans == ["<｜Assistant｜><think>\n\n</think>\n\nno thought<｜end▁of▁sentence｜>"]


def test_a_known_template_without_marks_is_exchanged_for_its_training_version():
    from trl.chat_template_utils import deepseek_r1_distill_chat_template as own

    tokenizer = tiny_tokenizer(R1, own)
    use_training_template(tokenizer)
    assert "generation" in tokenizer.chat_template
    assert len(learned(tokenizer, render(tokenizer, MESSAGES))[0]) == 2


UNMARKED = CHATML.replace("{% generation %}", "").replace("{% endgeneration %}", "")


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (UNMARKED, "does not mark the assistant's words"),
        (None, "has no chat template"),
        (CHATML.replace("<|im_end|>{% endgeneration %}", "{% endgeneration %}<|im_end|>"), "would not learn to stop"),
    ],
)
def test_templates_that_cannot_be_trained_with_are_refused(template, message):
    with pytest.raises(TrainingError, match=message):
        use_training_template(tiny_tokenizer(template=template))


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (
            "{{ message['content'] }}<|im_end|>{% endg",
            "{{ message['content'].split('</think>')[-1] }}<|im_end|>{% endg",
            "loses text of an assistant's turn",
        ),
        ("{% else %}{{ message['content'] }}", "{% else %}", "loses text of a system message"),
        (
            "{% if message['role'] == 'assistant' %}",
            "{% if message['role'] == 'assistant' and loop.last %}",
            "marks 1 of 2 assistant turns",
        ),
        ("{%- for", "{{ raise_exception('no system') }}{%- for", "refuses a conversation: no system"),
    ],
)
def test_templates_that_lose_text_or_marks_are_an_error(before, after, message):
    assert before in CHATML
    tokenizer = tiny_tokenizer(template=CHATML.replace(before, after, 1))
    with pytest.raises(TrainingError, match=message):
        render(tokenizer, MESSAGES)


def test_a_template_may_come_from_a_file(tmp_path):
    file = tmp_path / "chat.jinja"
    file.write_text(CHATML)
    tokenizer = tiny_tokenizer(template=None)
    use_training_template(tokenizer, file)
    assert render(tokenizer, MESSAGES).mask.count(1) > 0
    with pytest.raises(TrainingError, match="cannot read the chat template"):
        use_training_template(tokenizer, tmp_path / "none.jinja")
