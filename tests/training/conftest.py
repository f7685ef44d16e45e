import pytest


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """Folder of a random two-layer model."""
    from tiny_model import tiny_model

    return tiny_model(tmp_path_factory.mktemp("tiny"))
