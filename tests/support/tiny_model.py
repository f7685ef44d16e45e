"""A random two-layer model with a byte-level tokenizer and a ChatML template: a real checkpoint, but small."""

from pathlib import Path

CHATML = """\
{%- for message in messages -%}
<|im_start|>{{ message['role'] }}
{% if message['role'] == 'assistant' %}{% generation %}{{ message['content'] }}<|im_end|>{% endgeneration %}
{% else %}{{ message['content'] }}<|im_end|>
{% endif %}
{%- endfor -%}
{%- if add_generation_prompt -%}<|im_start|>assistant
{% endif %}"""
SPECIALS = ["<|pad|>", "<|im_start|>", "<|im_end|>"]


def tiny_tokenizer(specials=SPECIALS, template=CHATML, merges=300):
    """Returns a tokenizer whose merges come from the product's own instructions, so that tasks are short."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    from flowreasoner.designers import instructions

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=256 + len(specials) + merges, special_tokens=specials, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator([instructions.SYSTEM, instructions.TASK, instructions.NEXT], trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=specials[0],
        eos_token=specials[-1],
        chat_template=template,
        clean_up_tokenization_spaces=False,
        padding_side="left",
    )


def tiny_model(folder, seed=0, hidden=32) -> Path:
    """Writes model and tokenizer into a folder and returns it."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = Path(folder)
    tokenizer = tiny_tokenizer()
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=hidden,
        intermediate_size=2 * hidden,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=4096,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
