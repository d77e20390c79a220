"""Trains a small GPT-2 on one text file, with its own byte-level BPE, and writes a Hugging Face folder.

    python tools/train_gpt_text.py TEXT OUT_DIR [--layers 6] [--width 192] [--heads 6] [--context 256] [--vocab 1024]
                                   [--steps 1500] [--batch 16] [--lr 1.5e-3] [--dropout 0.15] [--threads 2] [--device cpu]

OUT_DIR gets model.safetensors (the names of transformers), config.json, generation_config.json, tokenizer.json and training.json
(validation loss). The last tenth of the text is held out, from the tokeniser too. train_llama_text.py trains a Llama the same way.
"""

import argparse
import json
import os
import time

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import GenerationConfig, GPT2Config, GPT2LMHeadModel


def split(text):
    """The text to train on, and the last tenth, held out."""
    cut = int(len(text) * 0.9)
    return text[:cut], text[cut:]


def train_tokenizer(text, vocab):
    """Byte-level BPE with the whole byte alphabet, so that no text is out of vocabulary."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=vocab, special_tokens=["<|endoftext|>"], initial_alphabet=alphabet)
    tokenizer.train_from_iterator([text], trainer)
    return tokenizer


@torch.no_grad()
def validation_loss(net, tokens, context, device="cpu"):
    """Mean cross-entropy a token, in nats, over whole windows that do not overlap; each predicts context - 1 tokens."""
    net.eval()
    windows = [tokens[i : i + context] for i in range(0, len(tokens) - context, context)]
    losses = [net(w[None].to(device), labels=w[None].to(device)).loss for w in windows]
    return torch.stack(losses).mean().item()


def save(net, args, log, characters_per_token):
    """Writes the folder; the head is tied to the embedding and is not stored."""
    dtype = net.config.dtype or torch.float32
    state = {k: v.detach().cpu().to(dtype).contiguous().clone() for k, v in net.state_dict().items() if k != "lm_head.weight"}
    save_file(state, f"{args.out}/model.safetensors", {"format": "pt"})
    net.config.architectures = [type(net).__name__]
    net.config.to_json_file(f"{args.out}/config.json")
    GenerationConfig.from_model_config(net.config).save_pretrained(args.out)
    arguments = {k: v for k, v in vars(args).items() if k not in ("text", "out")}
    training = {"log": log, "arguments": arguments, "characters_per_token": characters_per_token}
    with open(f"{args.out}/training.json", "w") as file:
        json.dump(training, file, indent=1)


def parser(description, **defaults):
    """The arguments that the texts' trainers share. `defaults` are those of one of them."""
    p = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("text")
    p.add_argument("out")
    p.add_argument("--layers", type=int, default=6)
    p.add_argument("--width", type=int, default=192)
    p.add_argument("--heads", type=int, default=6)
    p.add_argument("--context", type=int, default=256)
    p.add_argument("--vocab", type=int, default=1024)
    p.add_argument("--steps", type=int, default=1500)
    p.add_argument("--batch", type=int, default=16)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--lr", type=float, default=1.5e-3)
    p.add_argument("--dropout", type=float, default=0.15)
    p.add_argument("--device", default="cpu")
    p.set_defaults(**defaults)
    return p


def train(args, build):
    """Trains what `build` makes, and writes the folder of the step with the least validation loss."""
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    os.makedirs(args.out, exist_ok=True)

    with open(args.text, encoding="utf8") as file:
        train_text, held_out_text = split(file.read())
    tokenizer = train_tokenizer(train_text, args.vocab)
    tokenizer.save(f"{args.out}/tokenizer.json")
    tokens, held_out = (torch.tensor(tokenizer.encode(t).ids) for t in (train_text, held_out_text))
    characters_per_token = len(train_text) / len(tokens)

    net = build(args).to(args.device)
    millions = sum(x.numel() for x in net.parameters()) / 1e6
    print(
        f"{millions:.2f} M parameters, {len(tokens)} + {len(held_out)} tokens, {characters_per_token:.2f} characters a token",
        flush=True,
    )
    groups = [
        {"params": [x for x in net.parameters() if x.dim() > 1], "weight_decay": 0.1},
        {"params": [x for x in net.parameters() if x.dim() <= 1], "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups, args.lr, betas=(0.9, 0.95))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, args.lr, total_steps=args.steps, pct_start=0.08)

    log = []
    start = time.time()
    for step in range(1, args.steps + 1):
        net.train()
        starts = torch.randint(len(tokens) - args.context, (args.batch,))
        x = torch.stack([tokens[j : j + args.context] for j in starts]).to(args.device)
        loss = net(x, labels=x).loss
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        if step % 100 == 0 or step == args.steps:
            value = validation_loss(net, held_out, args.context, args.device)
            log.append({"step": step, "train": loss.item(), "val": value, "seconds": round(time.time() - start)})
            print(log[-1], flush=True)
            if value <= min(entry["val"] for entry in log):
                save(net, args, log, characters_per_token)

    net.eval()
    prompt = torch.tensor([tokenizer.encode("ROMEO:\n").ids]).to(args.device)
    ids = net.generate(prompt, max_new_tokens=120, do_sample=True, top_k=40, temperature=0.8, pad_token_id=0)
    print(tokenizer.decode(ids[0].tolist()))


def gpt2(args):
    """A GPT-2 of random weights."""
    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=args.vocab,
            n_positions=args.context,
            n_embd=args.width,
            n_layer=args.layers,
            n_head=args.heads,
            resid_pdrop=args.dropout,
            embd_pdrop=args.dropout,
            attn_pdrop=args.dropout,
            bos_token_id=0,
            eos_token_id=0,
        )
    )


if __name__ == "__main__":
    train(parser(__doc__).parse_args(), gpt2)
