"""Settings of DSPy that hold for one test."""

import os
import tempfile

import pytest

# DSPy opens its cache on disk when it is imported.
os.environ.setdefault("DSPY_CACHEDIR", tempfile.mkdtemp(prefix="dspy-cache-"))


@pytest.fixture
def using():
    """Returns a function that sets the LM and further settings of DSPy for the rest of the test."""
    from dspy.dsp.utils.settings import dotdict, main_thread_config, thread_local_overrides

    before = thread_local_overrides.get()

    def use(lm, **settings):  # as `dspy.context` does, but without a block that would have to end in the same task
        thread_local_overrides.set(dotdict({**main_thread_config, **before, "lm": lm, **settings}))

    yield use
    thread_local_overrides.set(before)
