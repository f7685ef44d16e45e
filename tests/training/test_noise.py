import warnings

import pytest
from transformers.utils.logging import enable_progress_bar, is_progress_bar_enabled

from flowreasoner_training.noise import less_noise


def test_bars_are_silent_meanwhile_and_as_they_were_afterwards():
    enable_progress_bar()
    with less_noise(), less_noise():
        assert not is_progress_bar_enabled()
    assert is_progress_bar_enabled()


@pytest.mark.filterwarnings("error")
def test_only_what_libraries_say_to_each_other_is_silenced():
    with less_noise():
        warnings.warn("`gradient_checkpointing` is deprecated and will be removed", FutureWarning, stacklevel=1)
        with pytest.warns(FutureWarning, match="something else"):
            warnings.warn("something else is deprecated", FutureWarning, stacklevel=1)
