"""Reading replies: tolerant about the wrapping, strict about the content, quick on hostile text."""

import time

import pytest

from flowreasoner.operators import BUILTIN, FieldKind, OperatorField, ReplyUnreadable, extract_code
from flowreasoner.operators.replies import form, read_reply, without_thoughts

TEXT = (OperatorField("response"),)
CODE = (OperatorField("solution", kind=FieldKind.CODE),)
REVIEW = (
    OperatorField("review_result", "true or false", FieldKind.FLAG),
    OperatorField("feedback", "what must change", default=""),
)
ANSWER = (OperatorField("thought"), OperatorField("answer"))
F = "def f(x):\n    return x + 1"
G = "def g(x):\n    return x - 1"


# --- forms -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        (TEXT, ""),
        (CODE, "Answer with one Python code block and nothing after it."),
        (
            REVIEW,
            "Answer in exactly this form, with these tags:\n"
            "<review_result>true or false</review_result>\n<feedback>what must change</feedback>",
        ),
    ],
)
def test_the_form_says_how_to_answer(fields, text):
    assert form(fields) == text


# --- thoughts --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("<think>hm</think>\n\nplain", "plain"),
        ("<Thinking>hm</THINKING>plain", "plain"),
        ("the opening tag is missing\n</think>\nplain", "plain"),
        ("<think>a</think> b <think>c</think> plain", "plain"),
        ("<think>the closing tag is missing, so it never came to an answer", ""),
        ("  <think>a</think>", ""),
        ("use text.split('</think>')[1]", "use text.split('</think>')[1]"),
        ("the tag `</think>` ends it", "the tag `</think>` ends it"),
        ("<think>hm</think>the <think> tag", "the <think> tag"),
    ],
)
def test_thoughts_are_taken_away(text, expected):
    assert without_thoughts(text) == expected


# --- one field -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  any text \n", "any text"),
        ("<think>hm</think>any text", "any text"),
        ("<response>any text</response>", "any text"),
        ("It is: <RESPONSE > any text </Response> as you see", "any text"),
        ("<response>any text", "any text"),
        ("<response>any text\n  <other>more</other>", "any text"),
        ('{"response": "kept as it is"}', '{"response": "kept as it is"}'),
        ("response: kept as it is", "response: kept as it is"),
    ],
)
def test_a_single_text_is_the_reply_itself_or_what_its_tag_holds(text, expected):
    assert read_reply(text, TEXT) == {"response": expected}


@pytest.mark.parametrize(
    "text", ["", "  \n", "<think>only thoughts</think>", "<think>cut off", "<response></response>"]
)
def test_an_empty_text_is_refused(text):
    with pytest.raises(ReplyUnreadable, match="the field <response> is empty"):
        read_reply(text, TEXT)


@pytest.mark.parametrize(
    "text",
    [
        f"```python\n{F}\n```",
        f"<solution>\n{F}\n</solution>",
        f"Here:\n<solution>\n```py\n{F}\n```\n</solution>\nDone!",
        f"<solution>{F}",
        f"<think>def f(x): pass</think>\n{F}",
        f"  <Solution>\n{F}\n</SOLUTION>",
    ],
)
def test_a_single_program_is_taken_out_of_fences_and_tags(text):
    assert read_reply(text, CODE, entry_point="f") == {"solution": F}


def test_a_tag_inside_a_program_is_part_of_the_program():
    code = "def f(x):\n    return '<solution>x = 1</solution>' + x"
    assert read_reply(f"```python\n{code}\n```", CODE, entry_point="f") == {"solution": code}


@pytest.mark.parametrize(
    "text", ["", "I cannot do that.", "```json\n{}\n```", "```python\n```", "<solution></solution>"]
)
def test_a_reply_without_a_program_is_refused(text):
    with pytest.raises(ReplyUnreadable, match="there is no Python code in the reply"):
        read_reply(text, CODE)


# --- several fields --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "<review_result>false</review_result>\n<feedback>Too slow.</feedback>",
        "<REVIEW_RESULT>False</review_result> <Feedback>\nToo slow.\n</FEEDBACK>",
        "<feedback>Too slow.</feedback>\nSo:\n<review_result>no</review_result>",
        "<review_result>false\n<feedback>Too slow.",
        "<think><review_result>true</review_result></think><review_result>0</review_result><feedback>Too slow.",
        '{"review_result": false, "feedback": "Too slow."}',
        '```json\n{"feedback": "Too slow.", "review_result": "false", "more": [1]}\n```',
        'Sure! {"note": 1} {"review_result": false, "feedback": "Too slow."} Anything else?',
        "review_result: false\nfeedback: Too slow.",
        "Review result: **False**\nFeedback: Too slow.",
        "**Review Result:** no\n**Feedback:** Too slow.",
        "- **review_result**: false\n- **feedback**: Too slow.",
        "## Review_result: false\n\n## Feedback: \nToo slow.\n",
        "1. Review result: rejected\n2. Feedback: Too slow.",
    ],
)
def test_fields_are_read_from_tags_json_and_labels(text):
    assert read_reply(text, REVIEW) == {"review_result": False, "feedback": "Too slow."}


def test_a_field_may_have_several_lines_and_hold_what_looks_like_json_or_a_label():
    text = '<thought>first\n{"answer": "no"}\nanswer: no</thought>\n<answer>yes</answer>'
    assert read_reply(text, ANSWER) == {"thought": 'first\n{"answer": "no"}\nanswer: no', "answer": "yes"}


def test_json_may_hold_what_looks_like_a_tag():
    assert read_reply('{"thought": "a <answer> tag", "answer": "yes"}', ANSWER)["answer"] == "yes"


def test_json_values_of_other_kinds_become_text():
    assert read_reply('{"thought": ["a", 1], "answer": 42}', ANSWER) == {"thought": '["a", 1]', "answer": "42"}


@pytest.mark.parametrize("text", ["<review_result>true</review_result>", '{"review_result": true, "feedback": null}'])
def test_an_optional_field_may_be_left_out(text):
    assert read_reply(text, REVIEW) == {"review_result": True, "feedback": ""}


@pytest.mark.parametrize(
    ("spelling", "value"),
    [
        ("true", True), ("True.", True), (" YES ", True), ("**yes**", True), ("1", True), ("passed", True),
        ("Correct!", True), ("accept", True), ("Approved, well done", True), ("'true'", True), ("✅ yes", True),
        ("false", False), ("FALSE", False), ("no, because", False), ("0", False), ("Failed", False),
        ("incorrect", False), ("rejected", False), ("n", False), ("- no", False),
    ],
)  # fmt: skip
def test_a_flag_has_many_spellings(spelling, value):
    assert read_reply(f"<review_result>{spelling}</review_result>", REVIEW)["review_result"] is value


@pytest.mark.parametrize(("spelling", "value"), [("true", True), ("false", False), ("1", True), ("0", False)])
def test_a_flag_in_json_may_be_a_boolean_or_a_number(spelling, value):
    assert read_reply(f'{{"review_result": {spelling}}}', REVIEW)["review_result"] is value


@pytest.mark.parametrize("spelling", ["maybe", "", "10", "truely", "not sure", "[]", "x" * 5000])
def test_a_flag_that_is_none_is_refused_and_shown(spelling):
    with pytest.raises(ReplyUnreadable, match=r"the field <review_result> must be true or false, not ") as raised:
        read_reply(f"<review_result>{spelling}</review_result>", REVIEW)
    assert repr(spelling[:40]) in str(raised.value)
    assert len(str(raised.value)) < 120


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the field <thought> is missing"),
        ("<thought>a</thought>", "the field <answer> is missing"),
        ("thought: a", "the field <answer> is missing"),
        ('{"thought": "a"}', "the field <answer> is missing"),
        ('{"thought": "a", "answer": null}', "the field <answer> is missing"),
        ('{"thought": "a", "answer": " "}', "the field <answer> is empty"),
        ("<thought>a</thought><answer>\n</answer>", "the field <answer> is empty"),
        ("Thought: a\nAnswer:", "the field <answer> is empty"),
    ],
)
def test_a_missing_or_empty_field_is_named(text, message):
    with pytest.raises(ReplyUnreadable, match=message):
        read_reply(text, ANSWER)


# --- code ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        f"```python\n{F}\n```",
        f"```py\n{F}\n```",
        f"```Python3\n{F}\n```",
        f"```python3.11 title=a.py\n{F}\n```",
        f"``` python\n{F}\n```",
        f"```\n{F}\n```",
        f"````\n{F}\n````",
        f"~~~\n{F}\n~~~",
        f"~~~python\n{F}\n~~~",
        f"```python\n{F}",
        f"Sure, here it is:\n\n```python\n{F}\n```\n\nIt adds one.",
        f"```python\r\n{F}\r\n```\r\nDone.".replace("\n    ", "\r\n    "),
        "1. Like this:\n   ```python\n   def f(x):\n       return x + 1\n   ```",
        f"```text\nx = 1\nand much more than the code below has\n```\n```python\n{F}\n```",
        F,
        f"\n\n{F}\n\n",
        f"Here is the code:\n\n{F}",
        f"{F}\n\nThis adds one to x, doesn't it?",
        f"{F}\nThis adds one to x.",
        f"Here is the code:\n{F}\nIt works because x + 1 is right.\n\nExample: f(1) is 2.",
        f"from the problem I take this:\n\n{F}\n\nclass of problems: easy",
        f"<solution>\n{F}\n</solution>",
        f"Here is the code:\n{F}\n```",
    ],
)
def test_the_program_is_found_in_its_wrapping(text):
    assert extract_code(text, "f") == F


@pytest.mark.parametrize(
    ("blocks", "entry_point", "expected"),
    [
        ([F, G], "f", F),
        ([F, G], "g", G),
        ([G, F + "\n\n" + G.replace("g", "h")], "g", G),
        ([F, F + "\n# longer"], "", F + "\n# longer"),
        ([F + "\n# longer", G], "missing", F + "\n# longer"),
        (["print(f(1))", F], "f", F),
        (["def f(x): wrong", F, "print(f(1))"], "f", F),
        (["async def f(x): ...", "ffff = 1"], "f", "async def f(x): ..."),
        (["f = lambda x: x", "# f is a function, see above, said twice"], "f", "f = lambda x: x"),
        (["class f: ...", "ff = 2"], "f", "class f: ..."),
    ],
)
def test_of_several_blocks_the_last_that_defines_the_entry_point_wins_else_the_longest(blocks, entry_point, expected):
    text = "\n\nand then\n\n".join(f"```python\n{block}\n```" for block in blocks)
    assert extract_code(text, entry_point) == expected


@pytest.mark.parametrize(
    "broken",
    [
        "def f(x:\n    return x",
        "def f(x):\n    return (x + \n\nprint(f(2))",
        "def f(x)\n    return x\n\ndef g(x):\n    return x",
        "import math\n\ndef f(x)\n    return x",
        "def f(x):\n    x = 1\n  return x",
        "x = 'a\0b'",
    ],
)
@pytest.mark.parametrize("wrapping", ["{}", "Here it is:\n\n{}", "```python\n{}\n```"])
def test_broken_code_is_kept_whole_for_the_tests_to_judge(broken, wrapping):
    assert extract_code(wrapping.format(broken), "f") == broken


@pytest.mark.parametrize("text", ["", "   \n", "No code here.", "hello", "42", "```\n\n```", "<think>x = 1</think>"])
def test_where_there_is_no_code_none_is_returned(text):
    assert extract_code(text, "f") == ""


def test_code_that_is_no_definition_is_a_program_too():
    assert extract_code("for n in range(3):\n    print(n)") == "for n in range(3):\n    print(n)"


def test_reading_a_program_gives_no_warning_about_its_escapes():
    assert extract_code("x = '\\d'") == "x = '\\d'"


# --- hostile replies -------------------------------------------------------------------------------------

HOSTILE = [
    "\n", "<think>", "</think>", "`", "~", "```\n", "{", "*", " ", "\t\n", "<solution>", "<solution>\n", "(", "-",
    "not ", "x = (\n", '"""\n', "def f(\n\n", "review_result:\n", "**feedback", "[", '{"feedback":', "\\", "a",
    "a = 1\n", "import a\n", "@a\n", "\x00", "\u2028", "```python\nx = 1\n", "- * - ",
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("end", ["", "`", "\n\nx", "</feedback>"])
@pytest.mark.parametrize("piece", HOSTILE)
def test_a_hostile_reply_is_read_or_refused_quickly(piece, end):
    for text in (piece * (100_000 // len(piece)) + end, "<feedback>" + piece * (100_000 // len(piece)) + end):
        for fields in (TEXT, CODE, REVIEW, ANSWER):
            began = time.perf_counter()
            try:
                read_reply(text, fields, entry_point="f")
            except ReplyUnreadable as error:
                assert len(str(error)) < 200  # noqa: PT017 - either end is right, a long message is not
            assert time.perf_counter() - began < 3


@pytest.mark.parametrize(
    "text",
    [
        '```json\n{"thought": "t",\n "answer": "42",\n}\n```',
        "<thought>I put it in the <answer> tag.</thought><answer>42</answer>",
        "\\frac{a}{b} " * 30 + '{"thought": "t", "answer": "42"}',
        '<think>hm</think>```json\n{"thought": "t", "answer": "42"}\n```',
    ],
)
def test_answers_are_found_in_odd_wrappings(text):
    assert read_reply(text, BUILTIN["AnswerGenerate"].reply)["answer"] == "42"


def test_thoughts_may_end_right_before_a_fence():
    assert extract_code("<think>use ```x``` </think>```python\ndef f():\n    return 1\n```") == "def f():\n    return 1"


@pytest.mark.parametrize("text", ["No issues found", "True or False: False"])
def test_a_verdict_that_says_both_is_asked_for_again(text):
    with pytest.raises(ReplyUnreadable, match="must be true or false"):
        read_reply(f"<review_result>{text}</review_result><feedback>f</feedback>", BUILTIN["Review"].reply)
