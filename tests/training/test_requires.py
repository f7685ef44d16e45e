"""The versions of the training's packages: what is asked for, what is locked, and what is said when one is missing."""

import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from flowreasoner.errors import PluginError
from flowreasoner_training.requires import explained, require_training

ROOT = Path(__file__).parents[2]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


def asked(extra):
    requirements = [Requirement(line) for line in EXTRAS[extra]]
    return {canonicalize_name(item.name): item for item in requirements if item.name != "flowreasoner"}


def pins(lock):
    lines = (ROOT / "requirements" / lock).read_text().splitlines()
    requirements = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(item.name): str(item.specifier).removeprefix("==") for item in requirements}


@pytest.mark.parametrize(
    ("lock", "extras"), [("cpu.txt", ["train", "embedded"]), ("gpu.txt", ["train", "vllm", "deepspeed", "qlora"])]
)
def test_every_lock_pins_what_the_extras_ask_for_within_their_ranges(lock, extras):
    pinned = pins(lock)
    for extra in extras:
        for name, requirement in asked(extra).items():
            assert pinned[name] in requirement.specifier, (lock, name)


def test_the_lock_for_gpus_is_one_that_vllm_and_trl_allow():
    """TRL 1.16 takes vLLM up to 0.31, which takes transformers below 5.18 and torch 2.13.0 alone."""
    pinned = pins("gpu.txt")
    assert pinned["vllm"] == "0.31.0"
    assert pinned["torch"] == pins("cpu.txt")["torch"] == "2.13.0"
    assert pinned["transformers"] in Requirement("transformers>=5.10.4,<5.18").specifier
    assert pinned["trl"] == pins("cpu.txt")["trl"]


def test_trl_allows_the_locked_vllm():
    try:
        wanted = [Requirement(line) for line in metadata.requires("trl")]
    except metadata.PackageNotFoundError:
        pytest.skip("trl is not installed")
    (vllm,) = (item for item in wanted if item.name == "vllm" and item.marker.evaluate({"extra": "vllm"}))
    assert pins("gpu.txt")["vllm"] in vllm.specifier


@pytest.mark.parametrize(
    ("module", "extra"), [("transformers", "train"), ("vllm.engine", "vllm"), ("deepspeed", "deepspeed")]
)
def test_a_missing_package_names_its_extra(module, extra):
    with (
        pytest.raises(PluginError, match=rf'the thing needs: pip install "flowreasoner\[{extra}\]"'),
        explained("the thing"),
    ):
        raise ModuleNotFoundError("gone", name=module)


def test_other_failures_pass():
    with pytest.raises(ModuleNotFoundError), explained("the thing"):
        raise ModuleNotFoundError("gone", name="somebody_elses")
    with pytest.raises(ImportError), explained("the thing"):
        raise ImportError("broken", name="torch")


def test_training_wants_the_version_whose_seams_it_uses(monkeypatch):
    versions = {"torch": "2.13.0+cpu", "trl": "1.16.4"}
    monkeypatch.setattr(metadata, "version", versions.__getitem__)
    require_training()
    versions["trl"] = "1.17.0"
    with pytest.raises(PluginError, match=r"trl 1\.17\.0 is installed, and training needs >=1\.16,<1\.17"):
        require_training()


def test_a_checkpoint_is_explained_before_it_is_asked(monkeypatch, tmp_path):
    from flowreasoner.models import model_from_uri
    from flowreasoner_training import flowreasoner_chat_models

    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_text("{}")
    schemes = flowreasoner_chat_models()
    assert model_from_uri(f"hf:{tmp_path}", schemes=schemes).name.startswith("hf:")

    def version(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", version)
    with pytest.raises(PluginError, match=r'torch is not installed, .*pip install "flowreasoner\[train\]"'):
        model_from_uri(f"hf:{tmp_path}", schemes=schemes)


@pytest.mark.parametrize("name", ["numpy", "tokenizers"])
def test_embedded_and_train_agree(name):
    assert asked("embedded")[name].specifier == asked("train")[name].specifier
