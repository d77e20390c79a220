"""Trains a CIFAR-10 ResNet (He et al. 2015, section 4.2; projection shortcuts) and writes a Hugging Face style folder.

    python tools/train_resnet_cifar10.py TRAIN.tar.gz TEST.tar.gz OUT_DIR [--depth 20] [--epochs 8] [--threads 2]

The archives hold one folder a class with 32x32 images. Tensor names are torchvision's (conv1, bn1, layer1.0..., fc).
OUT_DIR gets model.safetensors, config.json (timm's form) and training.json (accuracy per epoch).
"""

import argparse
import io
import json
import os
import tarfile
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import save_file

MEAN, STD = [0.4914, 0.4822, 0.4465], [0.2470, 0.2435, 0.2616]


class Block(nn.Module):
    """Two 3x3 convolutions and a shortcut, which is a 1x1 projection where the shape changes."""

    def __init__(self, cin, cout, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(cout)
        self.conv2 = nn.Conv2d(cout, cout, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(cout)
        self.downsample = None
        if stride != 1 or cin != cout:
            self.downsample = nn.Sequential(nn.Conv2d(cin, cout, 1, stride, bias=False), nn.BatchNorm2d(cout))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return F.relu(y + (self.downsample(x) if self.downsample else x))


class ResNet(nn.Module):
    """Three stages of (depth - 2) / 6 blocks each, `widths` channels wide. [N,3,32,32] to [N,classes]."""

    def __init__(self, depth, classes=10, widths=(16, 32, 64)):
        super().__init__()
        n = (depth - 2) // 6
        a, b, c = widths
        self.conv1 = nn.Conv2d(3, a, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(a)
        self.layer1 = nn.Sequential(*[Block(a, a, 1) for _ in range(n)])
        self.layer2 = nn.Sequential(*[Block(a if i == 0 else b, b, 2 if i == 0 else 1) for i in range(n)])
        self.layer3 = nn.Sequential(*[Block(b if i == 0 else c, c, 2 if i == 0 else 1) for i in range(n)])
        self.fc = nn.Linear(c, classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(x.mean((2, 3)))


def read(path, classes=None):
    """Images as uint8 [N,32,32,3], their class indices [N], and the sorted class names."""
    images, names = [], []
    with tarfile.open(path) as tar:
        for member in tar:
            if member.isfile() and member.name.lower().endswith((".jpg", ".jpeg", ".png")):
                image = Image.open(io.BytesIO(tar.extractfile(member).read()))
                images.append(np.asarray(image.convert("RGB")))
                names.append(member.name.split("/")[-2])
    classes = classes or sorted(set(names))
    return torch.from_numpy(np.stack(images)), torch.tensor([classes.index(n) for n in names]), classes


def normalise(u8):
    """uint8 [N,H,W,3] to normalised float32 [N,3,H,W], channels last in memory."""
    x = (u8.float() / 255 - torch.tensor(MEAN)) / torch.tensor(STD)
    return x.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)


def augment(x):
    """Each image shifted by up to 4 pixels either way (zero padding) and mirrored half of the time."""
    n = len(x)
    x = F.pad(x, (4, 4, 4, 4))
    dx, dy, flip = torch.randint(0, 9, (n,)), torch.randint(0, 9, (n,)), torch.rand(n) < 0.5
    out = torch.empty(n, 3, 32, 32).contiguous(memory_format=torch.channels_last)
    for i in range(n):
        crop = x[i, :, dy[i] : dy[i] + 32, dx[i] : dx[i] + 32]
        out[i] = crop.flip(2) if flip[i] else crop
    return out


@torch.no_grad()
def count_correct(net, images, labels, device="cpu", batch=500):
    """How many of the images the network gets right, in evaluation mode."""
    net.eval()
    correct = 0
    for i in range(0, len(images), batch):
        predicted = net(images[i : i + batch].to(device)).argmax(1).cpu()
        correct += (predicted == labels[i : i + batch]).sum().item()
    return correct


def save(net, args, classes, log):
    """Writes the folder; batch counters are training state and are left out."""
    state = {k: v.clone().contiguous() for k, v in net.state_dict().items() if not k.endswith("num_batches_tracked")}
    save_file(state, f"{args.out}/model.safetensors", {"format": "pt"})
    config = {
        "architecture": f"resnet{args.depth}_cifar",
        "num_classes": 10,
        "label_names": classes,
        "pretrained_cfg": {
            "input_size": [3, 32, 32],
            "mean": MEAN,
            "std": STD,
            "interpolation": "bilinear",
            "crop_pct": 1.0,
            "first_conv": "conv1",
            "classifier": "fc",
        },
    }
    arguments = {k: v for k, v in vars(args).items() if k not in ("train", "test", "out")}
    for name, content in (("config", config), ("training", {"epochs": log, "arguments": arguments})):
        with open(f"{args.out}/{name}.json", "w") as file:
            json.dump(content, file, indent=1)


def parse_arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("train")
    p.add_argument("test")
    p.add_argument("out")
    p.add_argument("--depth", type=int, default=20)
    p.add_argument("--epochs", type=int, default=8)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--batch", type=int, default=128)
    p.add_argument("--lr", type=float, default=0.4)
    p.add_argument("--device", default="cpu")
    return p.parse_args()


def main():
    args = parse_arguments()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    os.makedirs(args.out, exist_ok=True)

    train_images, train_labels, classes = read(args.train)
    test_images, test_labels, _ = read(args.test, classes)
    train_images, test_images = normalise(train_images), normalise(test_images)

    net = ResNet(args.depth).to(args.device, memory_format=torch.channels_last)
    batches = len(train_images) // args.batch
    optimiser = torch.optim.SGD(net.parameters(), args.lr, momentum=0.9, weight_decay=5e-4, nesterov=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, args.lr, total_steps=args.epochs * batches, pct_start=0.25
    )
    log = []
    start = time.time()
    for epoch in range(args.epochs):
        net.train()
        order = torch.randperm(len(train_images))
        total = 0.0
        for i in range(batches):
            j = order[i * args.batch : (i + 1) * args.batch]
            logits = net(augment(train_images[j]).to(args.device))
            loss = F.cross_entropy(logits, train_labels[j].to(args.device), label_smoothing=0.1)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item()
        accuracy = count_correct(net, test_images, test_labels, args.device) / len(test_images)
        seconds = round(time.time() - start)
        log.append({"epoch": epoch + 1, "loss": total / batches, "test_top1": accuracy, "seconds": seconds})
        print(log[-1], flush=True)
        save(net, args, classes, log)


if __name__ == "__main__":
    main()
