"""Writes the model fixtures of tests/fixtures: small random checkpoints and PyTorch's float32 answers to them.

    python tools/make_fixtures.py [gpt2-tiny] [gpt2-tiny-bare] [resnet-tiny] [onnx-decoder]      (none named: all)

Every folder that holds a model.safetensors also holds a reference.safetensors. GPT-2: see reference_gpt2.py.
ResNet: input [N,3,H,W] and logits [N,classes], both float32. ONNX: see export_decoder.py.
"""

import datetime
import json
import os
import shutil
import sys
from pathlib import Path

import safetensors
import torch
import torch.nn as nn
import torch.nn.functional as F
import transformers
from safetensors.torch import save_file
from transformers import GPT2Config, GPT2LMHeadModel, ResNetConfig, ResNetForImageClassification

from export_decoder import export_decoders
from reference_gpt2 import randomise, write_reference
from resnets import Basic, Bottleneck, ImageNetResNet, OptionAResNet
from train_resnet_cifar10 import ResNet as ProjectionResNet

FIXTURES = Path(__file__).resolve().parent.parent / "tests" / "fixtures"
IMAGENET_MEAN, IMAGENET_STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def fresh(name):
    folder = FIXTURES / name
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    return folder


def provenance(folder, seed, text):
    """The note that says where the files of a folder come from."""
    (folder / "PROVENANCE.md").write_text(
        f"# Where these files come from\n\n{text.strip()}\n\n"
        f"Written by `python tools/make_fixtures.py {folder.name}` on {datetime.date.today()} with\n"
        f"PyTorch {torch.__version__.split('+')[0]} (CPU, float32), transformers {transformers.__version__} and "
        f"safetensors {safetensors.__version__}; seed {seed}. The weights are random numbers:\n"
        f"no data set, no third-party weights. Licence: MIT, like the project.\n"
    )


def gpt2_tiny():
    seed = 108
    folder = fresh("gpt2-tiny")
    torch.manual_seed(seed)
    shape = dict(n_layer=2, n_embd=48, n_head=4, vocab_size=211, n_positions=96)
    net = GPT2LMHeadModel(GPT2Config(**shape, initializer_range=0.3, bos_token_id=0, eos_token_id=0)).eval()
    randomise(net)
    net.save_pretrained(folder)
    ids = torch.randint(1, shape["vocab_size"], (37,)).tolist()
    write_reference(net, folder, ids, positions=list(range(37)), prompt=ids[:5])
    provenance(folder, seed, """
A `GPT2LMHeadModel` of random weights as `save_pretrained` writes it: float32, names with the `transformer.` prefix,
the head tied to the embedding and not stored. 2 layers, 48 wide, 4 heads of 12, vocabulary 211, context 96, inner
width 192 (`n_inner` null: four times the width), activation `gelu_new` (the tanh form).

`reference.json` and `reference.safetensors` are laid out as tools/reference_gpt2.py says: a prompt of 37 ids, the logits
of all its positions, and 64 greedy tokens from a prompt of 5.
""")  # fmt: skip


def gpt2_tiny_bare():
    seed = 77
    folder = fresh("gpt2-tiny-bare")
    torch.manual_seed(seed)
    shape = dict(n_layer=3, n_embd=24, n_head=3, n_inner=40, vocab_size=97, n_positions=80)
    config = GPT2Config(**shape, initializer_range=0.4, bos_token_id=0, eos_token_id=0)
    net = GPT2LMHeadModel(config).eval()
    randomise(net)
    net.to(torch.bfloat16)
    state = {name: tensor.clone() for name, tensor in net.transformer.state_dict().items()}
    context = shape["n_positions"]
    for layer in range(shape["n_layer"]):  # older exports store the causal mask; readers must pass over it
        state[f"h.{layer}.attn.bias"] = torch.ones(context, context, dtype=torch.uint8).tril()[None, None]
    save_file(state, folder / "model.safetensors", {"format": "pt"})
    config.architectures, config.dtype = ["GPT2Model"], torch.bfloat16
    config.save_pretrained(folder)
    ids = torch.randint(1, shape["vocab_size"], (37,)).tolist()
    write_reference(net, folder, ids, positions=list(range(37)), prompt=ids[:5])
    provenance(folder, seed, """
The state dict of a `GPT2Model` of random weights: BF16, names without the `transformer.` prefix, and beside them the
U8 buffers `h.N.attn.bias` (the causal mask) that older exports carry and a reader passes over. 3 layers, 24 wide, 3
heads of 8, vocabulary 97, context 80, inner width 40 (`n_inner`), activation `gelu_new` (the tanh form).

`reference.json` and `reference.safetensors` are laid out as tools/reference_gpt2.py says. They were computed in float32
from the BF16 weights widened, with the head tied to the embedding.
""")  # fmt: skip


@torch.no_grad()
def settle(net, size):
    """Random batch statistics that keep activations near unit size: those of a batch, then jittered."""
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    for norm in norms:
        norm.weight.uniform_(0.5, 1.5)
        norm.bias.normal_(0, 0.3)
        norm.momentum = 1.0
    net.train()
    net(picture(8, size))
    for norm in norms:
        norm.running_mean.add_(0.2 * norm.running_var.sqrt() * torch.randn_like(norm.running_mean))
        norm.running_var.mul_(torch.empty_like(norm.running_var).uniform_(0.6, 1.6))
    head = [m for m in net.modules() if isinstance(m, nn.Linear)][-1]
    head.weight.mul_(3)
    return net.eval()


def picture(count, size):
    """Random blobs with some noise: unlike plain noise, two of them give clearly different logits."""
    blobs = F.interpolate(torch.randn(count, 3, 5, 5), size=(size, size), mode="bilinear")
    return 1.5 * blobs + 0.3 * torch.randn(count, 3, size, size) + 0.5 * torch.randn(count, 3, 1, 1)


@torch.no_grad()
def write_resnet(folder, net, size):
    """Random statistics, then reference.safetensors. The caller writes the model itself."""
    os.makedirs(folder)
    settle(net, size)
    x = picture(2, size)
    logits, exact = (getattr(y, "logits", y) for y in (net(x), net.double()(x.double())))
    net.float()
    reference = {"input": x, "logits": logits}
    if getattr(getattr(net, "config", None), "problem_type", None) == "multi_label_classification":
        reference["probabilities"] = logits.sigmoid()
    save_file({name: tensor.contiguous() for name, tensor in reference.items()}, folder / "reference.safetensors")
    error = ((logits - exact).norm() / exact.norm()).item()
    print(f"{folder}: float32 off float64 by {error:.2e}, top-1 {logits.argmax(1).tolist()}")


def write_state(folder, net, counters):
    """The state dict as torch.save users publish it; batch counters only where asked for."""
    state = {k: v.clone() for k, v in net.state_dict().items() if counters or not k.endswith("num_batches_tracked")}
    save_file(state, folder / "model.safetensors", {"format": "pt"})


def write_timm_config(folder, architecture, classes, size, classifier):
    config = {
        "architecture": architecture,
        "num_classes": classes,
        "pretrained_cfg": {
            "input_size": [3, size, size],
            "mean": IMAGENET_MEAN,
            "std": IMAGENET_STD,
            "interpolation": "bicubic",
            "crop_pct": 0.95,
            "first_conv": "conv1",
            "classifier": classifier,
        },
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")


def resnet_tiny():
    seed = 469
    root = fresh("resnet-tiny")

    def plain(name, make, size, counters=False):
        torch.manual_seed(seed)
        net = make()
        write_resnet(root / name, net, size)
        write_state(root / name, net, counters)

    plain("torchvision-basic", lambda: ImageNetResNet(Basic, [2, 2, 2, 2], 4, classes=11), 64, counters=True)
    plain("torchvision-bottleneck", lambda: ImageNetResNet(Bottleneck, [3, 4, 6, 3], 3, classes=13), 48)
    write_timm_config(root / "torchvision-bottleneck", "resnet50", 13, 48, "fc")
    plain("cifar-projection", lambda: ProjectionResNet(20, classes=10, widths=(4, 8, 16)), 32)
    plain("cifar-option-a", lambda: OptionAResNet(20, (4, 8, 16), classes=10), 32)

    labels = dict(enumerate(["ant", "bee", "cow", "elk", "fox", "hen", "owl"]))
    for name, options in {
        "hf-basic": dict(layer_type="basic", embedding_size=6, hidden_sizes=[4, 8, 12, 16], depths=[2, 1, 1, 1]),
        "hf-bottleneck": dict(embedding_size=8, hidden_sizes=[16, 24, 32, 48], depths=[1, 2, 1, 1]),
        "hf-bottleneck-v1": dict(
            embedding_size=4, hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 2, 1],
            downsample_in_bottleneck=True, downsample_in_first_stage=True,
        ),
    }.items():  # fmt: skip
        torch.manual_seed(seed)
        config = ResNetConfig(**options, id2label=labels, label2id={v: k for k, v in labels.items()})
        net = ResNetForImageClassification(config)
        write_resnet(root / name, net, 40)
        net.save_pretrained(root / name)
    for name, options in {
        "hf-gelu": dict(hidden_act="gelu"),
        "hf-silu-multi-label": dict(hidden_act="silu", problem_type="multi_label_classification"),
    }.items():
        torch.manual_seed(seed)
        net = ResNetForImageClassification(ResNetConfig(
            layer_type="basic", embedding_size=4, hidden_sizes=[4, 8, 12, 16], depths=[1, 1, 1, 1], num_labels=5, **options
        ))  # fmt: skip
        write_resnet(root / name, net, 24)
        net.save_pretrained(root / name)

    provenance(root, seed, """
ResNets of random weights and random batch statistics, thin but built and named like published ones. Each folder holds
`model.safetensors` and `reference.safetensors` (`input` [2,3,H,W] and `logits` [2,classes], float32, evaluation mode).

| folder | what | names | config.json |
|---|---|---|---|
| torchvision-basic | ResNet-18: basic blocks [2,2,2,2], 4 channels to 32, 11 classes, 64x64 | torchvision, with the I64 `num_batches_tracked` | none |
| torchvision-bottleneck | ResNet-50: bottlenecks [3,4,6,3], 3 channels to 96, 13 classes, 48x48 | torchvision and timm | timm's form |
| cifar-projection | CIFAR ResNet-20 with 1x1 projections, 4/8/16 channels, 10 classes, 32x32 | `downsample.0`, `fc` | none |
| cifar-option-a | CIFAR ResNet-20 with strided slice and zero-padded channels, 4/8/16 channels, 10 classes, 32x32 | `linear`, nothing in the shortcuts | none |
| hf-basic | basic blocks [2,1,1,1], stem 6, stages 4/8/12/16 (the first has a projection of stride 1), 7 classes, 40x40 | transformers | by `save_pretrained` |
| hf-bottleneck | bottlenecks [1,2,1,1], stem 8, stages 16/24/32/48, 7 classes, 40x40 | transformers | by `save_pretrained` |
| hf-bottleneck-v1 | the same with the stride in the first 1x1 (`downsample_in_bottleneck`) and in the first stage too (`downsample_in_first_stage`), stem 4, stages 8/16/24/32, depths [1,1,2,1], 7 classes, 40x40 | transformers | by `save_pretrained` |
| hf-gelu | basic blocks [1,1,1,1], stem 4, stages 4/8/12/16, `hidden_act` gelu, 5 classes, 24x24 | transformers | by `save_pretrained` |
| hf-silu-multi-label | the same with `hidden_act` silu and `problem_type` multi_label_classification; the reference has `probabilities`, the sigmoids of the logits | transformers | by `save_pretrained` |
""")  # fmt: skip


def onnx_decoder():
    seed = 112
    folder = fresh("onnx-decoder")
    torch.manual_seed(seed)
    export_decoders(folder)
    provenance(folder, seed, export_decoders.__doc__)


def main():
    makers = {"gpt2-tiny": gpt2_tiny, "gpt2-tiny-bare": gpt2_tiny_bare, "resnet-tiny": resnet_tiny, "onnx-decoder": onnx_decoder}
    names = sys.argv[1:] or list(makers)
    if not set(names) <= set(makers):
        sys.exit(__doc__)
    torch.set_num_threads(1)
    for name in names:
        makers[name]()


if __name__ == "__main__":
    main()
