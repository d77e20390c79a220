"""Measures the shipped weights with PyTorch: the numbers that their READMEs quote.

    python tools/verify_weights.py resnet FOLDER TEST.tar.gz     exact top-1 over an archive of one folder a class
    python tools/verify_weights.py samples FOLDER SAMPLES_DIR    the sample pictures that samples.json lists
    python tools/verify_weights.py text FOLDER TEXT              loss a token and perplexity on the held-out tenth
"""

import json
import math
import sys

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

from train_gpt_text import split, validation_loss
from train_resnet_cifar10 import ResNet, count_correct, normalise, read


def load_resnet(folder):
    """The published names as they are; only the batch counters, which training alone needs, may be missing."""
    net = ResNet(20)
    result = net.load_state_dict(load_file(f"{folder}/model.safetensors"), strict=False)
    wrong = [k for k in result.missing_keys if not k.endswith("num_batches_tracked")] + result.unexpected_keys
    if wrong:
        sys.exit(f"{folder}: missing or unexpected tensors {wrong}")
    return net.eval()


def resnet(folder, archive):
    images, labels, _ = read(archive)
    correct = count_correct(load_resnet(folder), normalise(images), labels)
    print(f"top-1: {correct} of {len(images)} ({100 * correct / len(images):.2f} %)")


def preprocess(path):
    """torchvision's: antialiased bilinear resize of the short side to 32 in float, centre crop, normalise. [1,3,32,32]"""
    u8 = torch.from_numpy(np.array(Image.open(path).convert("RGB")))
    x = normalise(u8[None].float())
    height, width = x.shape[2:]
    scale = 32 / min(height, width)
    size = (max(32, int(height * scale)), max(32, int(width * scale)))
    x = F.interpolate(x, size=size, mode="bilinear", antialias=True, align_corners=False)
    top, left = round((size[0] - 32) / 2), round((size[1] - 32) / 2)
    return x[:, :, top : top + 32, left : left + 32]


@torch.no_grad()
def samples(folder, directory):
    net = load_resnet(folder)
    with open(f"{folder}/config.json") as file:
        names = json.load(file)["label_names"]
    with open(f"{directory}/samples.json") as file:
        listed = json.load(file)
    right = 0
    for sample in listed:
        p = net(preprocess(f"{directory}/{sample['file']}"))[0].softmax(0)
        best = p.argsort(descending=True)[:3].tolist()
        right += names[best[0]] == sample["label"]
        print(f"{sample['label']:10}", "  ".join(f"{names[i]} {100 * p[i]:.1f} %" for i in best))
    print(f"{right} of {len(listed)} right")


def text(folder, path):
    with open(path, encoding="utf8") as file:
        _, held_out = split(file.read())
    net = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokens = Tokenizer.from_file(f"{folder}/tokenizer.json").encode(held_out).ids
    loss = validation_loss(net, torch.tensor(tokens), net.config.max_position_embeddings)
    bits = loss * len(tokens) / len(held_out) / math.log(2)
    print(f"{len(held_out)} characters, {len(tokens)} tokens")
    print(f"loss {loss:.6f} a token, perplexity {math.exp(loss):.4f}, {bits:.4f} bits a character")


if __name__ == "__main__":
    torch.set_num_threads(1)
    commands = {"resnet": resnet, "samples": samples, "text": text}
    if len(sys.argv) != 4 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    commands[sys.argv[1]](*sys.argv[2:])
