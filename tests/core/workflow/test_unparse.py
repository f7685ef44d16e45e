import ast

import pytest

from flowreasoner.workflow.unparse import unparse

# The same text on every Python: 3.11 can read none that reuses a quote or has an escape in a placeholder.
PRINTED = {
    """f'a {x}'""": """f'a {x}'""",
    """f"a {d['k']}\"""": """f"a {d['k']}\"""",
    """f'''say "hi" {d['k']}'''""": r'''f"say \"hi\" {d['k']}"''',
    """f"it's {x}\"""": '''f"it's {x}"''',
    """f'''it's "{x}"'''""": r"""f'it\'s "{x}"'""",
    r"""f'a\\b\n{x!r}é☃\x00'""": r"""f'a\\b\n{x!r}é☃\x00'""",
    """f'{{{x}}}'""": """f'{{{x}}}'""",
    """f'{x:>{w}.2f}'""": """f'{x:>{w}.2f}'""",
    """f'{ {1: 2}[1] }'""": """f'{ {1: 2}[1]}'""",
    """f'{(x if x else d["k"])}' + f'{x}'""": """f"{(x if x else d['k'])}" + f'{x}'""",
    """[f'{x}' for x in f'{d}'.split()]""": """[f'{x}' for x in f'{d}'.split()]""",
    """f'{(lambda: x)()}{(lambda: x)}'""": """f'{(lambda: x)()}{(lambda: x)}'""",
    """f''""": """f''""",
}


@pytest.mark.parametrize("source", PRINTED)
def test_fstrings_are_printed_for_every_python(source):
    tree = ast.parse(source, mode="eval")
    before = ast.dump(tree)
    assert unparse(tree) == PRINTED[source]
    assert ast.dump(tree) == before, "the tree is left as it was"
    assert ast.dump(ast.parse(PRINTED[source], mode="eval")) == before
