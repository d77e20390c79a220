"""Writes a GPT-2 of random weights in the 124 M shape with PyTorch's float32 answers, to compare an engine with.

    python tools/reference_gpt2.py OUT_DIR [--threads 1]

OUT_DIR gets what `save_pretrained` writes (config.json, model.safetensors, ...: about 500 MB), and

    reference.json         ids: a prompt; positions: those of its tokens whose logits are stored;
                           greedy: {prompt, tokens, gaps}, where gaps[i] is how far tokens[i] led the second best;
                           float64: how far the stored float32 logits are from float64's, normwise-relative, and
                           whether float64 decodes to the same tokens
    reference.safetensors  logits: float32 [len(positions), vocabulary]

The committed fixtures of tests/fixtures/gpt2-* have the same layout.
"""

import argparse
import copy
import json
import os

import torch
from safetensors.torch import save_file
from transformers import GPT2Config, GPT2LMHeadModel

NEW_TOKENS = 64


@torch.no_grad()
def randomise(net):
    """Makes every bias and layer norm count: transformers starts them at zeros and ones, which would hide their loss."""
    for name, parameter in net.named_parameters():
        if parameter.dim() == 1:
            ones = "ln_" in name and name.endswith("weight")
            parameter.copy_((1 if ones else 0) + 0.1 * torch.randn_like(parameter))


@torch.no_grad()
def logits_at(net, ids, positions):
    """Logits of the tokens after `positions`: [len(positions), vocabulary]."""
    return net(torch.tensor([ids])).logits[0, positions]


def decode(net, prompt):
    """Greedy tokens, and how far each led the second best."""
    ids, gaps = list(prompt), []
    for _ in range(NEW_TOKENS):
        best = logits_at(net, ids, [-1])[0].topk(2)
        ids.append(best.indices[0].item())
        gaps.append((best.values[0] - best.values[1]).item())
    return ids[len(prompt) :], gaps


def write_reference(net, out, ids, positions, prompt):
    """Writes reference.json and reference.safetensors for a GPT2LMHeadModel. Refuses a decode that meets the end token."""
    net = net.float().eval()
    logits = logits_at(net, ids, positions)
    tokens, gaps = decode(net, prompt)
    if net.config.eos_token_id in tokens:
        raise SystemExit("the greedy tokens hold the end token: take another seed")
    exact = copy.deepcopy(net).double()
    exact_logits = logits_at(exact, ids, positions)
    error = ((logits - exact_logits).norm() / exact_logits.norm()).item()
    reference = {
        "ids": ids,
        "positions": positions,
        "greedy": {"prompt": prompt, "tokens": tokens, "gaps": gaps},
        "float64": {"normwiseError": error, "greedyTokensEqual": decode(exact, prompt)[0] == tokens},
    }
    with open(f"{out}/reference.json", "w") as file:
        json.dump(reference, file)
        file.write("\n")
    save_file({"logits": logits.contiguous()}, f"{out}/reference.safetensors")
    print(
        f"{out}: {len(set(tokens))} different greedy tokens, smallest gap {min(gaps):.4f}, "
        f"logits' deviation {logits.std():.3f}, float32 off float64 by {error:.2e}, "
        f"same tokens {reference['float64']['greedyTokensEqual']}"
    )


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("out")
    p.add_argument("--threads", type=int, default=1)
    args = p.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(124)
    os.makedirs(args.out, exist_ok=True)
    net = GPT2LMHeadModel(GPT2Config(initializer_range=0.08)).eval()
    randomise(net)
    with torch.no_grad():  # else twelve random layers drown the input, and every greedy token is the same
        net.transformer.wte.weight.mul_(2.5)
        net.transformer.wpe.weight.mul_(12.5)
    net.save_pretrained(args.out)
    ids = torch.randint(net.config.vocab_size, (100,)).tolist()
    write_reference(net, args.out, ids, positions=[96, 97, 98, 99], prompt=ids)


if __name__ == "__main__":
    main()
