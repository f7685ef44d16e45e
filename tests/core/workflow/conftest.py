"""What the tests of the workflow language share."""

import textwrap

import pytest

from flowreasoner.workflow import check


@pytest.fixture
def write():
    """Writes a workflow whose ``__call__`` has the given statements, the first of them on line 3."""

    def written(body, *, parameters="problem", members=""):
        header = f"class Workflow:\n    async def __call__(self, {parameters}):\n"
        return header + _indented(body, 8) + _indented(members, 4)

    return written


@pytest.fixture
def check_body(write):
    """Checks a workflow written by `write`."""

    def checked(body, prompts=None, **parts):
        return check(write(body, **parts), {} if prompts is None else prompts)

    return checked


def _indented(text, by):
    return textwrap.indent(textwrap.dedent(text).strip("\n"), " " * by) + "\n"
