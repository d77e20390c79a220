"""Exports models to ONNX and quantises them with onnxruntime's quantiser, in every form that it writes.

    python tools/export_onnx.py OUT --train TRAIN.tar.gz [--test TEST.tar.gz] [--fixtures FOLDER]

The models are ResNet-20 as it ships (weights/resnet20-cifar10, batch normalisation folded), its first stage alone, and a transformer of
random seeded weights: 2 layers, width 64, 4 heads, a vocabulary of 100, past keys and values in and out. Scales of static forms are the
extremes over 256 pictures of TRAIN, an archive of one folder a class.

--test counts top-1 of each static form and of float32 over every tenth picture of TEST. --fixtures writes what the tests take: models with some of
their integer tensors as outputs beside their own, inputs, and what onnx_exact.py computes for them.
"""

import argparse
import io
import logging
import os
import tarfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
from PIL import Image
from safetensors.numpy import load_file, save_file

from onnx_exact import Exact

HERE = os.path.dirname(os.path.abspath(__file__))
WEIGHTS = f"{HERE}/../weights/resnet20-cifar10/model.safetensors"
SAMPLES = f"{HERE}/../weights/samples"
MEAN = np.array([0.4914, 0.4822, 0.4465], np.float32)
STD = np.array([0.247, 0.2435, 0.2616], np.float32)
OPSET = 17


class Writer:
    """A graph that is being written."""

    def __init__(self):
        self.nodes, self.initializers = [], []

    def tensor(self, name, array):
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def add(self, op, inputs, output, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [output] if isinstance(output, str) else output, name=output if isinstance(output, str) else output[0], **attributes))
        return output

    def model(self, inputs, outputs):
        values = [[helper.make_tensor_value_info(*value) for value in side] for side in (inputs, outputs)]
        graph = helper.make_graph(self.nodes, "graph", *values, self.initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
        onnx.checker.check_model(model)
        return model


def resnet(stages):
    """The shipped ResNet-20 up to a stage. input [N,3,32,32] to logits [N,10]; the classifier takes as many channels as there are."""
    weights = load_file(WEIGHTS)
    w = Writer()

    def conv(x, name, norm, stride=1):
        filters = weights[f"{name}.weight"].astype(np.float64)
        scale = weights[f"{norm}.weight"] / np.sqrt(weights[f"{norm}.running_var"].astype(np.float64) + 1e-5)
        bias = weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale
        kernel = list(filters.shape[2:])
        inputs = [x, w.tensor(f"{name}.weight", np.float32(filters * scale[:, None, None, None])), w.tensor(f"{name}.bias", np.float32(bias))]
        pads = [kernel[0] // 2, kernel[1] // 2] * 2
        return w.add("Conv", inputs, name, kernel_shape=kernel, strides=[stride, stride], pads=pads)

    relu = lambda x, name: w.add("Relu", [x], name)
    x = relu(conv("input", "conv1", "bn1"), "relu1")
    for stage in range(stages):
        for block in range(3):
            path = f"layer{stage + 1}.{block}"
            stride = 2 if stage and not block else 1
            y = relu(conv(x, f"{path}.conv1", f"{path}.bn1", stride), f"{path}.relu1")
            y = conv(y, f"{path}.conv2", f"{path}.bn2")
            if f"{path}.downsample.0.weight" in weights:
                x = conv(x, f"{path}.downsample.0", f"{path}.downsample.1", stride)
            x = relu(w.add("Add", [y, x], f"{path}.add"), f"{path}.relu2")
    flat = w.add("Flatten", [w.add("GlobalAveragePool", [x], "pool")], "flat")
    own = weights["fc.weight"][:, : 16 << (stages - 1)]
    w.add("Gemm", [flat, w.tensor("fc.weight", own), w.tensor("fc.bias", weights["fc.bias"])], "logits", transB=1)
    return w.model([("input", TensorProto.FLOAT, ["N", 3, 32, 32])], [("logits", TensorProto.FLOAT, ["N", 10])])


LAYERS, WIDTH, HEADS, VOCABULARY, PLACES = 2, 64, 4, 100, 16


def transformer():
    """tokens and positions [1,S], mask [S,P+S], past keys and values [1,4,P,16] to logits [1,S,100] and those with what S adds."""
    random = np.random.default_rng(20)
    w = Writer()
    normal = lambda name, *shape: w.tensor(name, np.float32(random.normal(0, 0.5 / np.sqrt(shape[0]) if len(shape) > 1 else 0.1, shape)))

    def norm(x, name):
        scale = w.tensor(f"{name}.weight", np.float32(random.uniform(0.5, 1.5, WIDTH)))
        return w.add("LayerNormalization", [x, scale, normal(f"{name}.bias", WIDTH)], name, epsilon=1e-5)

    def linear(x, name, inputs, outputs):
        made = w.add("MatMul", [x, normal(f"{name}.weight", inputs, outputs)], f"{name}.matmul")
        return w.add("Add", [made, normal(f"{name}.bias", outputs)], name)

    split = w.tensor("split", np.array([WIDTH] * 3, np.int64))
    apart = w.tensor("apart", np.array([0, 0, HEADS, WIDTH // HEADS], np.int64))
    together = w.tensor("together", np.array([0, 0, WIDTH], np.int64))
    root, one, half = (w.tensor(n, np.float32(v)) for n, v in (("root", np.sqrt(WIDTH / HEADS)), ("one", 1), ("half", 0.5)))
    wide = w.tensor("sqrt2", np.float32(np.sqrt(2)))
    tables = [w.tensor(n, np.float32(random.normal(0, 1, (rows, WIDTH)))) for n, rows in (("wte", VOCABULARY), ("wpe", PLACES))]
    x = w.add("Add", [w.add("Gather", [tables[0], "tokens"], "words"), w.add("Gather", [tables[1], "positions"], "places")], "embedded")
    outputs = []
    for layer in range(LAYERS):
        p = f"h{layer}"
        parts = w.add("Split", [linear(norm(x, f"{p}.ln1"), f"{p}.qkv", WIDTH, 3 * WIDTH), split], [f"{p}.q", f"{p}.k", f"{p}.v"], axis=2)
        q, k, v = (w.add("Transpose", [w.add("Reshape", [part, apart], f"{part}.apart")], f"{part}.heads", perm=[0, 2, 1, 3]) for part in parts)
        k, v = (w.add("Concat", [f"past.{layer}.{n}", own], f"present.{layer}.{n}", axis=2) for n, own in (("key", k), ("value", v)))
        outputs += [(name, TensorProto.FLOAT, [1, HEADS, "T", WIDTH // HEADS]) for name in (k, v)]
        scores = w.add("MatMul", [q, w.add("Transpose", [k], f"{p}.turned", perm=[0, 1, 3, 2])], f"{p}.scores")
        masked = w.add("Add", [w.add("Div", [scores, root], f"{p}.scaled"), "mask"], f"{p}.masked")
        mixed = w.add("MatMul", [w.add("Softmax", [masked], f"{p}.weights", axis=3), v], f"{p}.mixed")
        joined = w.add("Reshape", [w.add("Transpose", [mixed], f"{p}.back", perm=[0, 2, 1, 3]), together], f"{p}.joined")
        x = w.add("Add", [x, linear(joined, f"{p}.proj", WIDTH, WIDTH)], f"{p}.attended")
        up = linear(norm(x, f"{p}.ln2"), f"{p}.up", WIDTH, 4 * WIDTH)
        bell = w.add("Add", [w.add("Erf", [w.add("Div", [up, wide], f"{p}.down0")], f"{p}.erf"), one], f"{p}.bell")
        gelu = w.add("Mul", [w.add("Mul", [up, bell], f"{p}.twice"), half], f"{p}.gelu")
        x = w.add("Add", [x, linear(gelu, f"{p}.down", 4 * WIDTH, WIDTH)], f"{p}.out")
    w.add("MatMul", [norm(x, "ln"), normal("head.weight", WIDTH, VOCABULARY)], "logits")
    inputs = [("tokens", TensorProto.INT64, [1, "S"]), ("positions", TensorProto.INT64, [1, "S"]), ("mask", TensorProto.FLOAT, ["S", "T"])]
    past = [(name.replace("present", "past"), kind, [1, HEADS, "P", WIDTH // HEADS]) for name, kind, _ in outputs]
    return w.model([*inputs, *past], [("logits", TensorProto.FLOAT, [1, "S", VOCABULARY]), *outputs])


def text_inputs(seed, length=5, past=3):
    random = np.random.default_rng(seed)
    mask = np.where(np.arange(past + length) <= past + np.arange(length)[:, None], 0, -1e4).astype(np.float32)
    made = {"tokens": random.integers(0, VOCABULARY, (1, length)), "positions": np.arange(past, past + length)[None], "mask": mask}
    for layer in range(LAYERS):
        for part in ("key", "value"):
            made[f"past.{layer}.{part}"] = np.float32(random.normal(0, 0.5, (1, HEADS, past, WIDTH // HEADS)))
    return made


def normalise(pictures):
    return np.ascontiguousarray(((np.float32(pictures) / np.float32(255) - MEAN) / STD).transpose(0, 3, 1, 2))


def read(archive, step):
    """Every `step`th picture in the order of names: [N,3,32,32], class indices, names."""
    with tarfile.open(archive) as tar:
        files = sorted((m for m in tar if m.isfile()), key=lambda m: m.name)[::step]
        pictures = [np.asarray(Image.open(io.BytesIO(tar.extractfile(m).read())).convert("RGB")) for m in files]
    names = [m.name.split("/")[-2] for m in files]
    return normalise(np.stack(pictures)), [sorted(set(names)).index(name) for name in names]


def samples():
    """A dog and a truck of weights/samples, [2,3,32,32]."""
    files = [Image.open(f"{SAMPLES}/{name}.png").convert("RGB").resize((32, 32)) for name in ("dog", "truck")]
    return normalise(np.stack([np.asarray(file) for file in files]))


class Reader(CalibrationDataReader):
    def __init__(self, batches):
        self.batches = iter(batches)

    def get_next(self):
        return next(self.batches, None)


U8, S8 = QuantType.QUInt8, QuantType.QInt8
STATIC = {
    "qdq-u8s8": dict(quant_format=QuantFormat.QDQ, activation_type=U8, weight_type=S8, per_channel=True),
    "qdq-s8s8": dict(quant_format=QuantFormat.QDQ, activation_type=S8, weight_type=S8, per_channel=True, extra_options={"ActivationSymmetric": True}),
    "qlinear-u8u8": dict(quant_format=QuantFormat.QOperator, activation_type=U8, weight_type=U8),
    "qlinear-u8s8": dict(quant_format=QuantFormat.QOperator, activation_type=U8, weight_type=S8, per_channel=True),
}
NBITS = {"nbits4": dict(bits=4, is_symmetric=True), "nbits4-zero": dict(bits=4, is_symmetric=False), "nbits8": dict(bits=8, is_symmetric=True)}


def quantise_all(folder, name, batches, **options):
    """All forms of a float model, by name."""
    path, made = f"{folder}/{name}.onnx", {}
    for form, settings in STATIC.items():
        made[f"{name}-{form}"] = f"{folder}/{name}-{form}.onnx"
        quantize_static(path, made[f"{name}-{form}"], Reader(batches), **settings, **options)
    made[f"{name}-dynamic"] = f"{folder}/{name}-dynamic.onnx"
    quantize_dynamic(path, made[f"{name}-dynamic"], weight_type=U8 if name.startswith("resnet") else S8, op_types_to_quantize=["Conv", "MatMul", "Gemm"])
    return made


def integers_of(model):
    """Names of tensors of 8 and 32 bits that nodes compute, in order."""
    ops = {"QuantizeLinear": 1, "DynamicQuantizeLinear": 1, "QLinearConv": 1, "QLinearMatMul": 1, "QGemm": 1, "QLinearAdd": 1}
    ops |= {"QLinearGlobalAveragePool": 1, "ConvInteger": 1, "MatMulInteger": 1}
    return [node.output[0] for node in model.graph.node if node.op_type in ops]


def fixture(folder, path, inputs, keep):
    """Writes a model with the integer tensors that `keep` names as outputs, and a file of references. The margin, and the model."""
    model = onnx.load(path)
    exact = Exact(model)
    values = exact.run(inputs)
    own = [output.name for output in model.graph.output]
    shown = [name for name in integers_of(model) if name not in own and keep(name)]
    for name in shown:
        kind = helper.np_dtype_to_tensor_dtype(values[name].dtype)
        model.graph.output.append(helper.make_tensor_value_info(name, kind, None))
    references = {f"in.{k}": v for k, v in inputs.items()} | {f"out.{name}": np.ascontiguousarray(values[name]) for name in [*own, *shown]}
    target = f"{folder}/{os.path.basename(path)[: -len('.onnx')]}"
    del model.graph.value_info[:]
    for node in model.graph.node:
        node.doc_string = ""
    onnx.save(model, f"{target}.onnx")
    save_file(references, f"{target}.safetensors")
    return exact.margin, os.path.getsize(f"{target}.onnx") + os.path.getsize(f"{target}.safetensors"), len(shown)


# Kernels sum floats in another order: numbers this near the half between two integers, in steps, may be rounded to the other one.
LEAST_MARGIN = 2e-4


def count(path, pictures, labels):
    model, right = onnx.load(path), 0
    for at in range(0, len(pictures), 50):
        values = Exact(model).run({"input": pictures[at : at + 50]})
        right += int((values["logits"].argmax(1) == labels[at : at + 50]).sum())
    return right


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("--train", required=True)
    parser.add_argument("--test")
    parser.add_argument("--fixtures")
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    logging.getLogger().setLevel(logging.ERROR)

    pictures, _ = read(args.train, 195)
    batches = [{"input": pictures[at : at + 32]} for at in range(0, 256, 32)]
    texts = [text_inputs(seed) for seed in range(1000, 1016)]
    made = {}
    for name, model, given, options in [
        ("resnet20", resnet(3), batches, {}),
        ("stage1", resnet(1), batches, {}),
        ("transformer", transformer(), texts, {"op_types_to_quantize": ["MatMul"]}),
    ]:
        onnx.save(model, f"{args.out}/{name}.onnx")
        made |= quantise_all(args.out, name, given, **options)
    for form, settings in NBITS.items():
        quantiser = MatMulNBitsQuantizer(f"{args.out}/transformer.onnx", block_size=32, **settings)
        quantiser.process()
        made[f"transformer-{form}"] = f"{args.out}/transformer-{form}.onnx"
        onnx.save(quantiser.model.model, made[f"transformer-{form}"])

    if args.test:
        pictures, labels = read(args.test, 10)
        for name in ["resnet20", *(name for name in made if name.startswith("resnet20-"))]:
            print(f"{name}: top-1 {count(f'{args.out}/{name}.onnx', pictures, np.array(labels))} of {len(labels)}", flush=True)

    if args.fixtures:
        os.makedirs(args.fixtures, exist_ok=True)
        ends = ("layer1.2.relu2", "layer1.2.add", "layer2.0.downsample", "layer2.2.relu2", "layer2.2.add", "layer3.2.", "pool", "flat", "logits")
        first = {"input": samples()[:1]}
        for name in ["resnet20-qdq-u8s8", "stage1-qdq-s8s8", "stage1-qlinear-u8u8", "stage1-qlinear-u8s8", "stage1-dynamic"]:
            keep = ends if name.startswith("resnet20") else ("layer1.2.conv2", "layer1.2.add", "layer1.2.relu2", "pool", "flat", "logits")
            said = fixture(args.fixtures, made[name], first, lambda tensor: any(part in tensor for part in keep))
            print(name, *said, flush=True)
            if not said[0] > LEAST_MARGIN:
                raise SystemExit(f"{name}: a number lies {said[0]} steps from a half")
        for form in ["qdq-u8s8", "qlinear-u8u8", "dynamic", "nbits4-zero", "nbits8"]:
            name = f"transformer-{form}"
            for seed in range(200):
                said = fixture(args.fixtures, made[name], text_inputs(seed), lambda tensor: True)
                if said[0] > LEAST_MARGIN:
                    break
            else:
                raise SystemExit(f"{name}: numbers lie too near a half, for every seed")
            print(name, seed, *said, flush=True)


if __name__ == "__main__":
    main()
