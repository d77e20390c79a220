"""Writes tests/fixtures/preprocess.json: what PyTorch makes of small synthetic pictures, to test src/vision/preprocess.ts.

    python tools/make_preprocess_fixture.py

Each case holds a picture (RGBA bytes, base64), the preprocessing asked for, and for either interpolation the float32 [3,H,W]
result (little-endian, base64). The resize is torch.nn.functional.interpolate(antialias=True), which is what torchvision's Resize calls on a tensor;
the sizes and the centre crop follow torchvision's rules. Needs PyTorch and NumPy.
"""
import base64
import json
import math
import pathlib

import numpy as np
import torch
import torch.nn.functional as F

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]

# name, picture (height, width), model input (H, W), cropPct, fit
CASES = [
    ("down, landscape", (37, 53), (12, 12), 0.875, "crop"),
    ("down, portrait", (51, 34), (14, 14), 0.875, "crop"),
    ("down by more than ten", (67, 59), (5, 5), 1.0, "crop"),
    ("up, landscape", (5, 7), (13, 13), 1.0, "crop"),
    ("up, portrait, cropped", (11, 6), (14, 14), 0.9, "crop"),
    ("one side equal", (12, 31), (12, 12), 1.0, "crop"),
    ("equal: no resampling", (12, 12), (12, 12), 1.0, "crop"),
    ("crop of a half pixel, rounded down to even", (12, 17), (12, 12), 1.0, "crop"),
    ("crop of a half pixel, rounded up to even", (12, 15), (12, 12), 1.0, "crop"),
    ("padded: the resized picture is smaller than the crop", (23, 20), (13, 13), 1.3, "crop"),
    ("wide input", (31, 45), (7, 15), 0.8, "crop"),
    ("tall input", (30, 29), (15, 7), 0.8, "crop"),
    ("squashed", (25, 44), (12, 10), 1.0, "squash"),
    ("a single pixel", (1, 1), (5, 5), 1.0, "crop"),
    ("half transparent", (19, 24), (12, 12), 0.875, "crop"),
]


def picture(height, width, transparent, rng):
    """Gradients, an edge and noise: what resampling treats differently. [H,W,4] bytes."""
    y, x = np.mgrid[0:height, 0:width]
    ramp = 255 * x / max(1, width - 1)
    checks = 255 * ((x // 3 + y // 2) % 2)
    waves = 127 + 120 * np.sin(x * 0.7 + y * y * 0.05)
    noise = rng.normal(0, 12, (height, width, 3))
    rgb = np.stack([ramp, checks, waves], -1) + noise
    alpha = rng.integers(0, 256, (height, width, 1)) if transparent else np.full((height, width, 1), 255)
    return np.concatenate([rgb.clip(0, 255), alpha], -1).round().astype(np.uint8)


def resized(height, width, size, crop_pct, fit):
    box = [math.floor(side / crop_pct) for side in size]
    if fit == "squash":
        return box
    if height * box[1] <= width * box[0]:
        return [box[0], int(box[0] * width / height)]
    return [int(box[1] * height / width), box[1]]


def centre_crop(image, height, width):
    """torchvision.transforms.functional.center_crop: pads with zeros, then Python's round()."""
    tall, wide = image.shape[-2:]
    down, across = max(0, height - tall), max(0, width - wide)
    image = F.pad(image, [across // 2, (across + 1) // 2, down // 2, (down + 1) // 2])
    tall, wide = image.shape[-2:]
    top, left = int(round((tall - height) / 2.0)), int(round((wide - width) / 2.0))
    return image[..., top:top + height, left:left + width]


def expected(pixels, size, crop_pct, fit, interpolation):
    rgba = torch.from_numpy(pixels).permute(2, 0, 1).float() / 255
    image = rgba[:3] * rgba[3:] + (1 - rgba[3:])
    to = resized(*pixels.shape[:2], size, crop_pct, fit)
    if to != list(pixels.shape[:2]):
        image = F.interpolate(image[None], to, mode=interpolation, align_corners=False, antialias=True)[0]
    image = centre_crop(image, *size)
    mean, std = torch.tensor(MEAN)[:, None, None], torch.tensor(STD)[:, None, None]
    return ((image - mean) / std).contiguous().numpy()


def main():
    rng = np.random.default_rng(7)
    cases = []
    for name, (height, width), size, crop_pct, fit in CASES:
        pixels = picture(height, width, "transparent" in name, rng)
        results = {mode: expected(pixels, size, crop_pct, fit, mode) for mode in ("bilinear", "bicubic")}
        assert all(r.shape == (3, *size) and r.dtype == np.float32 for r in results.values())
        cases.append({
            "name": name,
            "picture": {"width": width, "height": height, "data": base64.b64encode(pixels.tobytes()).decode()},
            "preprocessing": {"size": size, "cropPct": crop_pct, "fit": fit, "mean": MEAN, "std": STD},
            "expected": {mode: base64.b64encode(r.astype("<f4").tobytes()).decode() for mode, r in results.items()},
        })
    out = pathlib.Path(__file__).parent.parent / "tests/fixtures/preprocess.json"
    source = f"tools/make_preprocess_fixture.py, PyTorch {torch.__version__}"
    out.write_text(json.dumps({"source": source, "cases": cases}, indent=1) + "\n")
    print(f"{out}: {len(cases)} cases, {out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
