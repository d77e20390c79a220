"""Writes tests/fixtures/vectors: what NumPy finds among vectors, and small files of word vectors.

    python tools/make_vector_fixtures.py

nearest.json   of 100,000 x 384 vectors that tests/vectors/numbers.ts makes too, number for number: for each of 64 queries the ids
               of the ten with the largest cosines, and the cosines, from float64
glove.txt      60 words with 12 numbers, as GloVe writes them; word2vec.txt and word2vec.bin: the same as word2vec writes them
model2vec      a folder of 40 tokens with 8 numbers, as model2vec writes it, `weights` included
words.json     what NumPy says of them: of some words the ten nearest, of analogies the five, of texts the means of their tokens
"""

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

ROOT = Path(__file__).resolve().parent.parent / "tests" / "fixtures" / "vectors"
COUNT, DIMENSION, QUERIES, TOP = 100_000, 384, 64, 10


def numbers(first, count, dimension):
    """Rows `first` to `first + count` of integers from -510 to 510: the bytes of a hash, added up, less their mean."""
    x = np.arange(first * dimension, (first + count) * dimension, dtype=np.uint32)
    x = (x ^ (x >> np.uint32(16))) * np.uint32(0x7FEB352D)
    x = (x ^ (x >> np.uint32(15))) * np.uint32(0x846CA68B)
    x ^= x >> np.uint32(16)
    total = sum((x >> np.uint32(shift)) & np.uint32(255) for shift in (0, 8, 16, 24))
    return (total.astype(np.float64) - 510).reshape(count, dimension)


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def nearest():
    vectors = unit(numbers(0, COUNT, DIMENSION))
    scores = unit(numbers(COUNT, QUERIES, DIMENSION)) @ vectors.T
    ids = np.argsort(-scores, axis=1, kind="stable")[:, :TOP]
    best = np.take_along_axis(scores, ids, axis=1)
    return {"ids": ids.tolist(), "scores": [[round(score, 9) for score in row] for row in best.tolist()]}


WORDS = 60


def words():
    """The three files of words, and what is near in them."""
    rng = np.random.default_rng(16)
    names = [",", "3.14", ". . .", "größe", "日本", "New"] + [f"word{i}" for i in range(WORDS - 6)]
    rows = np.round(rng.standard_normal((WORDS, 12)) * np.exp(rng.standard_normal((WORDS, 1))), 5).astype(np.float32)
    lines = [" ".join([name, *(f"{x:.5f}" for x in row)]) for name, row in zip(names, rows)]
    head = f"{WORDS} 12\n"
    (ROOT / "glove.txt").write_text("\n".join(lines) + "\n")
    (ROOT / "word2vec.txt").write_text(head + " \n".join(line.replace(". . .", "..") for line in lines) + " \n")
    binary = b"".join(name.replace(". . .", "..").encode() + b" " + row.tobytes() + b"\n" for name, row in zip(names, rows))
    (ROOT / "word2vec.bin").write_bytes(head.encode() + binary)
    units = unit(rows.astype(np.float64))

    def best(vector, without, count):
        scores = units @ (vector / np.linalg.norm(vector))
        ids = [i for i in np.argsort(-scores, kind="stable") if i not in without][:count]
        return [[names[i], round(float(scores[i]), 7)] for i in ids]

    analogy = [([7, 9], [8]), ([2], [3, 4]), ([10, 11, 12], [])]
    return {
        "first": [float(x) for x in rows[0]],
        "nearest": {names[i]: best(units[i], {i}, 10) for i in (0, 1, 2, 3, 4, 30)},
        "analogies": [
            {
                "positive": [names[i] for i in plus],
                "negative": [names[i] for i in minus],
                "best": best(units[plus].sum(0) - units[minus].sum(0), {*plus, *minus}, 5),
            }
            for plus, minus in analogy
        ],
        "similarity": round(float(units[20] @ units[21]), 7),
    }


def model2vec():
    """A folder as model2vec writes it, and the vectors of texts: the mean of the rows of all tokens that are known."""
    rng = np.random.default_rng(17)
    pieces = ["[PAD]", "[UNK]", *"abcdefghijklm", *(f"##{c}" for c in "abcdefghij"), "the", "cat", "mat", "##at", "on", "sat"]
    pieces += [f"x{i}" for i in range(40 - len(pieces))]
    tokenizer = Tokenizer(models.WordPiece({piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(["[PAD]", "[UNK]"])
    folder = ROOT / "model2vec"
    folder.mkdir(exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    embeddings = rng.standard_normal((40, 8)).astype(np.float16)
    weights = rng.uniform(0.1, 1, 40)
    save_file({"embeddings": embeddings, "weights": weights}, str(folder / "model.safetensors"))
    config = {"model_type": "model2vec", "architectures": ["StaticModel"], "tokenizer_name": "none", "apply_pca": 8, "normalize": True}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    texts = ["The cat sat on the mat", "a", "zzz the qqq", "zzz", "", "abc [PAD] cab"]
    rows = embeddings.astype(np.float64) * weights[:, None]
    answers = []
    for text in texts:
        ids = [i for i in tokenizer.encode(text, add_special_tokens=False).ids if i != 1]
        mean = rows[ids].mean(0) if ids else np.zeros(8)
        answers.append({"text": text, "mean": [round(x, 7) for x in (mean / (np.linalg.norm(mean) + 1e-32)).tolist()]})
    return answers


if __name__ == "__main__":
    ROOT.mkdir(parents=True, exist_ok=True)
    (ROOT / "nearest.json").write_text(json.dumps(nearest(), separators=(",", ":")) + "\n")
    answers = {"words": words(), "texts": model2vec()}
    (ROOT / "words.json").write_text(json.dumps(answers, ensure_ascii=False, separators=(",", ":")) + "\n")
