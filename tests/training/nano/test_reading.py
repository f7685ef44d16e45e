"""The meta-agent's readings: right counts and plans of training queries, in the conversations that it will have."""

import re

from tiny_model import tiny_tokenizer

from flowreasoner.designers.conversation import conversation, task_message
from flowreasoner.miniature import queries
from flowreasoner.operators import BUILTIN
from flowreasoner_training.nano.reading import encode_reading, readings
from flowreasoner_training.nano.teacher import size_of

MADE = list(readings(0, 100, BUILTIN.values(), 64))


def test_the_count_is_the_plans():
    for made in MADE:
        begun, *plan = made.thoughts.split("\n")
        depth = int(re.fullmatch(r"<think>The query asks for (\d) steps?\.", begun)[1])
        assert begun == f"<think>{size_of(depth)}"
        assert [line.partition(".")[0] for line in plan] in ([], [str(n) for n in range(1, depth + 1)])


def test_every_fifth_reads_the_task_as_a_meta_agent_gets_it():
    task = conversation(task_message(queries("train", 1)[0], BUILTIN.values(), 64), [])
    whole = [made for made in MADE if len(made.messages) == len(task)]
    assert len(whole) == 20
    for made in whole:
        assert made.messages[0] == task[0]
        assert made.messages[1].content.partition("# Operators")[2] == task[1].content.partition("# Operators")[2]
        assert "\n" not in made.thoughts


def test_no_held_out_query_is_read():
    held_out = {query.problem for query in queries("test", 200)}
    assert not any(problem in message.content for made in MADE for message in made.messages for problem in held_out)


def test_readings_depend_on_the_seed_alone():
    assert list(readings(0, 5, BUILTIN.values(), 64)) == MADE[:5]
    assert list(readings(1, 5, BUILTIN.values(), 64)) != MADE[:5]


def test_only_the_thoughts_are_learnt_and_not_that_they_end():
    tokenizer = tiny_tokenizer()
    example = encode_reading(tokenizer, MADE[1])
    assert tokenizer.decode(example.ids[: example.asked]).endswith("<|im_start|>assistant\n")
    assert tokenizer.decode(example.ids[example.asked :]) == MADE[1].thoughts
