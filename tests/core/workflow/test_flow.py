import pytest

CALL = "r = await self.custom(input=problem, instruction='i')"
TEST = "r = await self.test(problem=problem, solution='', entry_point='f')"


@pytest.fixture
def codes(check_body):
    def found(body, **parts):
        return [(item.code, item.line) for item in check_body(body, **parts).diagnostics]

    return found


# --- names before use ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        "if problem:\n    x = 'a'\nelse:\n    x = 'b'\nreturn x",
        "for x in problem:\n    y = x\nreturn x + y",
        "while problem:\n    x = problem\n    problem = ''\nreturn x",
        "while True:\n    x = problem\n    if problem:\n        break\nreturn x",
        "try:\n    x = 'a'\nexcept Exception:\n    x = 'b'\nreturn x",
        "try:\n    x = problem\nexcept Exception:\n    return ''\nreturn x",
        "try:\n    x = problem\nfinally:\n    y = ''\nreturn x + y",
        "try:\n    pass\nexcept Exception as e:\n    return str(e)\nreturn ''",
        "return ''.join(c for row in problem for c in row if c)",
        "x = sorted(problem, key=lambda c: c)\nreturn x[0]",
        "x = [x for x in problem]\nreturn x[0]",
        "f = lambda n: f(n - 1) if n else ''\nreturn f(3)",
        "f = lambda n: x[n]\nx = problem\nreturn f(0)",
        "for i in range(3):\n    for j in range(3):\n        x = problem\n        break\nreturn x",
        "a, (b, *c) = problem\nreturn str(a) + str(b) + str(c)",
    ],
)
def test_names_that_are_always_assigned_are_accepted(codes, body):
    assert [item for item in codes(body) if item[0] != "unbounded-loop"] == []


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("y = x\nx = problem\nreturn x + y", 3),
        ("for i in problem:\n    pass\nreturn ''.join(j for j in problem) + j", 5),
        ("x = sorted(problem, key=lambda c: c)\nreturn c", 4),
        ("try:\n    pass\nexcept Exception as e:\n    pass\nreturn str(e)", 7),
        ("x = f(1)\nf = lambda y: y\nreturn str(x)", 3),
        ("x += 1\nreturn ''", 3),
        ("def_ = [y for y in y]\ny = 1\nreturn ''", 3),
    ],
)
def test_names_that_are_never_assigned_before_are_refused(codes, body, line):
    assert codes(body) == [("undefined-name", line)]


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("if problem:\n    x = 'a'\nreturn x", 5),
        ("try:\n    x = problem\nexcept Exception:\n    pass\nreturn x", 7),
        ("for i in problem:\n    if i:\n        x = i\nreturn x", 6),
        ("for i in problem:\n    if i:\n        break\n    x = i\nreturn x", 7),
        ("for i in problem:\n    if i:\n        continue\n    x = i\nreturn x", 7),
    ],
)
def test_names_assigned_on_some_paths_only_are_warned_of(codes, body, line):
    assert codes(body) == [("maybe-undefined", line)]


def test_what_is_assigned_before_continue_counts_for_the_next_round(codes):
    body = "for i in range(3):\n    if not i:\n        x = problem\n        continue\n    print(x)\nreturn x"
    assert codes(body) == [("maybe-undefined", 7), ("maybe-undefined", 8)]


# --- result keys ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (f"{CALL}\nreturn r['nothing']", ("unknown-key", 4)),
        (f"{CALL}\ns = r\nreturn s['nothing']", ("unknown-key", 5)),
        (f"return ({CALL.removeprefix('r = ')})['nothing']", ("unknown-key", 3)),
        (f"{CALL}\nr['response'] = 'x'\nreturn r['nothing']", ("unknown-key", 5)),
        (f"if problem:\n    {CALL}\nelse:\n    {TEST}\nreturn r['nothing']", ("unknown-key", 7)),
        (f"if problem:\n    {CALL}\nelse:\n    {TEST}\nreturn r['solution']", ("maybe-unknown-key", 7)),
        (f"if problem:\n    {CALL}\nelse:\n    r = {{}}\nreturn r['solution']", ("maybe-unknown-key", 7)),
        (f"{CALL}\nx = r if problem else None\nreturn x['nothing']", ("maybe-unknown-key", 5)),
        (f"{CALL}\nreturn r.get('nothing')", ("maybe-unknown-key", 4)),
        (
            f"for i in range(2):\n    {CALL}\n    {TEST}\n    print(r['response'])\nreturn r['solution']",
            ("unknown-key", 6),
        ),
    ],
)
def test_unknown_result_keys_are_found(codes, body, expected):
    assert [item for item in codes(body) if item[0] != "unused-result"] == [expected]


@pytest.mark.parametrize(
    "body",
    [
        f"{CALL}\nreturn r['response']",
        f"{CALL}\nr['score'] = 3\nreturn r['score']",
        f"{CALL}\nkey = 'x'\nr[key] = 3\nreturn r['score']",
        f"{CALL}\nr.update({{'score': 3}})\nreturn r['score']",
        f"{CALL}\nr.setdefault('score', 3)\nreturn r['score']",
        f"{CALL}\nr = {{'score': r['response']}}\nreturn r['score']",
        f"{CALL}\nfor r in [{{'score': r['response']}}]:\n    pass\nreturn r['score']",
        f"{CALL}\nreturn r[problem]",
    ],
)
def test_keys_that_may_be_there_are_accepted(codes, body):
    assert [item for item in codes(body) if item[0] == "unknown-key"] == []


def test_a_handler_may_still_see_the_first_of_two_results(codes):
    body = (
        f"try:\n    {CALL}\n    print(r['response'])\n    {TEST}\nexcept Exception:\n"
        f"    return r['response']\nreturn r['solution']"
    )
    assert ("unknown-key", 8) not in codes(body)


def test_a_call_that_is_not_awaited_has_no_keys(codes):
    assert codes(CALL.replace("await ", "") + "\nreturn r['response']") == [("missing-await", 4)]
    assert codes(CALL.replace("await ", "") + "\nr = await r\nreturn r['response']") == []


def test_hint_names_the_closest_key(check_body):
    (found,) = check_body(f"{CALL}\nreturn r['respnse']").diagnostics
    assert found.message == "Custom returns no 'respnse', did you mean 'response'?"
    assert found.remedy == "it returns 'response'"


# --- paths and loops -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        "if problem:\n    return 'a'\nelse:\n    return 'b'",
        "if problem:\n    return 'a'\nelif len(problem):\n    return 'b'\nelse:\n    return 'c'",
        "try:\n    return 'a'\nexcept Exception:\n    return 'b'",
        "try:\n    x = 1\nfinally:\n    return 'a'",
        "try:\n    x = 1\nexcept Exception:\n    return 'a'\nelse:\n    return 'b'",
        "while True:\n    if problem:\n        return 'a'",
    ],
)
def test_bodies_in_which_every_path_returns_are_accepted(codes, body):
    assert [item for item in codes(body) if item[0] != "unbounded-loop"] == []


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("x = 1", 3),
        ("if problem:\n    return 'a'", 3),
        ("for x in problem:\n    return 'a'", 3),
        ("try:\n    return 'a'\nexcept Exception:\n    pass", 3),
        ("while True:\n    if problem:\n        break", 3),
        ("'''Only this.'''", 3),
    ],
)
def test_bodies_that_may_end_without_return_are_refused(codes, body, line):
    assert ("missing-return", line) in codes(body)


def test_helper_methods_need_no_return(codes):
    assert (
        codes("self.note(problem)\nreturn problem", members="def note(self, text):\n    print(text)\n    return") == []
    )


@pytest.mark.parametrize(
    "body",
    [
        "return problem\nx = 1",
        "for x in problem:\n    break\n    y = 1\nreturn problem",
        "while True:\n    x = 1\n    continue\n    y = 1",
    ],
)
def test_statements_that_are_never_reached_are_reported(codes, body):
    assert [code for code, _ in codes(body)].count("unreachable") == 1


@pytest.mark.parametrize(
    "condition",
    ["len(found) < 3", "count < 3", "not flag", "state['n'] < 3", "count < 3 and problem"],
)
def test_loops_whose_condition_is_changed_inside_are_accepted(codes, condition):
    before = "found, count, flag, state = [], 0, False, {'n': 0}"
    inside = "    found.append(1)\n    count += 1\n    flag = True\n    state['n'] += 1"
    assert codes(f"{before}\nwhile {condition}:\n{inside}\nreturn problem") == []


@pytest.mark.parametrize("condition", ["problem", "1 < 2", "len(problem) > 1", "not problem"])
def test_loops_that_change_nothing_of_their_condition_are_refused(check_body, condition):
    (found,) = check_body(f"while {condition}:\n    x = 1\nreturn problem").diagnostics
    assert (found.code, found.severity, found.line) == ("unbounded-loop", "error", 3)
    assert condition in found.message


def test_nested_loops_report_each_finding_once(codes):
    body = (
        "for a in problem:\n    for b in a:\n        while True:\n            print(missing[b])\n"
        "            break\n    missing = {}\nreturn problem"
    )
    assert [code for code, _ in codes(body)] == ["unbounded-loop", "maybe-undefined"]


# --- waste ---------------------------------------------------------------------------------------------------


def test_results_that_nothing_reads_are_reported(codes):
    assert codes(f"{CALL}\nreturn problem") == [("unused-result", 3)]
    assert codes(f"{CALL.removeprefix('r = ')}\nreturn problem") == [("unused-result", 3)]
    assert codes(f"{CALL.removeprefix('r = await ')}\nreturn problem") == [("unused-result", 3)]
    assert codes(f"for _ in range(3):\n    {CALL}\nreturn problem") == [("unused-result", 4)]


def test_results_read_in_any_way_are_not_reported(codes):
    assert codes(f"{CALL}\nprint(r)\nreturn problem") == []
    assert codes(f"x = []\nx.append({CALL.removeprefix('r = ')})\nreturn problem") == []


def test_results_of_helper_methods_may_go_unread(codes):
    assert codes("self.note()\nreturn problem", members="def note(self):\n    return 1") == []
