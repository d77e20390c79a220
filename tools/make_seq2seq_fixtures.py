"""Writes tests/fixtures/seq2seq but for Whisper: small random encoder-decoders of text, and transformers' float32 answers to them.

    python tools/make_seq2seq_fixtures.py [t5] [bart] ...      (none named: all)

Every folder is what `save_pretrained` writes, and beside it

    reference.json         ids: a text, and a longer one; answers: by name {options: those of `generate`, tokens: what comes after the first,
                           for the first text; gaps: of greedy tokens, how far each led the second best}
    reference.safetensors  hidden, longer: what the encoder gives for the two texts, [tokens, width]; logits: after greedy tokens
"""

import json
import shutil
import sys
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file

ROOT = Path(__file__).resolve().parent.parent / "tests" / "fixtures" / "seq2seq"
VOCABULARY = 89
END = 0.3  # is added to the logit of the last token, so that some texts end
BART = dict(
    vocab_size=VOCABULARY, d_model=20, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4, decoder_attention_heads=2,
    encoder_ffn_dim=28, decoder_ffn_dim=36, max_position_embeddings=48, init_std=0.3, pad_token_id=1, eos_token_id=2,
)  # fmt: skip
T5 = dict(vocab_size=VOCABULARY, d_model=20, d_kv=6, d_ff=28, num_layers=2, num_heads=4, n_positions=48, relative_attention_num_buckets=8, relative_attention_max_distance=20, decoder_start_token_id=0, pad_token_id=0, eos_token_id=1)  # fmt: skip

KINDS = {
    "t5": ("T5", T5),
    "t5-gated": ("T5", dict(T5, feed_forward_proj="gated-gelu", tie_word_embeddings=False)),
    "bart": ("Bart", dict(BART, bos_token_id=0, decoder_start_token_id=2, forced_bos_token_id=0)),
    "marian": ("Marian", dict(BART, scale_embedding=True, activation_function="swish", decoder_start_token_id=1, forced_eos_token_id=2)),
}

# What `generate` is asked for, beside greedy tokens.
BEAMS = {
    "varied": dict(num_beams=1, max_new_tokens=32, no_repeat_ngram_size=2),
    "beams": dict(num_beams=4, max_new_tokens=24),
    "long": dict(num_beams=4, max_new_tokens=24, length_penalty=2.0, no_repeat_ngram_size=2),
    "early": dict(num_beams=3, max_new_tokens=20, length_penalty=0.6, early_stopping=True),
    "never": dict(num_beams=4, max_new_tokens=20, early_stopping="never", length_penalty=1.5, repetition_penalty=1.3),
}


@torch.no_grad()
def make(name):
    kind, fields = KINDS[name]
    folder = ROOT / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    torch.manual_seed(20)
    config = getattr(transformers, f"{kind}Config")(**fields)
    net = getattr(transformers, {"T5": "T5ForConditionalGeneration", "Bart": "BartForConditionalGeneration", "Marian": "MarianMTModel"}[kind])(config).float().eval()
    if kind == "T5":
        for key, parameter in net.named_parameters():
            parameter.copy_(torch.randn_like(parameter) * (1.0 if "relative" in key else 0.35))
            if parameter.dim() == 1:
                parameter.copy_(1 + 0.2 * torch.randn_like(parameter))
        if not fields.get("tie_word_embeddings", True):
            net.lm_head.weight = torch.nn.Parameter(0.35 * torch.randn_like(net.lm_head.weight))
        else:
            net.shared.weight.mul_(2)
    else:
        for key, parameter in net.named_parameters():
            if parameter.dim() == 1:
                parameter.copy_(("norm" in key and key.endswith("weight")) + 0.2 * torch.randn_like(parameter))
        net.final_logits_bias.copy_(0.5 * torch.randn_like(net.final_logits_bias))
        net.final_logits_bias[0, fields["eos_token_id"]] = END
    # Else each token, whose table is the head too, would be followed by itself.
    for key, parameter in net.named_parameters():
        if key.endswith(("out_proj.weight", "fc2.weight", ".o.weight", "wo.weight")):
            parameter.mul_(3)
        if key == "decoder.final_layer_norm.weight" or (kind == "Bart" and key == "model.decoder.embed_positions.weight"):
            parameter.mul_(4)
    net.generation_config.forced_bos_token_id = fields.get("forced_bos_token_id")
    net.save_pretrained(folder)
    said = json.loads((folder / "config.json").read_text())
    if kind == "T5" and not fields.get("tie_word_embeddings", True):  # as published ones have it
        said["tie_word_embeddings"] = False
        said.pop("scale_decoder_outputs", None)
    (folder / "config.json").write_text(json.dumps(said, indent=2) + "\n")
    end = fields["eos_token_id"]
    texts = [torch.randint(3, VOCABULARY, (1, count)) for count in (8, 36)]
    for text in texts:
        text[0, -1] = end
    encoder = net.get_encoder()
    tensors = {key: encoder(text, attention_mask=torch.ones_like(text), **({"use_cache": False} if kind == "T5" else {})).last_hidden_state[0] for key, text in zip(["hidden", "longer"], texts)}
    out = net.generate(texts[0], max_new_tokens=32, min_new_tokens=32, do_sample=False, num_beams=1, return_dict_in_generate=True, output_scores=True, output_logits=True)
    gaps = []
    for score in out.scores:
        first, second = score.topk(2).values[0].tolist()
        gaps.append(round(first - second, 6) if second > -1e30 else 1e9)
    tensors["logits"] = torch.cat(out.logits)[[1, 5, 17]]
    answers = {"greedy": {"options": {"max_new_tokens": 32, "min_new_tokens": 32}, "tokens": out.sequences[0, 1:].tolist(), "gaps": gaps}}
    for title, options in BEAMS.items():
        out = net.generate(texts[0], do_sample=False, return_dict_in_generate=True, output_scores=True, **options)
        answers[title] = {"options": options, "tokens": out.sequences[0, 1:].tolist(), "score": out.sequences_scores[0].item() if options["num_beams"] > 1 else None}
    for title, answer in answers.items():
        print(name, title, answer["tokens"], answer.get("score"), min(answer.get("gaps", [0])))
    (folder / "reference.json").write_text(json.dumps({"ids": [text[0].tolist() for text in texts], "answers": answers}) + "\n")
    save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, folder / "reference.safetensors")


def main():
    torch.set_num_threads(1)
    names = sys.argv[1:]
    if not set(names) <= set(KINDS):
        sys.exit(__doc__)
    for name in names or KINDS:
        make(name)


if __name__ == "__main__":
    main()
