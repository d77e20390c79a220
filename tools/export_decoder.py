"""Small decoders with past keys and values in and out, as PyTorch's two exporters write them to ONNX."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F
from safetensors.torch import save_file

WIDTH, HEADS, LAYERS, VOCABULARY, CONTEXT = 32, 4, 2, 40, 24
SIZE = WIDTH // HEADS


class Gpt(nn.Module):
    """GPT-2's block. `spelling`: how attention and GELU are written."""

    def __init__(self, spelling):
        super().__init__()
        self.spelling = spelling
        self.norms = nn.ModuleList([nn.LayerNorm(WIDTH) for _ in range(2)])
        self.qkv, self.proj = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)
        self.register_buffer("seen", torch.tril(torch.ones(CONTEXT, CONTEXT)).view(1, 1, CONTEXT, CONTEXT))

    def forward(self, x, key, value):
        b, t, _ = x.shape
        q, k, v = (
            one.view(b, t, HEADS, SIZE).transpose(1, 2) for one in self.qkv(self.norms[0](x)).split(WIDTH, 2)
        )
        k, v = torch.cat([key, k], 2), torch.cat([value, v], 2)
        total = k.shape[2]
        if self.spelling == "plain":
            scores = (q @ k.transpose(-2, -1)) * (1 / math.sqrt(SIZE))
            hidden = self.seen[:, :, total - t : total, :total] == 0
            y = F.softmax(scores.masked_fill(hidden, float("-inf")), -1) @ v
        else:
            mask = torch.ones(t, total, dtype=torch.bool).tril(total - t)
            y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        x = x + self.proj(y.transpose(1, 2).contiguous().view(b, t, WIDTH))
        inner = F.gelu(self.up(self.norms[1](x)), approximate="tanh" if self.spelling == "plain" else "none")
        return x + self.down(inner), k, v


class Llama(nn.Module):
    """Llama's block: rotary places, two heads of queries a head of keys, RMS normalisation, SwiGLU."""

    def __init__(self, _):
        super().__init__()
        self.scales = nn.ParameterList([nn.Parameter(1 + 0.1 * torch.randn(WIDTH)) for _ in range(2)])
        self.q, self.k, self.v = (nn.Linear(WIDTH, width, bias=False) for width in (WIDTH, WIDTH // 2, WIDTH // 2))
        self.o = nn.Linear(WIDTH, WIDTH, bias=False)
        self.gate, self.up = (nn.Linear(WIDTH, 2 * WIDTH, bias=False) for _ in range(2))
        self.down = nn.Linear(2 * WIDTH, WIDTH, bias=False)
        self.register_buffer("rates", 10000 ** (-torch.arange(0, SIZE, 2) / SIZE))

    def norm(self, x, i):
        return self.scales[i] * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5))

    def turned(self, x, past):
        angles = torch.arange(past, past + x.shape[2])[:, None] * torch.cat([self.rates, self.rates])
        half = torch.cat([-x[..., SIZE // 2 :], x[..., : SIZE // 2]], -1)
        return x * angles.cos() + half * angles.sin()

    def forward(self, x, key, value):
        b, t, _ = x.shape
        y = self.norm(x, 0)
        q, k, v = (one(y).view(b, t, -1, SIZE).transpose(1, 2) for one in (self.q, self.k, self.v))
        past = key.shape[2]
        q, k = self.turned(q, past), torch.cat([key, self.turned(k, past)], 2)
        v = torch.cat([value, v], 2)
        total = k.shape[2]
        mask = torch.full((t, total), float("-inf")).triu(total - t + 1)
        ks, vs = (one[:, :, None].expand(b, HEADS // 2, 2, total, SIZE).reshape(b, HEADS, total, SIZE) for one in (k, v))
        y = F.softmax(q @ ks.transpose(2, 3) / math.sqrt(SIZE) + mask, -1) @ vs
        x = x + self.o(y.transpose(1, 2).reshape(b, t, WIDTH))
        y = self.norm(x, 1)
        return x + self.down(F.silu(self.gate(y)) * self.up(y)), k, v


class Decoder(nn.Module):
    def __init__(self, block, spelling):
        super().__init__()
        self.tokens, self.places = nn.Embedding(VOCABULARY, WIDTH), nn.Embedding(CONTEXT, WIDTH)
        self.blocks = nn.ModuleList([block(spelling) for _ in range(LAYERS)])
        self.norm = nn.LayerNorm(WIDTH)

    def forward(self, ids, *past):
        start = past[0].shape[2]
        x = self.tokens(ids) + self.places(torch.arange(start, start + ids.shape[1]))
        present = []
        for i, block in enumerate(self.blocks):
            x, key, value = block(x, past[2 * i], past[2 * i + 1])
            present += [key, value]
        return (self.norm(x) @ self.tokens.weight.t(), *present)


def export_decoders(folder):
    """
Decoders of 2 layers, width 32, 4 heads, with past keys and values in and out, from PyTorch: `-script` by the exporter
of TorchScript (opset 17), `-export` by torch.export. `plain` multiplies and masks by hand, `sdpa` calls
scaled_dot_product_attention, `llama` has rotary places, grouped heads, RMS normalisation and SwiGLU. Each
`.safetensors` has `in.X` and `out.Y` for 7 tokens after 4.
    """
    names = [f"past_{i}_{which}" for i in range(LAYERS) for which in ("key", "value")]
    outputs = ["logits"] + [name.replace("past", "present") for name in names]
    for kind, block in {"plain": Gpt, "sdpa": Gpt, "llama": Llama}.items():
        net = Decoder(block, kind).eval()
        heads = HEADS // 2 if block is Llama else HEADS
        past = [torch.randn(1, heads, 4, SIZE) for _ in names]
        ids = torch.randint(0, VOCABULARY, (1, 7))
        with torch.no_grad():
            made = net(ids, *past)
        save_file(
            {
                "in.ids": ids.int(),
                **{f"in.{name}": one for name, one in zip(names, past)},
                **{f"out.{name}": one.contiguous() for name, one in zip(outputs, made)},
            },
            folder / f"{kind}.safetensors",
        )
        common = dict(input_names=["ids", *names], output_names=outputs)
        axes = {"ids": {1: "tokens"}, "logits": {1: "tokens"}}
        axes |= {name: {2: "past"} for name in names} | {name: {2: "total"} for name in outputs[1:]}
        script = dict(dynamic_axes=axes, dynamo=False, opset_version=17)
        torch.onnx.export(net, (ids, *past), folder / f"{kind}-script.onnx", **common, **script)
        tokens, length = (torch.export.Dim(name, min=1, max=CONTEXT // 2) for name in ("tokens", "past"))
        shapes = {"ids": {1: tokens}, "past": tuple({2: length} for _ in past)}
        late = dict(dynamic_shapes=shapes, dynamo=True, external_data=False)
        torch.onnx.export(net, (ids, *past), folder / f"{kind}-export.onnx", **common, **late)
