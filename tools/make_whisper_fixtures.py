"""Writes tests/fixtures/seq2seq/whisper: a small random Whisper, and transformers' float32 answers to noise.

    python tools/make_whisper_fixtures.py [SPEECH]

SPEECH is a .safetensors file that has `audio`, 16 kHz: some frames of its log-mel spectrogram are stored too. The folder is what
`save_pretrained` writes, with a tokenizer and preprocessor_config.json, and beside it

    reference.json         window: what is transcribed of one window, {tokens, gaps}; long: of several, {tokens, segments, seconds};
                           language: the detected one's token; noSpeech: its probability; frames: those of SPEECH that are stored
    reference.safetensors  mel.NAME: log-mel spectrograms [mels, frames]; hidden: what the encoder gives for `noise`

`noise(seconds)` is the audio: the tests compute it too.
"""

import json
import math
import shutil
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import GenerationConfig, WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "fixtures" / "seq2seq" / "whisper"
RATE = 16000
MELS = 12
SECONDS = 1  # of a window
LETTERS = [*"abcdefghijklmnopqrstuvwxyz", "Ġ", *"ABCDEFGHIJKLM"]
SPECIAL = ["<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|de|>", "<|fr|>", "<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"]  # fmt: skip
IDS = {name: len(LETTERS) + i for i, name in enumerate(SPECIAL)}
TIMES = [f"<|{i * 0.02:.2f}|>" for i in range(SECONDS * 50 + 1)]


def noise(seconds):
    """A rising tone in noise whose loudness goes up and down."""
    samples, state = [], 1
    for i in range(round(seconds * RATE)):
        state = (state * 1664525 + 1013904223) % 2**32
        loud = 0.02 + 0.3 * (i % 5000) / 5000
        samples.append(loud * (state / 2**31 - 1) + 0.2 * math.sin(2 * math.pi * (200 + i * 0.05) * i / RATE))
    return np.array(samples, dtype=np.float32)


def small_whisper():
    torch.manual_seed(16)
    config = WhisperConfig(
        vocab_size=len(LETTERS) + len(SPECIAL) + len(TIMES), num_mel_bins=MELS, d_model=20, encoder_layers=2, decoder_layers=2,
        encoder_attention_heads=2, decoder_attention_heads=4, encoder_ffn_dim=28, decoder_ffn_dim=36, max_source_positions=SECONDS * 50,
        max_target_positions=48, init_std=0.3, pad_token_id=IDS["<|endoftext|>"], bos_token_id=IDS["<|endoftext|>"],
        eos_token_id=IDS["<|endoftext|>"], decoder_start_token_id=IDS["<|startoftranscript|>"], dropout=0.0,
        begin_suppress_tokens=None, suppress_tokens=None,
    )  # fmt: skip
    net = WhisperForConditionalGeneration(config).float().eval()
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            if parameter.dim() == 1:
                parameter.copy_(("norm" in name and name.endswith("weight")) + 0.2 * torch.randn_like(parameter))
        net.model.decoder.embed_positions.weight.mul_(2)
    net.generation_config = GenerationConfig(
        decoder_start_token_id=IDS["<|startoftranscript|>"], eos_token_id=IDS["<|endoftext|>"], pad_token_id=IDS["<|endoftext|>"],
        bos_token_id=IDS["<|endoftext|>"], no_timestamps_token_id=IDS["<|notimestamps|>"], is_multilingual=True, max_length=48,
        lang_to_id={name: IDS[name] for name in ["<|en|>", "<|de|>", "<|fr|>"]}, task_to_id={task: IDS[f"<|{task}|>"] for task in ["translate", "transcribe"]},
        max_initial_timestamp_index=20, begin_suppress_tokens=[LETTERS.index("Ġ"), IDS["<|endoftext|>"]],
        suppress_tokens=[3, 7, *(IDS[name] for name in SPECIAL[1:10])], return_timestamps=False, prev_sot_token_id=IDS["<|startofprev|>"],
    )  # fmt: skip
    return net


def tokenizer():
    text = Tokenizer(models.BPE({letter: i for i, letter in enumerate(LETTERS)}, []))
    text.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    text.decoder = decoders.ByteLevel()
    text.add_special_tokens(SPECIAL)
    text.add_tokens([AddedToken(time, normalized=False) for time in TIMES])
    return text


def answer(net, features, **how):
    """Tokens after the prefix, and how far each led the second best."""
    with torch.no_grad():
        out = net.generate(features, return_dict_in_generate=True, output_scores=True, return_segments=True, **how)
    results = [segment["result"] for segment in out["segments"][0]]
    distinct = list({id(result): result for result in results}.values())
    gaps = []
    for result in distinct:
        for score in result["scores"]:
            first, second = score.topk(2).values.tolist()
            gaps.append(round(first - second, 6) if second > -math.inf else 1e9)
    segments = [{"start": float(s["start"]), "end": float(s["end"]), "tokens": s["tokens"].tolist()} for s in out["segments"][0]]
    return {"sequence": distinct[0]["sequences"].tolist(), "segments": segments, "gaps": gaps}


def main():
    torch.set_num_threads(1)
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    net = small_whisper()
    net.save_pretrained(FOLDER)
    extractor = WhisperFeatureExtractor(feature_size=MELS, chunk_length=SECONDS)
    extractor.save_pretrained(FOLDER)
    tokenizer().save(str(FOLDER / "tokenizer.json"))

    def mel(audio, extractor=extractor):
        return extractor(audio, sampling_rate=RATE, return_tensors="pt", truncation=False).input_features

    tensors = {"mel.silence": mel(np.zeros(RATE, dtype=np.float32))[0, :, ::20], "mel.noise": mel(noise(0.83))[0, :, ::5], "mel.long": mel(noise(2.6))[0, :, ::13]}  # fmt: skip
    features = mel(noise(0.83))
    with torch.no_grad():
        tensors["hidden"] = net.model.encoder(features).last_hidden_state[0]
        start = net(features, decoder_input_ids=torch.tensor([[IDS["<|startoftranscript|>"]]])).logits[0, -1]
    reference = {
        "window": answer(net, mel(noise(1)), return_timestamps=True, language="de", task="transcribe"),
        "translated": answer(net, mel(noise(1)), return_timestamps=True, task="translate"),
        "long": answer(net, mel(noise(2.6)), return_timestamps=True, language="en", task="transcribe"),
        "conditioned": answer(net, mel(noise(2.6)), return_timestamps=True, language="en", condition_on_prev_tokens=True),
        "noSpeech": start.softmax(-1)[IDS["<|nospeech|>"]].item(),
        "language": int(net.detect_language(features)[0]),
    }
    if sys.argv[1:]:
        audio = load_file(sys.argv[1])
        audio = audio["audio"].numpy().reshape(-1)
        real = WhisperFeatureExtractor(feature_size=80, chunk_length=30)
        reference["frames"] = list(range(0, 320, 16))
        tensors["mel.speech"] = mel(audio, real)[0][:, reference["frames"]]
    (FOLDER / "reference.json").write_text(json.dumps(reference) + "\n")
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, FOLDER / "reference.safetensors")
    for name in ["window", "translated", "long", "conditioned"]:
        one = reference[name]
        print(name, one["sequence"], [(s["start"], s["end"], len(s["tokens"])) for s in one["segments"]], min(one["gaps"]))


if __name__ == "__main__":
    main()
