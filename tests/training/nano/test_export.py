import json

import numpy as np
import pytest

pytest.importorskip("torch", reason="exporting reads checkpoints with torch: the extra train")
transformers = pytest.importorskip("transformers", reason="the peer that the runtime is compared with")

import torch  # noqa: E402
from embedded import tiny_tokenizer  # noqa: E402

from flowreasoner.errors import ModelRefused  # noqa: E402
from flowreasoner.models import ChatRequest, Message, model_from_uri  # noqa: E402
from flowreasoner.models.embedded.checkpoint import load_checkpoint  # noqa: E402
from flowreasoner.models.embedded.prompts import PromptReader  # noqa: E402
from flowreasoner.models.embedded.transformer import Memory, Transformer  # noqa: E402
from flowreasoner_training.nano.architecture import new_model  # noqa: E402
from flowreasoner_training.nano.export import export_embedded, quantise  # noqa: E402
from flowreasoner_training.nano.tokenizer import make_tokenizer  # noqa: E402
from flowreasoner_training.recipes.schema import NanoModel  # noqa: E402


def trained(folder, **changes):
    """Writes a random Llama as training would, with large enough weights that its logits differ."""
    tokenizer = tiny_tokenizer()
    shape = {
        "vocab_size": tokenizer.get_vocab_size(),
        "hidden_size": 48,
        "intermediate_size": 112,
        "num_hidden_layers": 3,
        "num_attention_heads": 6,
        "num_key_value_heads": 2,
        "max_position_embeddings": 256,
        "tie_word_embeddings": True,
        "initializer_range": 0.2,
        "bos_token_id": None,
        "eos_token_id": tokenizer.token_to_id("<|im_end|>"),
    }
    torch.manual_seed(0)
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**{**shape, **changes})).eval()
    model.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    return model


def dequantised(model, folder):
    """Gives the model the weights that the export holds."""
    weights = {name: torch.from_numpy(value.copy()) for name, value in load_checkpoint(folder).weights.items()}
    missing, unexpected = model.load_state_dict(weights, strict=False)
    assert set(missing) <= {"lm_head.weight"}
    assert not unexpected
    model.tie_weights()
    return model


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"tie_word_embeddings": False, "num_key_value_heads": 6},
        {"head_dim": 16, "rope_parameters": {"rope_type": "default", "rope_theta": 500_000.0}, "rms_norm_eps": 1e-5},
    ],
    ids=["grouped", "untied", "wide heads"],
)
def test_logits_are_those_of_transformers(tmp_path, changes):
    model = trained(tmp_path / "hf", **changes)
    export_embedded(tmp_path / "hf", tmp_path / "out")
    dequantised(model, tmp_path / "out")
    checkpoint = load_checkpoint(tmp_path / "out")
    transformer = Transformer(checkpoint.config, checkpoint.weights)
    ids = np.random.default_rng(0).integers(0, checkpoint.config.vocab_size, 150)
    with torch.no_grad():
        expected = model(torch.from_numpy(ids[None])).logits[0].numpy()
    assert expected.std() > 0.5
    memory = Memory(checkpoint.config, len(ids))
    found = [PromptReader(transformer).read(ids[:100], memory)]
    found += [transformer.step([token], [memory])[0] for token in ids[100:]]
    np.testing.assert_allclose(np.array(found), expected[99:], atol=1e-3)


async def test_greedy_text_is_that_of_transformers(tmp_path):
    model = trained(tmp_path / "hf")
    export_embedded(tmp_path / "hf", tmp_path / "out")
    dequantised(model, tmp_path / "out")
    embedded = model_from_uri(f"embedded:{tmp_path / 'out'}?temperature=0&max_tokens=40")
    for prompt in ("Sort the list.", "x", "def f(x):\n    return x"):
        request = ChatRequest.ask(prompt)
        ids = torch.tensor([embedded.tokens(request.messages)])
        written = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=40, do_sample=False)
        expected = tiny_tokenizer().decode(written[0, ids.shape[1] :].tolist(), skip_special_tokens=True)
        assert (await embedded.complete(request)).text == expected


def test_a_bfloat16_checkpoint_is_exported_in_a_quarter_of_float32(tmp_path):
    model = trained(tmp_path / "hf").to(torch.bfloat16)
    model.save_pretrained(tmp_path / "hf")
    export_embedded(tmp_path / "hf", tmp_path / "out")
    assert (tmp_path / "out" / "weights.npz").stat().st_size < model.num_parameters() * 1.3


def test_exporting_twice_gives_the_same_bytes(tmp_path):
    trained(tmp_path / "hf")
    for name in ("a", "b"):
        export_embedded(tmp_path / "hf", tmp_path / name, {"temperature": 0.7, "max_tokens": 99})
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()
    generation = load_checkpoint(tmp_path / "a").generation
    assert (generation.temperature, generation.top_p, generation.max_tokens) == (0.7, 1.0, 99)


def test_rounding_is_by_at_most_half_a_step_of_each_row():
    matrix = np.random.default_rng(0).normal(size=(20, 30)).astype(np.float32) * np.logspace(-4, 4, 20)[:, None]
    matrix[3] = 0
    whole, scales = quantise(matrix.astype(np.float32))
    assert (np.abs(whole * scales[:, None] - matrix) <= scales[:, None] * 0.501).all()
    assert np.abs(whole).max(axis=1).tolist() == [0 if row == 3 else 127 for row in range(20)]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "model.safetensors").unlink(), r"cannot read .*model\.safetensors"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"no"), r"cannot read .*model\.safetensors"),
        (lambda folder: (folder / "tokenizer.json").unlink(), r"cannot read .*tokenizer\.json.*save_pretrained"),
        (lambda folder: (folder / "config.json").unlink(), r"cannot read .*config\.json.*save_pretrained"),
    ],
)
def test_a_checkpoint_that_is_not_whole_is_refused(tmp_path, damage, message):
    trained(tmp_path)
    damage(tmp_path)
    with pytest.raises(ModelRefused, match=message):
        export_embedded(tmp_path, tmp_path / "out")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "qwen2"}, "config.json cannot be exported: .*must be 'llama', not 'qwen2'"),
        ({"hidden_size": 24, "head_dim": 8}, r"must be \(320, 24\) by config\.json, not \(320, 48\)"),
        ({"tie_word_embeddings": False}, r"has no lm_head\.weight"),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(tmp_path, changes, message):
    trained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, **changes}))
    with pytest.raises(ModelRefused, match=message):
        export_embedded(tmp_path, tmp_path / "out")


def test_weights_that_are_not_finite_are_refused(tmp_path):
    model = trained(tmp_path)
    with torch.no_grad():
        model.model.norm.weight[0] = float("nan")
    model.save_pretrained(tmp_path)
    with pytest.raises(ModelRefused, match=r"model\.norm\.weight holds numbers that are not finite"):
        export_embedded(tmp_path, tmp_path / "out")


async def test_a_conversation_is_tokenised_as_in_training(tmp_path):
    tokenizer = make_tokenizer(["Sort the words of the list.\n", "def f(v):"], ["Answer with the function alone."], 300)
    model = new_model(tokenizer, NanoModel(width=32, layers=1, vocabulary=512, positions=256), seed=0)
    model.save_pretrained(tmp_path / "hf")
    tokenizer.save_pretrained(tmp_path / "hf")
    export_embedded(tmp_path / "hf", tmp_path / "out")
    messages = (
        Message("system", "Answer with the function alone."),
        Message("user", "\nSort `x`: Answer with the function alone.\n\n"),
        Message("assistant", "```python\ndef f(v):\n```"),
        Message("user", ""),
    )
    expected = tokenizer.apply_chat_template(
        [{"role": item.role, "content": item.content} for item in messages], add_generation_prompt=True
    )
    assert model_from_uri(f"embedded:{tmp_path / 'out'}").tokens(messages) == expected["input_ids"]
