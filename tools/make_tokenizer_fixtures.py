"""Writes tests/fixtures/tokenizers: small tokenizers of every kind that a decoder's folder has, and transformers' answers.

    python tools/make_tokenizer_fixtures.py                     (250 texts a kind, which are committed)
    python tools/make_tokenizer_fixtures.py --many 2000 FOLDER  (more, for one run: TILEWRIGHT_TOKENIZERS=FOLDER npx vitest run --project unit tests/text/kinds)

    texts.json                  the texts that all kinds are trained on and asked for
    KIND/tokenizer.json         trained by the trainers of `tokenizers`
    KIND/tokenizer_config.json  what transformers reads beside it
    KIND/answers.json           ids: of each text; around: how many of the first and of the last of them stand around it;
                                decoded: the text of the ids where it is not the text; random: [ids, text] of ids at random
"""

import json
import random
import sys
import tempfile
import unicodedata
from pathlib import Path


from sentencepiece import SentencePieceTrainer, sentencepiece_model_pb2
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

ROOT = Path(__file__).resolve().parent.parent / "tests" / "fixtures" / "tokenizers"
TEXTS = 250

WORDS = (
    "the The THE of and to in a is it you that he was for on are with as I his they be at one have this from or had by hot but some what there we can "
    "out other were all your when up use word how said an each she which do their time if will way about many then them would write like so these her "
    "long make thing see him two has look more day could go come did my sound no most number who over know water than call first people may down side "
    "been now find any new work part take get place made live where after back little only round man year came show every good me give our under name "
    "naïve café Straße ΣΟΦΟΣ σοφός Ελλάδα привет мир Москва שלום مرحبا नमस्ते สวัสดี こんにちは 世界 中文字符 한국어 İstanbul ẞ ﬁne Ⅷ ½ ² ① 𝔘nicode 𠀀 Ω Å é ñ"
).split()
CODE = [
    "def f(x):\n    return x + 1\n", "for (let i = 0; i < 10; i++) {\n\tconsole.log(`${i}`);\n}", "SELECT * FROM t WHERE id = 42;", "<div class=\"a\">&nbsp;</div>",
    "#include <stdio.h>\r\nint main() { return 0; }", "if x != y and not z:\n        pass", "https://example.org/a?b=c&d=%20", "{\"key\": [1, 2.5, null]}", "a_b-c.d/e\\f",
    "x = 0xFF; y = 1e-9", "    \t  indented",
]
EMOJI = ["😀", "👍🏽", "👩‍👩‍👧‍👦", "🇫🇷", "❤️", "🏳️‍🌈", "1️⃣", "🤷🏿‍♀️", "🫠"]
SPACES = [" ", " ", " ", " ", "  ", "   ", "\n", "\n\n", "\r\n", "\t", " \n ", "\u00a0", "\u3000", "\u2003", "\u0085", "\u2028", "\u200b", "        "]
ODD = [
    "\ufeff", "\u0301", "e\u0301\u0323", "\u200d", "\u202e", "\u0000", "\u0007", "\ufffd", "\u00ad", "▁", "▁▁the", "Ġthe", "##ing", "<0x41>", "<0xE4>", "</w>",
    "'s", "'LL", "don't", "I'm", "we've", "n't", " 's", "...", "?!", "--", "((", "“quoted”", "«»", "$5.00", "100%", "3,141.59", "12345678", "٣٤", "१२", "x²", "^_^",
]
SPECIAL = ["<s>", "</s>", "<unk>", "<pad>", "<|end|>", "<|end|> ", " <|end|>", "<|en", "<tool>", "<tool> ", "[CLS]", "[MASK]", " [MASK] ", "<mask>", "  <mask>  ", "stop", "stops", "unstop stop."]


def character(rng):
    while True:
        point = rng.choice([rng.randrange(0x20, 0x250), rng.randrange(0x250, 0x3000), rng.randrange(0x3000, 0xFFFE), rng.randrange(0x10000, 0x20000)])
        # Those that Unicode has long had: libraries of different years agree on them.
        if unicodedata.ucd_3_2_0.category(chr(point)) not in ("Cn", "Cs"):
            return chr(point)


def make_text(rng):
    kind = rng.random()
    if kind < 0.1:
        return "".join(character(rng) for _ in range(rng.randrange(1, 12)))
    if kind < 0.18:
        return rng.choice(CODE)
    if kind < 0.28:
        return "".join(rng.choice(SPECIAL + WORDS[:20]) for _ in range(rng.randrange(1, 6)))
    parts = []
    for _ in range(rng.randrange(1, 14)):
        parts.append(rng.choices([rng.choice(WORDS), rng.choice(CODE), rng.choice(EMOJI), rng.choice(ODD), rng.choice(SPECIAL), str(rng.randrange(10**rng.randrange(1, 7)))], [60, 2, 5, 12, 5, 8])[0])
        if rng.random() < 0.85:
            parts.append(rng.choice(SPACES))
        elif rng.random() < 0.5:
            parts.append(rng.choice(".,;:!?"))
    return "".join(parts)


def texts(count):
    rng = random.Random(7)
    fixed = ["", " ", "  ", "\n", "a", "Hello world", " Hello  world ", "Hello, how are you?", "😀", "\ufeffthe", "the\u0085the"]
    found = list(dict.fromkeys(fixed))
    while len(found) < count:
        text = make_text(rng)
        if text not in found:
            found.append(text)
    return found


BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
ALPHABET = pre_tokenizers.ByteLevel.alphabet()
LETTERS = "'s|'t|'re|'ve|'m|'ll|'d"
WORD_LEVEL = rf"(?i:{LETTERS})|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}DIGITS| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


def special(content, **how):
    return AddedToken(content, special=True, normalized=False, **how)


def byte_level(**parts):
    """A byte-level BPE as GPT-2 has it; `parts` are those that a family has otherwise."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = parts.get("pre", pre_tokenizers.ByteLevel(add_prefix_space=False))
    if "normalizer" in parts:
        tokenizer.normalizer = parts["normalizer"]
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=600, initial_alphabet=ALPHABET, special_tokens=[special("<|end|>")], show_progress=False))
    return tokenizer


def pattern(digits):
    split = pre_tokenizers.Split(Regex(WORD_LEVEL.replace("DIGITS", digits)), "isolated")
    return pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def template(tokenizer, single):
    names = {part for part in single.split() if part != "$A"}
    return processors.TemplateProcessing(single=single, special_tokens=[(name, tokenizer.token_to_id(name)) for name in names])


def changed(tokenizer, **model):
    """With other fields of its model, as no trainer sets them."""
    file = json.loads(tokenizer.to_str())
    file["model"].update(model)
    return Tokenizer.from_str(json.dumps(file))


def sentencepiece(normalizer, pre, decoder):
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizer
    # Merges are learnt within words, and used on whole texts.
    tokenizer.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next") if pre is None else pre_tokenizers.Metaspace()
    first = [special(token) for token in ["<unk>", "<s>", "</s>", *BYTES]]
    tokenizer.train_from_iterator(ASCII, trainers.BpeTrainer(vocab_size=560, special_tokens=first, show_progress=False))
    file = json.loads(tokenizer.to_str())
    # Bytes are tokens of the vocabulary, and none that a text is searched for.
    file["added_tokens"] = [token for token in file["added_tokens"] if token["content"] not in BYTES]
    file["pre_tokenizer"] = None
    tokenizer = Tokenizer.from_str(json.dumps(file))
    if pre is not None:
        tokenizer.pre_tokenizer = pre
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), *decoder])
    tokenizer.post_processor = template(tokenizer, "<s> $A")
    return tokenizer


def gpt2():
    return byte_level(), {"eos_token": "<|end|>", "bos_token": "<|end|>", "unk_token": "<|end|>", "add_prefix_space": False}


def gpt_neox():
    tokenizer = byte_level(normalizer=normalizers.NFC())
    tokenizer.add_tokens([AddedToken(" " * count, normalized=True) for count in (8, 4, 2)])
    return tokenizer, {"eos_token": "<|end|>"}


def llama3():
    tokenizer = changed(byte_level(pre=pattern("{1,3}")), ignore_merges=True)
    tokenizer.add_special_tokens([special("<s>"), special("</s>")])
    tokenizer.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), template(tokenizer, "<s> $A")])
    return tokenizer, {"bos_token": "<s>", "eos_token": "</s>"}


def qwen2():
    tokenizer = byte_level(pre=pattern(""), normalizer=normalizers.NFC())
    tokenizer.add_tokens([AddedToken("<tool>", normalized=False)])
    return tokenizer, {"eos_token": "<|end|>", "pad_token": "<|end|>", "bos_token": None, "add_bos_token": False, "add_prefix_space": False}


def deepseek():
    split = [pre_tokenizers.Split(Regex(regex), "isolated") for regex in (r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", r"[一-龥ࠀ-一가-퟿]+")]
    tokenizer = byte_level(pre=pre_tokenizers.Sequence([*split, pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]))
    tokenizer.post_processor = template(tokenizer, "<|end|> $A")
    return tokenizer, {"bos_token": "<|end|>", "eos_token": "<|end|>", "add_bos_token": True, "add_eos_token": False}


def llama2():
    prefixed = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    return sentencepiece(prefixed, None, [decoders.Strip(" ", 1, 0)]), {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "add_bos_token": True, "add_eos_token": False}


def mistral():
    tokenizer = sentencepiece(None, pre_tokenizers.Metaspace(prepend_scheme="first", split=False), [decoders.Strip(" ", 1, 0)])
    return tokenizer, {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "add_bos_token": True, "add_eos_token": False, "add_prefix_space": None}


def gemma():
    tokenizer = sentencepiece(normalizers.Replace(" ", "▁"), pre_tokenizers.Split(" ", "merged_with_previous"), [])
    tokenizer.add_special_tokens([special("<pad>")])
    tokenizer.add_tokens([AddedToken("\n\n", normalized=False), AddedToken("<mask>", normalized=False, lstrip=True, rstrip=True)])
    return tokenizer, {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}


def unigram():
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    first = [special(token) for token in ["<pad>", "</s>", "<unk>"]]
    tokenizer.train_from_iterator(ASCII, trainers.UnigramTrainer(vocab_size=400, unk_token="<unk>", special_tokens=first, show_progress=False))
    tokenizer.add_tokens([AddedToken("stop", single_word=True, normalized=True)])
    tokenizer.post_processor = template(tokenizer, "$A </s>")
    return tokenizer, {"eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}


def charsmap():
    """A small table of SentencePiece's: what some characters, alone or with marks, become."""
    rules = {chr(0xFF01 + i): chr(0x21 + i) for i in range(94)}
    rules |= {"\u3000": " ", "\u00a0": " ", "\t": " ", "\n": " ", "\r": " ", "\u200b": " ", "\ufeff": "", "\u00ad": "", "\u0007": ""}
    rules |= {"ﬁ": "fi", "Ⅷ": "VIII", "½": "1/2", "²": "2", "①": "1", "e\u0301": "é", "e\u0301\u0323": "ẹ́", "İ": "I", "ß": "ss", "😀": ":)", "👩": "woman"}
    with tempfile.TemporaryDirectory() as folder:
        table, text, model = (Path(folder) / name for name in ["rules.tsv", "text.txt", "m"])
        table.write_text("".join(f"{' '.join(f'{ord(c):X}' for c in a)}\t{' '.join(f'{ord(c):X}' for c in b)}\n" for a, b in rules.items()))
        text.write_text("\n".join(WORDS))
        SentencePieceTrainer.train(input=str(text), model_prefix=str(model), vocab_size=150, model_type="char", normalization_rule_tsv=str(table), minloglevel=2)
        proto = sentencepiece_model_pb2.ModelProto()
        proto.ParseFromString(model.with_suffix(".model").read_bytes())
        return proto.normalizer_spec.precompiled_charsmap


def t5():
    tokenizer, config = unigram()
    spaces = normalizers.Replace(Regex(" {2,}"), "▁")
    tokenizer.normalizer = normalizers.Sequence([normalizers.Precompiled(charsmap()), normalizers.Strip(left=False, right=True), spaces])
    return tokenizer, config


def unigram_bytes():
    tokenizer, config = unigram()
    file = json.loads(tokenizer.to_str())
    file["added_tokens"] = file["added_tokens"][:3]
    file["model"]["vocab"] += [[byte, -20.0] for byte in BYTES]
    file["model"]["byte_fallback"] = True
    tokenizer = Tokenizer.from_str(json.dumps(file))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = None
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    return tokenizer, config


def wordpiece(**how):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=12))
    tokenizer.normalizer = normalizers.BertNormalizer(**how)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    first = [special(token) for token in ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]]
    tokenizer.train_from_iterator(ASCII, trainers.WordPieceTrainer(vocab_size=400, special_tokens=first, show_progress=False))
    tokenizer.add_special_tokens([special("[MASK]", lstrip=True)])
    tokenizer.post_processor = template(tokenizer, "[CLS] $A [SEP]")
    return tokenizer, {"unk_token": "[UNK]", "pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"}


def wordpiece_cased():
    tokenizer, config = wordpiece(lowercase=False, strip_accents=False)
    tokenizer.decoder = decoders.WordPiece(cleanup=False)
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", tokenizer.token_to_id("[SEP]")), ("[CLS]", tokenizer.token_to_id("[CLS]")))
    return tokenizer, config


def wordlevel():
    tokenizer = Tokenizer(models.WordLevel(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents(), normalizers.Lowercase(), normalizers.Strip()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Whitespace(), pre_tokenizers.Punctuation("contiguous")])
    tokenizer.train_from_iterator(ASCII, trainers.WordLevelTrainer(vocab_size=150, special_tokens=[special("<unk>")], show_progress=False))
    return tokenizer, {"unk_token": "<unk>"}


KINDS = {
    "gpt2": gpt2, "gpt-neox": gpt_neox, "llama3": llama3, "qwen2": qwen2, "deepseek": deepseek, "llama2": llama2, "mistral": mistral, "gemma": gemma,
    "unigram": unigram, "unigram-bytes": unigram_bytes, "t5": t5, "wordpiece": wordpiece, "wordpiece-cased": wordpiece_cased, "wordlevel": wordlevel,
}


def write(path, value, **how):
    path.write_text(json.dumps(value, ensure_ascii=False, **how) + "\n")


def answers(tokenizer, asked, size):
    ids = [tokenizer(text)["input_ids"] for text in asked]
    bare = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in asked]
    decode = lambda row: tokenizer.decode(row, skip_special_tokens=False, clean_up_tokenization_spaces=False)
    before = len(ids[0]) - len(bare[0])
    around = next([start, before - start] for start in range(before + 1) if all(row[start : len(row) - before + start] == inner for row, inner in zip(ids, bare)))
    rng = random.Random(11)
    rows = [[rng.randrange(size) for _ in range(rng.randrange(1, 24))] for _ in range(40)]
    decoded = {i: decode(row) for i, row in enumerate(ids) if decode(row) != asked[i]}
    return {"ids": ids, "around": around, "decoded": decoded, "random": [[row, decode(row)] for row in rows]}


many = sys.argv[1:2] == ["--many"]
COUNT, OUT = (int(sys.argv[2]), Path(sys.argv[3])) if many else (TEXTS, ROOT)
asked = texts(COUNT)
CORPUS = texts(1500)
# What no special token is learnt from.
ASCII = [" ".join(random.Random(i).choices(WORDS[:140], k=12)) + "." for i in range(300)] + [text for text in CORPUS if text.isascii() and not any(token.strip() in text for token in SPECIAL)][:200]
OUT.mkdir(parents=True, exist_ok=True)
write(OUT / "texts.json", asked, indent=0)
for name, make in KINDS.items():
    tokenizer, config = make()
    folder = OUT / name
    folder.mkdir(exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    write(folder / "tokenizer_config.json", config)
    loaded = PreTrainedTokenizerFast.from_pretrained(folder)
    write(folder / "answers.json", answers(loaded, asked, tokenizer.get_vocab_size()))
    print(name, tokenizer.get_vocab_size(), len((folder / "tokenizer.json").read_bytes()), len((folder / "answers.json").read_bytes()))
