"""Evaluates quantised ONNX graphs exactly, where ONNX leaves a choice by the rules below.

Integers are summed without rounding. Arithmetic between them is float32, each operation rounded to the nearest. Sums, exponentials
and roots of floats are computed in float64 and rounded once: kernels of another order of summation may be some units in the last
place off. What depends on them is `loose`; `margin` is how near a loose number that was quantised came to the half between two integers.

A product of two DequantizeLinear (Conv, Gemm, MatMul) is (sum of (x - x_zero)(w - w_zero) + bias) * (x_scale * w_scale), where
the bias is an integer if its scale is x_scale * w_scale, and is added as a float otherwise. QLinearConv, QLinearMatMul and QGemm are
round(sum * (x_scale * w_scale / y_scale)) + y_zero: the formula of ONNX' reference, in float32, rounded before y_zero is added.
"""

import math

import numpy as np
from onnx import helper, numpy_helper

f32 = np.float32
erf = np.vectorize(math.erf)
LIMITS = {np.dtype(np.int8): (-128, 127), np.dtype(np.uint8): (0, 255), np.dtype(np.int32): (-(2**31), 2**31 - 1)}


def beside(part, rank, axis):
    """A scale or zero point in the rank of what it belongs to."""
    part = np.asarray(part)
    return part.reshape([-1 if d == axis % rank else 1 for d in range(rank)]) if part.size > 1 else part.reshape([1] * rank)


def convolve(x, w, attributes):
    """Windows of x [N,C,H,W] by w [O,C/group,KH,KW], in float64: exact for integers."""
    group, pads = attributes.get("group", 1), attributes.get("pads", [0, 0, 0, 0])
    strides, dilations = attributes.get("strides", [1, 1]), attributes.get("dilations", [1, 1])
    if attributes.get("auto_pad", "NOTSET") not in ("NOTSET", b"NOTSET") or dilations != [1, 1]:
        raise NotImplementedError(attributes)
    x = np.pad(x.astype(np.float64), [(0, 0), (0, 0), (pads[0], pads[2]), (pads[1], pads[3])])
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], (2, 3))[:, :, :: strides[0], :: strides[1]]
    n, _, h, wide = windows.shape[:4]
    parts = []
    for image, filters in zip(np.split(windows, group, 1), np.split(w.astype(np.float64), group, 0)):
        rows = image.transpose(0, 2, 3, 1, 4, 5).reshape(n * h * wide, -1)
        parts.append((rows @ filters.reshape(len(filters), -1).T).reshape(n, h, wide, -1))
    return np.concatenate(parts, 3).transpose(0, 3, 1, 2)


class Exact:
    def __init__(self, model):
        self.graph = model.graph
        self.margin = 0.5

    def run(self, inputs):
        """All tensors of the graph by name."""
        self.values = {t.name: numpy_helper.to_array(t) for t in self.graph.initializer} | inputs
        self.values[""] = None
        self.origin = {}  # of DequantizeLinear: integers, scale, zero point, axis
        self.loose = set()
        for node in self.graph.node:
            attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
            given = [self.values[name] for name in node.input]
            self.is_loose = any(name in self.loose for name in node.input)
            made = getattr(self, node.op_type)(node, attributes, *given)
            made = made if isinstance(made, tuple) else (made,)
            for name, value in zip(node.output, made):
                self.values[name] = value
                if self.is_loose and value.dtype == np.float32:
                    self.loose.add(name)
        return self.values

    # Integers.

    def rounded(self, x, zero, dtype):
        """round(x) + zero within the type, halves to even."""
        if self.is_loose:
            low, high = LIMITS[dtype]
            inside = x[(x > low - 1.0 - np.max(zero)) & (x < high + 1.0 - np.min(zero))]
            if inside.size:
                self.margin = min(self.margin, np.abs(np.abs(inside - np.floor(inside)) - 0.5).min())
        return np.clip(np.rint(x).astype(np.int64) + zero, *LIMITS[dtype]).astype(dtype)

    def QuantizeLinear(self, node, attributes, x, scale, zero=None):
        axis = attributes.get("axis", 1)
        zero = np.zeros(1, np.uint8) if zero is None else zero
        point = beside(zero, x.ndim, axis).astype(np.int64)
        return self.rounded(x / beside(scale, x.ndim, axis), point, zero.dtype)

    def DequantizeLinear(self, node, attributes, q, scale, zero=None):
        axis = attributes.get("axis", 1)
        zero = np.zeros(scale.shape, q.dtype) if zero is None else zero
        self.origin[node.output[0]] = (q, scale, zero, axis)
        return (q.astype(np.int64) - beside(zero, q.ndim, axis)).astype(f32) * beside(scale, q.ndim, axis)

    def DynamicQuantizeLinear(self, node, attributes, x):
        low, high = min(f32(0), x.min()), max(f32(0), x.max())
        scale = (high - low) / f32(255) if high > low else f32(1)
        point = np.clip(f32(0) - low / scale, 0, 255)
        zero = self.rounded(np.atleast_1d(point), 0, np.dtype(np.uint8))[0]
        return self.rounded(x / scale, np.int64(zero), np.dtype(np.uint8)), np.array(scale), np.array(zero)

    def centred(self, q, zero, axis):
        return q.astype(np.float64) - (0 if zero is None else beside(zero, q.ndim, axis).astype(np.float64))

    def ConvInteger(self, node, attributes, x, w, x_zero=None, w_zero=None):
        return convolve(self.centred(x, x_zero, 0), self.centred(w, w_zero, 0), attributes).astype(np.int32)

    def MatMulInteger(self, node, attributes, a, b, a_zero=None, b_zero=None):
        return (self.centred(a, a_zero, -2) @ self.centred(b, b_zero, -1)).astype(np.int32)

    def requantised(self, sums, scales, y_scale, y_zero):
        # A loose tensor was quantised before: what comes of its integers is exact.
        self.is_loose = False
        return self.rounded(sums.astype(f32) * (scales / y_scale), y_zero.astype(np.int64), y_zero.dtype)

    def QLinearConv(self, node, attributes, x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero, bias=None):
        sums = self.ConvInteger(node, attributes, x, w, x_zero, w_zero)
        sums = sums if bias is None else sums + beside(bias, 4, 1)
        return self.requantised(sums, beside(x_scale * w_scale, 4, 1), y_scale, y_zero)

    def QLinearMatMul(self, node, attributes, a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero):
        sums = self.MatMulInteger(node, attributes, a, b, a_zero, b_zero)
        return self.requantised(sums, a_scale * b_scale, y_scale, y_zero)

    def QGemm(self, node, attributes, a, a_scale, a_zero, b, b_scale, b_zero, bias=None, y_scale=None, y_zero=None):
        if attributes.get("transA") or attributes.get("alpha", 1.0) != 1:
            raise NotImplementedError(attributes)
        turned = bool(attributes.get("transB"))
        b = self.centred(b, b_zero, 0 if turned else 1)
        sums = self.centred(a, a_zero, 0) @ (b.T if turned else b)
        sums = (sums if bias is None else sums + bias).astype(np.int32)
        return self.requantised(sums, a_scale * b_scale, y_scale, y_zero)

    def q_linear(self, x, y_scale, y_zero):
        return self.rounded(x / y_scale, y_zero.astype(np.int64), y_zero.dtype)

    def dequantised(self, q, scale, zero):
        return (q.astype(np.int64) - zero).astype(f32) * scale

    def QLinearAdd(self, node, attributes, a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero):
        return self.q_linear(self.dequantised(a, a_scale, a_zero) + self.dequantised(b, b_scale, b_zero), y_scale, y_zero)

    def QLinearGlobalAveragePool(self, node, attributes, x, x_scale, x_zero, y_scale, y_zero):
        self.is_loose = True
        return self.q_linear(self.dequantised(x, x_scale, x_zero).mean((2, 3), keepdims=True, dtype=np.float64), y_scale, y_zero)

    # Products of floats, which may be integers with scales.

    def product(self, node, multiply, bias, bias_axis, w_axis):
        """multiply(x, w), each dequantised or float."""
        x, w = (self.origin.get(name) for name in node.input[:2])
        if not x or not w:
            self.is_loose = True
            made = multiply(*(self.values[name].astype(np.float64) for name in node.input[:2]))
            return f32(made) if bias is None else f32(made + beside(bias, made.ndim, bias_axis))
        (q, x_scale, x_zero, _), (v, w_scale, w_zero, axis) = x, w
        sums = multiply(self.centred(q, x_zero, 0), self.centred(v, w_zero, axis))
        scales = x_scale * w_scale
        added = self.origin.get(node.input[2]) if bias is not None else None
        if added and np.array_equal(np.broadcast_to(added[1], np.shape(scales)), scales) and not added[2].any():
            sums, bias = sums + beside(added[0], sums.ndim, bias_axis), None
        made = sums.astype(f32) * beside(scales, sums.ndim, w_axis)
        return made if bias is None else made + beside(bias, made.ndim, bias_axis)

    def Conv(self, node, attributes, x, w, bias=None):
        return self.product(node, lambda a, b: convolve(a, b, attributes), bias, 1, 1)

    def MatMul(self, node, attributes, a, b):
        return self.product(node, np.matmul, None, -1, -1)

    def Gemm(self, node, attributes, a, b, bias=None):
        if attributes.get("transA") or attributes.get("alpha", 1.0) != 1 or attributes.get("beta", 1.0) != 1:
            raise NotImplementedError(attributes)
        turned = bool(attributes.get("transB"))
        return self.product(node, lambda x, w: x @ (w.T if turned else w), bias, 1, 1)

    def MatMulNBits(self, node, attributes, a, packed, scales, zeros=None):
        k, n, bits, block = (attributes[key] for key in ("K", "N", "bits", "block_size"))
        each, blocks = 8 // bits, -(-k // block)
        split = lambda bytes: np.stack([(bytes >> (bits * i)) & (2**bits - 1) for i in range(each)], -1).reshape(*bytes.shape[:-1], -1)
        numbers = split(packed).reshape(n, blocks, block).astype(f32)
        points = f32(2 ** (bits - 1)) if zeros is None else split(zeros.reshape(n, -1))[:, :blocks, None].astype(f32)
        weights = ((numbers - points) * scales.reshape(n, blocks, 1)).reshape(n, -1)[:, :k]
        self.is_loose = True
        return f32(a.astype(np.float64) @ weights.astype(np.float64).T)

    # Floats.

    def Add(self, node, attributes, a, b):
        return a + b

    def Sub(self, node, attributes, a, b):
        return a - b

    def Mul(self, node, attributes, a, b):
        return a * b

    def Div(self, node, attributes, a, b):
        return a / b

    def Relu(self, node, attributes, x):
        return np.maximum(x, 0)

    def Erf(self, node, attributes, x):
        self.is_loose = True
        return f32(erf(x.astype(np.float64)))

    def Softmax(self, node, attributes, x):
        self.is_loose = True
        axis = attributes.get("axis", -1)
        powers = np.exp(x.astype(np.float64) - x.max(axis, keepdims=True))
        return f32(powers / powers.sum(axis, keepdims=True))

    def LayerNormalization(self, node, attributes, x, scale, bias=None):
        self.is_loose = True
        wide = x.astype(np.float64)
        centred = wide - wide.mean(-1, keepdims=True)
        normal = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + attributes.get("epsilon", 1e-5))
        return f32(normal * scale + (0 if bias is None else bias))

    def GlobalAveragePool(self, node, attributes, x):
        self.is_loose = True
        return f32(x.mean((2, 3), keepdims=True, dtype=np.float64))

    # Movement.

    def Cast(self, node, attributes, x):
        return x.astype(helper.tensor_dtype_to_np_dtype(attributes["to"]))

    def Flatten(self, node, attributes, x):
        return x.reshape(int(np.prod(x.shape[: attributes.get("axis", 1)])), -1)

    def Reshape(self, node, attributes, x, shape):
        return x.reshape([x.shape[d] if size == 0 else size for d, size in enumerate(shape.tolist())])

    def Transpose(self, node, attributes, x):
        return x.transpose(attributes["perm"])

    def Split(self, node, attributes, x, sizes):
        return tuple(np.split(x, np.cumsum(sizes)[:-1], attributes.get("axis", 0)))

    def Concat(self, node, attributes, *parts):
        return np.concatenate(parts, attributes["axis"])

    def Gather(self, node, attributes, table, indices):
        return np.take(table, indices, attributes.get("axis", 0))
