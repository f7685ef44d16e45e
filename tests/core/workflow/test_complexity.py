import pytest

from flowreasoner.workflow import Complexity, Workflow, complexity

CALL = "r = await self.custom(input=problem, instruction='i')"


@pytest.fixture
def measure(write):
    def measured(body, **parts):
        return complexity(Workflow.parse(write(body, **parts), {}).program)

    return measured


@pytest.mark.parametrize(
    ("body", "cyclomatic", "sites", "nesting"),
    [
        ("return problem", 1, 0, 0),
        (f"{CALL}\nreturn r['response']", 1, 1, 0),
        ("if problem:\n    return 'a'\nreturn 'b'", 2, 0, 1),
        ("if problem:\n    return 'a'\nelif len(problem):\n    return 'b'\nelse:\n    return 'c'", 3, 0, 1),
        ("if problem:\n    return 'a'\nelse:\n    for x in problem:\n        pass\n    return 'c'", 3, 0, 2),
        ("for x in problem:\n    while x:\n        x = ''\nreturn problem", 3, 0, 2),
        ("try:\n    x = 1\nexcept ValueError:\n    x = 2\nexcept KeyError:\n    x = 3\nreturn str(x)", 3, 0, 1),
        ("return problem and problem or (problem or 'a')", 4, 0, 0),
        ("return 'a' if problem else 'b'", 2, 0, 0),
        ("return ''.join(x for row in problem for x in row)", 3, 0, 0),
        (f"for i in range(3):\n    if i:\n        {CALL}\n        print(r)\n    {CALL}\nreturn r['response']", 3, 2, 2),
    ],
)
def test_parts_are_counted(measure, body, cyclomatic, sites, nesting):
    assert measure(body) == Complexity(cyclomatic, sites, nesting)


def test_helper_methods_count_too(measure):
    members = (
        f"async def ask(self, problem):\n    if problem:\n        {CALL}\n        return r['response']\n    return ''"
    )
    assert measure("return await self.ask(problem)", members=members) == Complexity(2, 1, 1)


def test_score_lies_between_zero_and_one_and_grows():
    scores = [Complexity(1 + count, count, 0).score for count in range(50)]
    assert scores == sorted(set(scores))
    assert 0 < scores[0] < scores[-1] < 1


def test_score_is_one_half_at_a_raw_complexity_of_twelve():
    assert Complexity(6, 5, 1).raw == 12
    assert Complexity(6, 5, 1).score == 0.5
