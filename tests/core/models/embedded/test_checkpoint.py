import json

import numpy as np
import pytest
from embedded import tiny_checkpoint

from flowreasoner.errors import ModelRefused
from flowreasoner.models.embedded.checkpoint import LlamaConfig, load_checkpoint

NORM, EMBEDDINGS = "model.norm.weight", "model.embed_tokens.weight"


def changed_weights(folder, change):
    with np.load(folder / "weights.npz") as archive:
        weights = dict(archive)
    change(weights)
    np.savez(folder / "weights.npz", **weights)


def test_matrices_are_dequantised_row_by_row(tmp_path):
    folder = tiny_checkpoint(tmp_path)
    changed_weights(folder, lambda w: w["model.embed_tokens.weight.scale"].__setitem__(3, 2.0))
    with np.load(folder / "weights.npz") as archive:
        stored = archive[EMBEDDINGS]
    loaded = load_checkpoint(folder).weights[EMBEDDINGS]
    assert loaded.dtype == np.float32
    assert (loaded[3] == stored[3] * 2.0).all()


def test_the_digest_changes_with_each_part(tmp_path):
    digests = {load_checkpoint(tiny_checkpoint(tmp_path)).digest}
    digests.add(load_checkpoint(tiny_checkpoint(tmp_path, seed=1)).digest)
    digests.add(load_checkpoint(tiny_checkpoint(tmp_path, rms_norm_eps=1e-5)).digest)
    assert len(digests) == 3


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "weights.npz"])
def test_a_missing_file_is_named(tmp_path, name):
    (tiny_checkpoint(tmp_path) / name).unlink()
    with pytest.raises(ModelRefused, match=f"cannot read the checkpoint's {name} in .*No such file.*hf:PATH"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "weights.npz", "generation.json"])
@pytest.mark.parametrize("content", [b"", b"{", b"PK\x03\x04 no archive", b"\x80\x04]"])
def test_a_damaged_file_is_named(tmp_path, name, content):
    (tiny_checkpoint(tmp_path) / name).write_bytes(content)
    with pytest.raises(ModelRefused, match=name):
        load_checkpoint(tmp_path)


def test_a_cut_weights_file_is_refused(tmp_path):
    path = tiny_checkpoint(tmp_path) / "weights.npz"
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(ModelRefused, match=r"weights\.npz is damaged"):
        load_checkpoint(tmp_path)


def test_pickled_weights_are_never_read(tmp_path):
    changed_weights(tiny_checkpoint(tmp_path), lambda w: w.update({NORM: np.array([print], object)}))
    with pytest.raises(ModelRefused, match=r"weights\.npz is damaged: .*allow_pickle"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: w.pop(NORM), r"has no model\.norm\.weight;"),
        (lambda w: w.pop("model.embed_tokens.weight.scale"), r"has no model\.embed_tokens\.weight\.scale"),
        (lambda w: w.update(extra=np.zeros(1)), "unknown weight 'extra'"),
        (
            lambda w: w.update({NORM: np.ones(3, np.float32)}),
            r"must be float32 \(48,\), not float32 \(3,",
        ),
        (lambda w: w.update({NORM: np.ones(48)}), r"must be float32 \(48,\), not float64"),
        (lambda w: w.update({NORM: np.full(48, np.nan, np.float32)}), "not finite"),
        (
            lambda w: w.update({EMBEDDINGS: np.zeros((9, 48), np.int8)}),
            r"must be int8 .*not int8 \(9,",
        ),
    ],
)
def test_weights_that_do_not_fit_are_named(tmp_path, change, message):
    changed_weights(tiny_checkpoint(tmp_path), change)
    with pytest.raises(ModelRefused, match=message):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hidden_size": 0}, r"config\.json, hidden_size: .*greater than 0"),
        ({"hidden_size": "many"}, r"config\.json, hidden_size: .*integer"),
        ({"num_key_value_heads": 3}, "multiple of num_key_value_heads"),
        ({"head_dim": 7}, "head_dim must be even"),
        ({"hidden_act": "gelu"}, "hidden_act must be 'silu', not 'gelu'"),
        ({"attention_bias": True}, "attention_bias must be False, not True"),
        ({"model_type": "qwen2"}, "model_type must be 'llama', not 'qwen2'"),
        ({"rope_parameters": {"rope_type": "yarn"}}, "rope_type must be 'default', not 'yarn'"),
        ({"vocab_size": 100}, "the tokenizer has 320 tokens, but vocab_size is 100"),
    ],
)
def test_a_configuration_that_cannot_be_computed_is_refused(tmp_path, changes, message):
    folder = tiny_checkpoint(tmp_path)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **changes}))
    with pytest.raises(ModelRefused, match=message):
        load_checkpoint(folder)


def test_what_hugging_face_derives_is_derived():
    given = {"hidden_size": 48, "intermediate_size": 96, "num_hidden_layers": 1, "num_attention_heads": 4}
    given |= {"max_position_embeddings": 64, "vocab_size": 10, "rope_parameters": {"rope_theta": 5e5}}
    config = LlamaConfig.model_validate({**given, "num_key_value_heads": None, "head_dim": None})
    assert (config.head_dim, config.num_key_value_heads, config.rope_theta) == (12, 4, 5e5)


def test_wrong_generation_settings_are_named(tmp_path):
    folder = tiny_checkpoint(tmp_path, generation={"temperature": -1})
    with pytest.raises(ModelRefused, match=r"generation\.json, temperature"):
        load_checkpoint(folder)
