"""Writes tests/fixtures/vectors: what NumPy finds among vectors, and small files of word vectors.

    python tools/make_vector_fixtures.py

nearest.json   of 100,000 x 384 vectors that tests/vectors/numbers.ts makes too, number for number: for each of 64 queries the ids
               of the ten with the largest cosines, and the cosines, from float64
"""

import json
from pathlib import Path

import numpy as np

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


if __name__ == "__main__":
    ROOT.mkdir(parents=True, exist_ok=True)
    (ROOT / "nearest.json").write_text(json.dumps(nearest(), separators=(",", ":")) + "\n")
