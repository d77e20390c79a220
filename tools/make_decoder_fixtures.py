"""Writes the decoders of tests/fixtures/decoders: small random checkpoints and transformers' float32 answers to them.

    python tools/make_decoder_fixtures.py [llama] [gemma2] ...      (none named: all)
    python tools/make_decoder_fixtures.py --shipped                 (the answers alone, for weights/llama-shakespeare)
    python tools/make_decoder_fixtures.py --large OUT_DIR           (a Llama of 113 M parameters, not committed)

Every folder is what `save_pretrained` writes, in float16 or bfloat16, and beside it

    reference.json         ids: a prompt; positions: those of its tokens whose logits are stored; variants: by name
                           {config: fields that are said otherwise, context: what the model is loaded for,
                            greedy: {prompt, tokens, gaps}}, where gaps[i] is how far tokens[i] led the second best
    reference.safetensors  by the name of the variant: float32 [len(positions), vocabulary]

Answers are computed in float32 from the stored weights, widened. A text of more tokens than the angles were trained for is
computed anew for each token, with angles for the whole context, as an engine with a cache of that length has them.
"""

import json
import shutil
import sys
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from tokenizers import Tokenizer

from reference_gpt2 import decode, logits_at

REPOSITORY = Path(__file__).resolve().parent.parent
ROOT = REPOSITORY / "tests" / "fixtures" / "decoders"
SHIPPED = "llama-shakespeare"
VOCABULARY = 97
POSITIONS = [0, 1, 5, 11, 18, 29, 36]
SMALL = dict(vocab_size=VOCABULARY, max_position_embeddings=96, initializer_range=0.25, bos_token_id=0, eos_token_id=0, pad_token_id=0)


def rope(kind, **numbers):
    return {"rope_theta": 10000.0, "rope_type": kind, **numbers}


def longrope(short, long, **numbers):
    return rope("longrope", short_factor=short, long_factor=long, **numbers)


WAVES = dict(short=[1.0, 1.1, 1.3], long=[1.0, 2.0, 5.0])

# What is made: the class, its config, the type in the file, and variants of the config under which it answers too.
DECODERS = {
    "llama": ("Llama", dict(hidden_size=24, intermediate_size=36, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2), "float16", {
        "linear": {"rope_parameters": rope("linear", factor=4.0)},
        "older": {"rope_parameters": None, "rope_theta": 500.0, "rope_scaling": {"type": "linear", "factor": 2.0}},
        "dynamic": {"rope_parameters": rope("dynamic", factor=2.0)},
        "llama3": {"rope_parameters": rope("llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64)},
        "yarn": {"rope_parameters": rope("yarn", factor=3.0, original_max_position_embeddings=32)},
        "yarn-mscale": {"rope_parameters": rope("yarn", factor=3.0, original_max_position_embeddings=32, beta_fast=8.0, beta_slow=2.0, mscale=0.7, mscale_all_dim=0.4, truncate=False)},
        "longrope": {"rope_parameters": longrope(**WAVES, factor=3.0, original_max_position_embeddings=96)},
        "relu2": {"hidden_act": "relu2"},
    }),
    "llama-shards": ("Llama", dict(hidden_size=32, intermediate_size=40, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=4, head_dim=12, tie_word_embeddings=True, attention_bias=True, mlp_bias=True), "bfloat16", {}),
    "llama-mqa": ("Llama", dict(hidden_size=30, intermediate_size=44, num_hidden_layers=2, num_attention_heads=3, num_key_value_heads=1, attention_bias=True), "bfloat16", {}),
    "mistral": ("Mistral", dict(hidden_size=24, intermediate_size=36, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, sliding_window=7), "bfloat16", {
        "whole": {"sliding_window": None},
    }),
    "qwen2": ("Qwen2", dict(hidden_size=28, intermediate_size=36, num_hidden_layers=3, num_attention_heads=7, num_key_value_heads=1, use_sliding_window=True, sliding_window=9, max_window_layers=1, tie_word_embeddings=True), "bfloat16", {
        "whole": {"use_sliding_window": False, "layer_types": ["full_attention"] * 3},
    }),
    "qwen3": ("Qwen3", dict(hidden_size=24, intermediate_size=36, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, head_dim=8, tie_word_embeddings=True), "bfloat16", {}),
    "qwen3-bias": ("Qwen3", dict(hidden_size=24, intermediate_size=36, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=2, head_dim=10, attention_bias=True), "float16", {}),
    "smollm3": ("SmolLM3", dict(hidden_size=24, intermediate_size=36, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2, no_rope_layer_interval=2), "bfloat16", {
        "window": {"use_sliding_window": True, "sliding_window": 6, "layer_types": None},
        "list": {"no_rope_layers": [0, 1, 0]},
    }),
    "gemma": ("Gemma", dict(hidden_size=24, intermediate_size=36, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=1, head_dim=8), "bfloat16", {
        "gelu": {"hidden_act": "gelu"},
    }),
    "gemma2": ("Gemma2", dict(hidden_size=24, intermediate_size=36, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2, head_dim=8, query_pre_attn_scalar=6, sliding_window=6, attn_logit_softcapping=4.0, final_logit_softcapping=9.0), "bfloat16", {
        "uncapped": {"attn_logit_softcapping": None, "final_logit_softcapping": None},
    }),
    "gemma3": ("Gemma3", dict(hidden_size=24, intermediate_size=36, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2, head_dim=8, query_pre_attn_scalar=10, sliding_window=5, layer_types=["sliding_attention", "sliding_attention", "full_attention"]), "bfloat16", {
        "older": {"rope_parameters": None, "rope_theta": 3000.0, "rope_local_base_freq": 200.0, "rope_scaling": {"rope_type": "linear", "factor": 8.0}, "layer_types": None, "sliding_window_pattern": 2},
    }),
    "phi3": ("Phi3", dict(hidden_size=24, intermediate_size=36, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, original_max_position_embeddings=20, rope_parameters=longrope(**WAVES)), "bfloat16", {
        "window": {"sliding_window": 8},
        "unscaled": {"rope_parameters": rope("default")},
        "partial": {"rope_parameters": {**rope("default"), "partial_rotary_factor": 0.67}},
    }),
    "gpt-neox": ("GPTNeoX", dict(hidden_size=24, intermediate_size=36, num_hidden_layers=2, num_attention_heads=3), "float16", {
        "sequential": {"use_parallel_residual": False},
        "older": {"rope_parameters": None, "rotary_pct": 0.5, "rotary_emb_base": 300.0},
    }),
    "gpt-neox-unbiased": ("GPTNeoX", dict(hidden_size=24, intermediate_size=36, num_hidden_layers=2, num_attention_heads=2, attention_bias=False, rope_parameters={**rope("default"), "partial_rotary_factor": 1.0}, tie_word_embeddings=True), "bfloat16", {}),
    "olmo2": ("Olmo2", dict(hidden_size=24, intermediate_size=36, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2), "bfloat16", {}),
    "granite": ("Granite", dict(hidden_size=24, intermediate_size=36, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, embedding_multiplier=1.7, residual_multiplier=0.6, attention_multiplier=0.3, logits_scaling=2.5, attention_bias=True, mlp_bias=True), "bfloat16", {}),
}  # fmt: skip


@torch.no_grad()
def randomise(net, one_norms):
    """Makes every bias and every normalisation count: transformers starts them at zeros and ones, which would hide their loss."""
    for name, parameter in net.named_parameters():
        if parameter.dim() == 1:
            ones = "norm" in name and name.endswith("weight") and one_norms
            parameter.copy_((1 if ones else 0) + 0.2 * torch.randn_like(parameter))
    if not one_norms:  # Gemma's table is scaled up and is the head too: each token would be followed by itself
        net.model.embed_tokens.weight.mul_(0.2)
        net.model.norm.weight.add_(4)


def classes(name):
    kind = {"Gemma3": "Gemma3Text"}.get(name, name)
    return getattr(transformers, f"{kind}Config"), getattr(transformers, f"{name}ForCausalLM")


def answered(make, state, fields):
    """The model of a config that says some fields otherwise, with the same weights, in float32."""
    config, model = make
    net = model(config(**fields)).float().eval()
    net.load_state_dict(state)
    if net.config.tie_word_embeddings:
        net.tie_weights()
    net.config._attn_implementation = "eager"
    return net


def variant(net, ids):
    tokens, gaps = decode(net, ids[:5])
    greedy = {"prompt": ids[:5], "tokens": tokens, "gaps": [round(gap, 6) for gap in gaps]}
    return logits_at(net, ids, POSITIONS).contiguous(), greedy


def long_variant(net, ids):
    """Angles that depend on the length of a text are those of the longest: the last forward pass has them, all earlier ones take them over."""
    rotary = net.model.rotary_emb
    rotary(torch.zeros(1), torch.tensor([[net.config.max_position_embeddings - 1]]))
    rotary.original_inv_freq = rotary.inv_freq
    return variant(net, ids)


def make(name, folder, kind, fields, dtype, variants):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    torch.manual_seed(15)
    both = classes(kind)
    fields = {**SMALL, **fields}
    net = both[1](both[0](**fields))
    randomise(net, one_norms="Gemma" not in kind)
    net = net.to(getattr(torch, dtype)).eval()
    net.save_pretrained(folder, max_shard_size="9kB" if "shards" in name else "1GB")
    (folder / "generation_config.json").unlink(missing_ok=True)
    state = {key: tensor.float() for key, tensor in net.state_dict().items()}
    ids = torch.randint(1, fields["vocab_size"], (37,)).tolist()
    reference = {"ids": ids, "positions": POSITIONS, "variants": {}}
    logits = {}

    def add(title, config, net, answer, **more):
        logits[title], greedy = answer(net, ids)
        reference["variants"][title] = {"config": config, **more, "greedy": greedy}
        print(f"{name} {title}: {len(set(greedy['tokens']))} different greedy tokens, smallest gap {min(greedy['gaps']):.4f}, deviation {logits[title].std():.3f}")

    for title, other in {"plain": {}, **variants}.items():
        own = {**fields, **other}
        net = answered(both, state, {key: value for key, value in own.items() if value is not None or key in ("sliding_window", "attn_logit_softcapping", "final_logit_softcapping")})
        angles = net.config.rope_parameters
        if angles.get("original_max_position_embeddings", 96) < 96 and angles["rope_type"] == "longrope":
            add(title, other, net, long_variant, context=96)
        else:
            add(title, other, net, variant)
    write(folder, reference, logits)


def write(folder, reference, logits):
    (folder / "reference.json").write_text(json.dumps(reference) + "\n")
    save_file(logits, folder / "reference.safetensors")


def shipped():
    """Answers of the Llama that ships to words it was not trained on."""
    weights = REPOSITORY / "weights" / SHIPPED
    text = "ROMEO:\nThe kiln is warm, good sir, and every tile\nDoth hold the morning light. What say you now?\n\nJULIET:\n"
    ids = Tokenizer.from_file(str(weights / "tokenizer.json")).encode(text).ids
    net = transformers.AutoModelForCausalLM.from_pretrained(weights, dtype=torch.float32, attn_implementation="eager").eval()
    logits, greedy = variant(net, ids)
    (ROOT / SHIPPED).mkdir(exist_ok=True)
    write(ROOT / SHIPPED, {"ids": ids, "positions": POSITIONS, "variants": {"plain": {"config": {}, "greedy": greedy}}}, {"plain": logits})


# 113 M parameters.
LARGE = ("Llama", dict(vocab_size=32000, hidden_size=640, intermediate_size=1720, num_hidden_layers=16, num_attention_heads=10, num_key_value_heads=5, initializer_range=0.05), "bfloat16", {})  # fmt: skip


def main():
    torch.set_num_threads(1)
    names = sys.argv[1:]
    if names[:1] == ["--large"]:
        return make("large", Path(names[1]), *LARGE)
    if names == ["--shipped"]:
        return shipped()
    if not set(names) <= set(DECODERS):
        sys.exit(__doc__)
    for name in names or DECODERS:
        make(name, ROOT / name, *DECODERS[name])


if __name__ == "__main__":
    main()
