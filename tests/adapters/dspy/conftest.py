"""Settings of DSPy that hold for one test."""

import os
import tempfile

import pytest

# DSPy opens its cache on disk when it is imported.
os.environ.setdefault("DSPY_CACHEDIR", tempfile.mkdtemp(prefix="dspy-cache-"))


@pytest.fixture
def using():
    """Returns a function that sets the LM and further settings of DSPy for the rest of the test."""
    import dspy

    entered = []

    def use(lm, **settings):
        context = dspy.context(lm=lm, **settings)
        context.__enter__()
        entered.append(context)

    yield use
    for context in reversed(entered):
        context.__exit__(None, None, None)
