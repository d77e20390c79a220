"""Writes the GGUF files of tests/fixtures/gguf with the package `gguf` of llama.cpp (pip install gguf numpy).

    python tools/make_gguf_fixtures.py

blocks.gguf          tensors of every type that is read, of odd shapes; those of blocks are random bits under scales of all kinds
blocks.safetensors   their float32 numbers as gguf.quants computes them
NAME.gguf            the model of tests/fixtures/decoders/NAME as convert_hf_to_gguf.py of llama.cpp writes it, in float32 (qwen2: bfloat16)
"""

import json
import struct
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType as Type
from gguf import GGUFWriter, RopeScalingType, TokenType
from gguf.quants import dequantize, quantize

FIXTURES = Path(__file__).resolve().parent.parent / "tests" / "fixtures"
ROOT = FIXTURES / "gguf"

# GGML's names of a layer's tensors, by those of transformers.
LAYER = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.qkv_proj": "attn_qkv",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.gate_up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
AROUND = {"post_attention_layernorm": "post_attention_norm", "pre_feedforward_layernorm": "ffn_norm", "post_feedforward_layernorm": "post_ffw_norm"}
WHOLE = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight", "lm_head.weight": "output.weight"}
MODELS = {"llama": "llama", "llama-mqa": "llama", "mistral": "llama", "qwen2": "qwen2", "qwen3": "qwen3", "gemma": "gemma", "gemma2": "gemma2", "gemma3": "gemma3", "phi3": "phi3"}


def read_safetensors(file):
    """float32 by name."""
    data = file.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    tensors = {}
    for name, entry in json.loads(data[8 : 8 + length]).items():
        if name == "__metadata__":
            continue
        begin, end = (8 + length + at for at in entry["data_offsets"])
        if entry["dtype"] == "BF16":
            flat = (np.frombuffer(data[begin:end], np.uint16).astype(np.uint32) << 16).view(np.float32)
        else:
            flat = np.frombuffer(data[begin:end], {"F16": np.float16, "F32": np.float32}[entry["dtype"]]).astype(np.float32)
        tensors[name] = flat.reshape(entry["shape"])
    return tensors


def write_safetensors(file, tensors):
    header, at = {}, 0
    for name, tensor in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [at, at + tensor.nbytes]}
        at += tensor.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    file.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(np.ascontiguousarray(t, np.float32).tobytes() for t in tensors.values()))


def scales(rng, count):
    """float16 of every size and sign: subnormal ones, zeros and large ones too."""
    sizes = np.array([2.0**-24, 3 * 2.0**-20, 1e-4, 0.01, 0.37, 1.0, 60000.0, 0.0], np.float16)
    signs = np.where(rng.random(count) < 0.5, 1, -1).astype(np.float16)
    return sizes[rng.integers(0, len(sizes), count)] * signs


def random_blocks(rng, kind, rows, blocks):
    width, places = {Type.Q4_0: (18, [0]), Type.Q8_0: (34, [0]), Type.Q4_K: (144, [0, 2]), Type.Q6_K: (210, [208])}[kind]
    raw = rng.integers(0, 256, (rows * blocks, width), np.uint8)
    for place in places:
        raw[:, place : place + 2] = scales(rng, len(raw)).view(np.uint8).reshape(-1, 2)
    return raw.reshape(rows, blocks * width)


def blocks():
    rng = np.random.default_rng(3)
    writer = GGUFWriter(ROOT / "blocks.gguf", "none")
    writer.add_uint8("some.u8", 255)
    writer.add_int8("some.i8", -7)
    writer.add_uint16("some.u16", 65535)
    writer.add_int16("some.i16", -300)
    writer.add_uint32("some.u32", 4294967295)
    writer.add_int32("some.i32", -5)
    writer.add_uint64("some.u64", 2**63 + 1)
    writer.add_int64("some.i64", -(2**40))
    writer.add_float32("some.f32", 0.5)
    writer.add_float64("some.f64", 0.1)
    writer.add_bool("some.bool", True)
    writer.add_string("some.text", "\u2581\U0001f600 text")
    writer.add_array("some.texts", ["a", "", "\u00e9"])
    writer.add_array("some.numbers", [1, -2, 3])
    expected = {}
    floats = (rng.standard_normal((3, 5)) * 3).astype(np.float32)
    expected["f32"] = floats
    writer.add_tensor("f32", floats)
    halves = rng.standard_normal((2, 1, 7)).astype(np.float16)
    expected["f16"] = halves.astype(np.float32)
    writer.add_tensor("f16", halves)
    brains = quantize(rng.standard_normal((1, 9)).astype(np.float32), Type.BF16)
    expected["bf16"] = dequantize(brains, Type.BF16)
    writer.add_tensor("bf16", brains, raw_dtype=Type.BF16)
    for kind, rows, count in [(Type.Q8_0, 5, 3), (Type.Q8_0, 1, 1), (Type.Q4_0, 7, 1), (Type.Q4_0, 3, 5), (Type.Q4_K, 3, 2), (Type.Q4_K, 1, 1), (Type.Q6_K, 5, 1), (Type.Q6_K, 2, 3)]:
        name = f"{kind.name.lower()}.{rows}x{count}"
        raw = random_blocks(rng, kind, rows, count)
        expected[name] = dequantize(raw, kind)
        writer.add_tensor(name, raw, raw_dtype=kind)
    last = rng.standard_normal(3).astype(np.float32)
    expected["last"] = last
    writer.add_tensor("last", last)
    close(writer)
    write_safetensors(ROOT / "blocks.safetensors", expected)


def permute(weights, heads):
    """As LlamaModel.permute of convert_hf_to_gguf.py."""
    return weights.reshape(heads, 2, weights.shape[0] // heads // 2, *weights.shape[1:]).swapaxes(1, 2).reshape(weights.shape)


def vocabulary(writer, count):
    """SentencePiece's, as converters write it: letters, and words that scores make of them. No more than the model has."""
    tokens = ["<unk>", "<s>", "</s>", "<0x0A>", "<0x21>", "\u2581", *"abcdefghijklmnopqrstuvwxyz", "he", "ll", "\u2581he", "llo", "hell", "\u2581hello", "<|end|>"]
    kinds = [TokenType.UNKNOWN, TokenType.CONTROL, TokenType.CONTROL, TokenType.BYTE, TokenType.BYTE]
    kinds += [TokenType.NORMAL] * (len(tokens) - len(kinds) - 1) + [TokenType.USER_DEFINED]
    kinds += [TokenType.UNUSED] * (count - len(tokens))
    tokens += [f"[unused{i}]" for i in range(count - len(tokens))]
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_scores([-float(i) for i in range(count)])
    writer.add_token_types(kinds)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(True)
    writer.add_chat_template("{{ bos_token }}{% for message in messages %}{{ message.content }}{% endfor %}")


def decoder(name, architecture):
    folder = FIXTURES / "decoders" / name
    config = json.loads((folder / "config.json").read_text())
    tensors = read_safetensors(folder / "model.safetensors")
    heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
    head_size = config.get("head_dim") or config["hidden_size"] // heads
    writer = GGUFWriter(ROOT / f"{name}.gguf", architecture)
    writer.add_name(name)
    writer.add_vocab_size(config["vocab_size"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_key_length(head_size)
    writer.add_value_length(head_size)
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_dimension_count(head_size)
    rope = config["rope_parameters"]
    writer.add_rope_freq_base(rope.get("full_attention", rope)["rope_theta"])
    if name in ("mistral", "gemma2", "gemma3"):
        writer.add_sliding_window(config["sliding_window"])
    if name == "gemma3":
        writer.add_sliding_window_pattern([kind == "sliding_attention" for kind in config["layer_types"]])
    if name == "gemma2":
        writer.add_attn_logit_softcapping(config["attn_logit_softcapping"])
        writer.add_final_logit_softcapping(config["final_logit_softcapping"])
    if name == "phi3":
        writer.add_rope_scaling_orig_ctx_len(config["original_max_position_embeddings"])
        for kind in ("long", "short"):
            writer.add_tensor(f"rope_factors_{kind}.weight", np.array(rope[f"{kind}_factor"], np.float32))
    if name == "llama":
        vocabulary(writer, config["vocab_size"])
        writer.add_rope_scaling_type(RopeScalingType.NONE)
    # GGUF has no query_pre_attn_scalar: what it differs from the size of a head by is a factor of the queries.
    factor = np.float32(np.sqrt(head_size / config.get("query_pre_attn_scalar", head_size)))
    names = {**LAYER, **(AROUND if name in ("gemma2", "gemma3") else {})}
    for key, tensor in tensors.items():
        if key == "lm_head.weight" and config["tie_word_embeddings"]:
            continue
        own = WHOLE.get(key)
        if own is None:
            _, _, layer, *rest = key.split(".")
            *middle, ending = rest
            own = f"blk.{layer}.{names['.'.join(middle)]}.{ending}"
        if architecture == "llama" and ".attn_q." in own:
            tensor = permute(tensor, heads)
        if architecture == "llama" and ".attn_k." in own:
            tensor = permute(tensor, kv_heads)
        if architecture.startswith("gemma") and own.endswith("norm.weight"):
            tensor = tensor + np.float32(1)
        if ".attn_q_norm." in own or (".attn_q." in own and architecture != "gemma3"):
            tensor = tensor * factor
        if name == "qwen2" and tensor.ndim > 1:
            writer.add_tensor(own, quantize(tensor, Type.BF16), raw_dtype=Type.BF16)
        else:
            writer.add_tensor(own, np.ascontiguousarray(tensor, np.float32))
    close(writer)


def close(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


ROOT.mkdir(parents=True, exist_ok=True)
blocks()
for model in MODELS.items():
    decoder(*model)
