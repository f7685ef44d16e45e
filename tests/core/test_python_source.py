import ast

import pytest

from flowreasoner.python_source import TooDeep, parse_python


def test_python_is_parsed_and_its_style_is_not_our_concern():
    assert isinstance(parse_python("x = '\\w'\ny = 1 is 1"), ast.Module)


@pytest.mark.parametrize("source", ["def f(:", "x = '\0'", "x = '\ud800'", "(" * 10_000])
def test_what_is_no_python_is_one_kind_of_error(source):
    with pytest.raises(SyntaxError):
        parse_python(source)


def test_what_is_nested_too_deep_says_so():
    with pytest.raises(TooDeep, match="nested too deep"):
        parse_python("-" * 500_000 + "1")
