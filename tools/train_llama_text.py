"""Trains a small Llama on one text file, as train_gpt_text.py does a GPT-2: the same text, tokeniser and course.

    python tools/train_llama_text.py TEXT OUT_DIR [--kv-heads 2] [--inner 512] [and what train_gpt_text.py takes]

RMSNorm, RoPE, SwiGLU, several heads of the query to one of keys and values, and the table of tokens as the head. Weights are written as
float16. Beside them come what a conversation needs: a template that writes it as a play (the user is ROMEO, the model JULIET), and where a
speech ends.
"""

import json

from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

from train_gpt_text import parser, train

# A speech is a name, its lines, and an empty line.
TEMPLATE = """{%- set names = {"system": "", "user": "ROMEO:\\n", "assistant": "JULIET:\\n"} %}
{%- for message in messages %}{{ names[message.role] + message.content + "\\n\\n" }}{% endfor %}
{%- if add_generation_prompt %}{{ names["assistant"] }}{% endif %}"""


def llama(args):
    """A Llama of random weights. transformers' has dropout in attention alone."""
    config = LlamaConfig(
        vocab_size=args.vocab,
        max_position_embeddings=args.context,
        hidden_size=args.width,
        intermediate_size=args.inner,
        num_hidden_layers=args.layers,
        num_attention_heads=args.heads,
        num_key_value_heads=args.kv_heads,
        attention_dropout=args.dropout,
        tie_word_embeddings=True,
        bos_token_id=0,
        eos_token_id=0,
        dtype="float16",
    )
    return LlamaForCausalLM(config)


def write_chat(out, context):
    """What a conversation takes beside the weights."""
    ends = {"bos_token_id": 0, "eos_token_id": 0, "stop_strings": ["\n\n"]}
    GenerationConfig(do_sample=True, temperature=0.8, top_k=40, **ends).save_pretrained(out)
    tokenizer = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": "<|endoftext|>",
        "model_max_length": context,
    }
    with open(f"{out}/tokenizer_config.json", "w") as file:
        json.dump(tokenizer, file, indent=1)
        file.write("\n")
    with open(f"{out}/chat_template.jinja", "w") as file:
        file.write(TEMPLATE + "\n")


if __name__ == "__main__":
    arguments = parser(__doc__, batch=8, steps=800, lr=3e-3, dropout=0.0, threads=1)
    arguments.add_argument("--kv-heads", type=int, default=2)
    arguments.add_argument("--inner", type=int, default=512)
    args = arguments.parse_args()
    train(args, llama)
    write_chat(args.out, args.context)
