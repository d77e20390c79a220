"""Writes the encoders of tests/fixtures/encoders: small random checkpoints, and the float32 answers of transformers and sentence-transformers to them.

    python tools/make_encoder_fixtures.py [bert] [mpnet] ...      (none named: all)

Every folder is what `save_pretrained` writes, or what SentenceTransformer saves, in float32 or float16, and beside it

    reference.json         texts: what was read; ids: the token ids of each; lengths: of the rows below; and by the folder's task
                           prompts, pairs, spans ([start, end] of the characters of each token), top (of each gap [ids, scores])
    reference.safetensors  hidden: float32 [sum of lengths, width], the last hidden rows of all texts one after the other;
                           logits: of the head; vectors: of sentence-transformers, with the name of a prompt `vectors.NAME`

Answers are computed in float32 from the stored weights, widened, each text alone.
"""

import json
import shutil
import sys
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Dense, Normalize, Transformer
from sentence_transformers.sentence_transformer.modules import Pooling
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

ROOT = Path(__file__).resolve().parent.parent / "tests" / "fixtures" / "encoders"
VOCABULARY = 160
TEXTS = [
    "The cat sat on the mat.",
    "A dog!",
    "Ann Lee met Bob in Paris; they walked along the river until the café closed, and nobody knew why.",
    "",
    "Straße und 東京 are places — 42 of them?",
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen",
]
QUESTION, PASSAGE = "Where did Ann meet Bob?", TEXTS[2]
SIZES = dict(vocab_size=VOCABULARY, hidden_size=20, intermediate_size=28, num_hidden_layers=2, num_attention_heads=4, initializer_range=0.25)
LONG = dict(max_position_embeddings=130)
SPECIALS = {"wordpiece": ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], "bytes": ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]}


def wordpiece():
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(vocab_size=VOCABULARY, special_tokens=SPECIALS["wordpiece"], show_progress=False)
    tokenizer.train_from_iterator([TEXTS[0], TEXTS[1], TEXTS[2], TEXTS[5], QUESTION], trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, cls_token="[CLS]", sep_token="[SEP]", pad_token="[PAD]", unk_token="[UNK]", mask_token="[MASK]",
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )


def byte_level():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted({character for text in [*TEXTS, QUESTION] for character in text})
    shown = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = sorted({c for text in alphabet for piece, _ in shown.pre_tokenize_str(text) for c in piece})
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=SPECIALS["bytes"], initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator([*TEXTS, QUESTION], trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=False)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, cls_token="<s>", sep_token="</s>", pad_token="<pad>", unk_token="<unk>", mask_token="<mask>", bos_token="<s>", eos_token="</s>"
    )


LABELS = {"id2label": {0: "sad", 1: "glad", 2: "neither"}}
TAGS = {"id2label": {0: "O", 1: "B-PER", 2: "I-PER", 3: "B-LOC", 4: "I-LOC"}}
ROBERTA = dict(max_position_embeddings=132, pad_token_id=1, bos_token_id=0, eos_token_id=2, type_vocab_size=1)
MODERN = dict(LONG, local_attention=8, global_attn_every_n_layers=2, num_hidden_layers=3, num_attention_heads=2, pad_token_id=1, bos_token_id=0, eos_token_id=2, cls_token_id=0, sep_token_id=2)
DISTIL = dict(vocab_size=VOCABULARY, dim=20, hidden_dim=28, n_layers=2, n_heads=4, initializer_range=0.25, **LONG)
ELECTRA = dict(SIZES, **LONG, embedding_size=12)

# The class, its config, the tokenizer, the type in the file, and what sentence-transformers puts after it.
ENCODERS = {
    "bert": ("BertModel", dict(SIZES, **LONG), wordpiece, "float16", None),
    "bert-sentences": ("BertModel", dict(SIZES, **LONG), wordpiece, "float16", dict(pooling=["cls", "mean", "max"], dense=9, normalize=True, prompts={"query": "two cats: ", "document": ""})),
    "bert-classifier": ("BertForSequenceClassification", dict(SIZES, **LONG, **LABELS), wordpiece, "float16", None),
    "bert-reranker": ("BertForSequenceClassification", dict(SIZES, **LONG, num_labels=1), wordpiece, "float16", None),
    "bert-tagger": ("BertForTokenClassification", dict(SIZES, **LONG, **TAGS), wordpiece, "float16", None),
    "bert-answerer": ("BertForQuestionAnswering", dict(SIZES, **LONG), wordpiece, "float16", None),
    "bert-mask": ("BertForMaskedLM", dict(SIZES, **LONG), wordpiece, "float16", None),
    "roberta": ("RobertaModel", dict(SIZES, **ROBERTA), byte_level, "float16", None),
    "roberta-sentences": ("RobertaModel", dict(SIZES, **ROBERTA), byte_level, "float32", dict(pooling=["weightedmean", "lasttoken", "mean_sqrt_len_tokens"], prompts={"query": "one: "}, include_prompt=False)),
    "roberta-classifier": ("RobertaForSequenceClassification", dict(SIZES, **ROBERTA, **LABELS, problem_type="multi_label_classification"), byte_level, "float16", None),
    "roberta-mask": ("RobertaForMaskedLM", dict(SIZES, **ROBERTA), byte_level, "float16", None),
    "xlm-roberta-tagger": ("XLMRobertaForTokenClassification", dict(SIZES, **ROBERTA, **TAGS), byte_level, "float16", None),
    "camembert-answerer": ("CamembertForQuestionAnswering", dict(SIZES, **ROBERTA), byte_level, "float16", None),
    "distilbert": ("DistilBertModel", DISTIL, wordpiece, "float16", None),
    "distilbert-classifier": ("DistilBertForSequenceClassification", dict(DISTIL, **LABELS), wordpiece, "float16", None),
    "distilbert-answerer": ("DistilBertForQuestionAnswering", DISTIL, wordpiece, "float16", None),
    "distilbert-mask": ("DistilBertForMaskedLM", DISTIL, wordpiece, "float16", None),
    "mpnet-sentences": ("MPNetModel", dict(SIZES, **ROBERTA), byte_level, "float16", dict(pooling=["mean"], normalize=True)),
    "mpnet-classifier": ("MPNetForSequenceClassification", dict(SIZES, **ROBERTA, **LABELS, relative_attention_num_buckets=32), byte_level, "float16", None),
    "mpnet-mask": ("MPNetForMaskedLM", dict(SIZES, **ROBERTA), byte_level, "float16", None),
    "electra": ("ElectraModel", ELECTRA, wordpiece, "float16", None),
    "electra-classifier": ("ElectraForSequenceClassification", dict(ELECTRA, **LABELS), wordpiece, "float16", None),
    "electra-mask": ("ElectraForMaskedLM", ELECTRA, wordpiece, "float16", None),
    "modernbert": ("ModernBertModel", dict(SIZES | MODERN), byte_level, "float16", None),
    "modernbert-classifier": ("ModernBertForSequenceClassification", dict(SIZES | MODERN, **LABELS, classifier_pooling="mean", classifier_bias=True, norm_bias=True, attention_bias=True, mlp_bias=True), byte_level, "float16", None),
    "modernbert-tagger": ("ModernBertForTokenClassification", dict(SIZES | MODERN, **TAGS, classifier_activation="silu", hidden_activation="silu"), byte_level, "float16", None),
    "modernbert-mask": ("ModernBertForMaskedLM", dict(SIZES | MODERN), byte_level, "float16", None),
}  # fmt: skip


@torch.no_grad()
def randomise(net):
    """Makes every bias and every normalisation count: transformers starts them at zeros and ones, which would hide their loss."""
    for name, parameter in net.named_parameters():
        if parameter.dim() == 1:
            ones = "norm" in name.lower() and name.endswith("weight")
            parameter.copy_((1 if ones else 0) + 0.2 * torch.randn_like(parameter))
        elif "relative_attention_bias" in name or "position_embeddings" in name:
            parameter.copy_(0.5 * torch.randn_like(parameter))


def configured(kind, fields):
    model = getattr(transformers, kind)
    return model, model.config_class(**fields)


@torch.no_grad()
def answers(net, tokenizer, reference, tensors):
    net = net.float().eval()
    base = net.base_model if hasattr(net, "base_model") else net
    kind = type(net).__name__
    texts = TEXTS
    if kind.endswith("MaskedLM"):
        mask = tokenizer.mask_token
        texts = [f"the {mask} sat on{mask} mat", f"{mask}"]
        reference["texts"] = texts
    given = [tokenizer(text, return_tensors="pt") for text in texts]
    if "QuestionAnswering" in kind or reference.get("pair"):
        pairs = [[QUESTION, PASSAGE], ["cat?", TEXTS[0]]]
        reference["pairs"] = pairs
        given = [tokenizer(*pair, return_tensors="pt") for pair in pairs]
        reference["offsets"] = tokenizer(PASSAGE, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
    if "token_type_ids" in given[0] and net.config.model_type in ("distilbert", "modernbert", "mpnet") or getattr(net.config, "type_vocab_size", 0) < 2:
        for one in given:
            one.pop("token_type_ids", None)
    reference["ids"] = [one["input_ids"][0].tolist() for one in given]
    reference["lengths"] = [len(ids) for ids in reference["ids"]]
    tensors["hidden"] = torch.cat([base(**one).last_hidden_state[0] for one in given]).contiguous()
    if kind.endswith("Model"):
        return
    out = [net(**one) for one in given]
    if kind.endswith("QuestionAnswering"):
        tensors["logits"] = torch.cat([torch.stack([one.start_logits[0], one.end_logits[0]], -1) for one in out]).contiguous()
        return
    if kind.endswith("MaskedLM"):
        top = []
        for one, logits in zip(given, out):
            for at in (one["input_ids"][0] == tokenizer.mask_token_id).nonzero()[:, 0]:
                scores, ids = logits.logits[0, at].softmax(-1).topk(5)
                top.append([ids.tolist(), [round(score, 7) for score in scores.tolist()]])
        reference["top"] = top
        return
    tensors["logits"] = torch.cat([one.logits[0].reshape(-1, net.config.num_labels) for one in out]).contiguous()
    if kind.endswith("TokenClassification"):
        reference["spans"] = [
            tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"] for text in TEXTS
        ]


def sentences(folder, net, tokenizer, dtype, after, reference, tensors):
    base = folder / "base"
    net.to(getattr(torch, dtype)).save_pretrained(base)
    tokenizer.save_pretrained(base)
    transformer = Transformer(str(base), max_seq_length=64)
    width = net.config.hidden_size
    modules = [transformer, Pooling(width, pooling_mode=after["pooling"], include_prompt=after.get("include_prompt", True))]
    if "dense" in after:
        modules.append(Dense(width * len(after["pooling"]), after["dense"]))
    if after.get("normalize"):
        modules.append(Normalize())
    model = SentenceTransformer(modules=modules, prompts=after.get("prompts"), device="cpu").float()
    for module in modules[2:]:
        for parameter in module.parameters():
            parameter.data = torch.randn_like(parameter) * 0.2
    model.to(getattr(torch, dtype)).save(str(folder))
    (folder / "README.md").unlink()
    shutil.rmtree(base)
    model = model.float()
    for name in [None, *after.get("prompts", {})]:
        vectors = model.encode(TEXTS, prompt_name=name, batch_size=1, convert_to_tensor=True) if name else model.encode(TEXTS, prompt="", batch_size=1, convert_to_tensor=True)
        tensors["vectors" if name is None else f"vectors.{name}"] = vectors.float().contiguous().clone()


def make(name, kind, fields, tokenizer, dtype, after):
    folder = ROOT / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    torch.manual_seed(16)
    model, config = configured(kind, fields)
    net = model(config)
    randomise(net)
    tokenizer = tokenizer()
    reference, tensors = {"texts": TEXTS}, {}
    if name.endswith("reranker"):
        reference["pair"] = True
    if after:
        sentences(folder, net, tokenizer, dtype, after, reference, tensors)
    else:
        net.to(getattr(torch, dtype)).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    answers(net, tokenizer, reference, tensors)
    reference.pop("pair", None)
    (folder / "reference.json").write_text(json.dumps(reference, ensure_ascii=False) + "\n")
    save_file(tensors, folder / "reference.safetensors")
    print(name, {key: list(tensor.shape) for key, tensor in tensors.items()})


def main():
    torch.set_num_threads(1)
    names = sys.argv[1:]
    if not set(names) <= set(ENCODERS):
        sys.exit(__doc__)
    for name in names or ENCODERS:
        make(name, *ENCODERS[name])


if __name__ == "__main__":
    main()
