import pytest
import torch

from flowreasoner_training.threads import threads


def test_afterwards_there_are_as_many_threads_as_before():
    before = torch.get_num_threads()
    with threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before
    with threads(None):
        assert torch.get_num_threads() == before


def test_an_interruption_leaves_the_threads_as_they_were():
    before = torch.get_num_threads()

    def interrupted():
        with threads(before + 1):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert torch.get_num_threads() == before
