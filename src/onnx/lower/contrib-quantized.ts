import type { Operand } from '../../graph/ir.ts';
import { elementCount } from '../../tensor/types.ts';
import type { Lowering } from '../lowerer.ts';
import { NOTHING, type Tensor } from '../values.ts';
import { add, div, mul, sub } from './math.ts';
import { averagePool, multiply } from './nn.ts';
import { besides, dequantize, dynamic, integerProduct, packable, qGemm, qLinear } from './quantized.ts';
import { RECURRENT } from './recurrent.ts';

/**
 * A · Bᵀ where B [N, K] has 2, 4 or 8 bits a number, in blocks along K with a scale and a zero point each. B is int4 or int8 on the device,
 * symmetric; zero points elsewhere than in the middle are a product of their own, of the sums of A over the blocks.
 */
const matMulNBits: Lowering = (call) => {
  const [k, n] = [call.int('K'), call.int('N')];
  const [bits, block] = [call.int('bits', 4), call.int('block_size')];
  call.skip('accuracy_level', 'weight_prepacked');
  if (![2, 4, 8].includes(bits)) call.unsupported(`${bits} bits`);
  if (call.optional(4)) call.unsupported('g_idx');
  const blocks = Math.ceil(k / block);
  const each = 8 / bits;
  /** [rows, bytes] as the numbers in them, int32 [rows, bytes · each]. */
  const unpacked = (bytes: Operand, rows: number, width: number): Operand => {
    let rest = call.cast(call.reshape(bytes, [rows, width, 1]), 'int32');
    if (each === 1) return call.reshape(rest, [rows, width]);
    const parts: Operand[] = [];
    for (let i = 0; i < each; i++) {
      const high = div(call, rest, 2 ** bits);
      parts.push(sub(call, rest, mul(call, high, 2 ** bits)));
      rest = high;
    }
    const joined = call.add('concat', Object.fromEntries(parts.map((part, i) => [`input${i}`, part])), { axis: 2 });
    return call.reshape(joined, [rows, width * each]);
  };
  const middle = 2 ** (bits - 1);
  const { type } = call.tensor(0);
  const all = call.reshape(unpacked(call.operand(1), n * blocks, block / each), [n, blocks * block]);
  const own = call.add('slice', { input: all }, { starts: [0, 0], sizes: [n, k] });
  const bytes = call.cast(sub(call, own, middle), 'int8');
  const input = bits < 8 ? packable(call, bytes) : bytes;
  const scale = call.reshape(call.cast(call.operand(2), 'float32'), [n, blocks]);
  const last = k % block;
  // Blocks of the engine divide K: those of another length are spread out.
  const spreadOut = (part: Operand): Operand => {
    if (!last) return part;
    const indices = call.constant(
      'int32',
      [k],
      call.list(k, (i) => Math.floor(i / block)),
    );
    return call.add('gather', { input: part, indices }, { axis: 1 });
  };
  const weights = (q: Operand, s: Operand): Operand => call.add('dequantizeLinear', { input: q, scale: spreadOut(s) });
  const given = call.operand(0);
  const a = call.cast(given, 'float32');
  const product = (x: Operand, w: Operand): Operand => multiply(call, x, w, { transposeB: true });
  let made = product(a, weights(input, scale));
  const zero = call.optional(3);
  if (zero) {
    const width = Math.ceil(blocks / each);
    const points =
      zero.type === 'uint8'
        ? call.cast(
            call.add('slice', { input: unpacked(call.operand(3), n, width) }, { starts: [0, 0], sizes: [n, blocks] }),
            'float32',
          )
        : call.reshape(call.cast(call.operand(3), 'float32'), [n, blocks]);
    const room = blocks * block - k;
    const lead = a.shape.slice(0, -1);
    const whole = room
      ? call.add(
          'pad',
          { input: a },
          { beginningPadding: a.shape.map(() => 0), endingPadding: [...lead.map(() => 0), room] },
        )
      : a;
    const sums = call.add(
      'reduceSum',
      { input: call.reshape(whole, [...lead, blocks, block]) },
      { axes: [lead.length + 1], keepDimensions: false },
    );
    made = sub(call, made, product(sums, mul(call, sub(call, points, middle), scale)));
  }
  const bias = call.optionalOperand(5);
  const typed = call.cast(made, given.dataType);
  return call.made(bias ? add(call, typed, bias) : typed, type);
};

/** Integers of A · B as numbers: (A - a0)(B - b0) · aScale · bScale + bias. */
const matMulIntegerToFloat: Lowering = (call) => {
  const sums = call.cast(integerProduct(call, 0, 1, 4, 5), 'float32');
  const one = (operand: Operand): Operand => (elementCount(operand.shape) === 1 ? call.reshape(operand, []) : operand);
  const made = mul(call, sums, mul(call, one(call.operand(2)), one(call.operand(3))));
  const bias = call.optionalOperand(6);
  return call.made(bias ? add(call, made, bias) : made, 'float');
};

/** As MatMulIntegerToFloat, where A is quantised at run time. */
const dynamicQuantizeMatMul: Lowering = (call) => {
  const [numbers, scale, zero] = dynamic(call, call.operand(0));
  const b = call.tensor(1);
  const point = call.optional(3);
  const inputs = [call.made(numbers, 'uint8'), b, call.made(zero, 'uint8'), ...(point ? [point] : [])];
  const sums = call.cast(integerProduct(call.of(inputs), 0, 1, 2, 3), 'float32');
  const own = call.operand(2);
  const each = elementCount(own.shape) === 1 ? call.reshape(own, []) : own;
  const made = mul(call, sums, mul(call, scale, each));
  const bias = call.optionalOperand(4);
  return call.made(bias ? add(call, made, bias) : made, 'float');
};

/** An LSTM of int8 weights [directions, K, 4 · hidden]. They are scaled back at load; all else is float. */
const dynamicQuantizeLSTM: Lowering = (call) => {
  const weights = (i: number, scale: number): Tensor => {
    const turned = call.transpose(call.operand(i), [0, 2, 1]);
    const [directions, gates] = turned.shape as [number, number];
    const part = (at: number): Operand => {
      const own = call.operand(at);
      const each = elementCount(own.shape) === directions ? 1 : gates;
      return call.reshape(own, [directions, each, 1]);
    };
    const [factor, zero] = [part(scale), call.cast(part(scale + 1), 'float32')];
    return call.made(mul(call, sub(call, call.cast(turned, 'float32'), zero), factor), 'float');
  };
  const rest = call.inputs.slice(3, 8).map((value) => value ?? NOTHING);
  return RECURRENT['LSTM']!(call.of([call.tensor(0), weights(1, 8), weights(2, 10), ...rest]));
};

const binary = (op: string): Lowering => qLinear((call, [a, b]) => call.add(op, { a: a!, b: b! }), 2);
const unary = (op: string, alpha?: number): Lowering =>
  qLinear(
    (call, [input]) =>
      call.add(op, { input: input! }, alpha === undefined ? {} : { alpha: call.float('alpha', alpha) }),
    1,
  );

/** Ops of com.microsoft that onnxruntime's quantiser writes. */
export const CONTRIB_QUANTIZED: Readonly<Record<string, Lowering>> = {
  'com.microsoft.MatMulNBits': matMulNBits,
  'com.microsoft.MatMulIntegerToFloat': matMulIntegerToFloat,
  'com.microsoft.DynamicQuantizeMatMul': dynamicQuantizeMatMul,
  'com.microsoft.DynamicQuantizeLSTM': dynamicQuantizeLSTM,
  'com.microsoft.QGemm': qGemm,
  'com.microsoft.QLinearAdd': binary('add'),
  'com.microsoft.QLinearMul': binary('mul'),
  'com.microsoft.QLinearSigmoid': unary('sigmoid'),
  'com.microsoft.QLinearLeakyRelu': unary('leakyRelu', 0.01),
  'com.microsoft.QLinearSoftmax': (call) => {
    const opset = call.int('opset', 13);
    const given = call.int('axis', opset < 13 ? 1 : -1);
    return qLinear((inner, [input]) => {
      const rank = input!.shape.length;
      const axis = given < 0 ? given + rank : given;
      if (opset >= 13) return inner.add('softmax', { input: input! }, { axis });
      const flat = [elementCount(input!.shape.slice(0, axis)), elementCount(input!.shape.slice(axis))];
      return inner.reshape(inner.add('softmax', { input: inner.reshape(input!, flat) }, { axis: 1 }), input!.shape);
    }, 1)(call);
  },
  'com.microsoft.QLinearGlobalAveragePool': (call) => {
    const last = call.flag('channels_last');
    return qLinear((inner, [input]) => {
      const axes = input!.shape.map((_, d) => d).slice(last ? 1 : 2, last ? -1 : undefined);
      return inner.add('reduceMean', { input: input! }, { axes, keepDimensions: true });
    }, 1)(call);
  },
  'com.microsoft.QLinearAveragePool': (call) => {
    if (call.flag('channels_last')) call.unsupported('channels_last');
    return qLinear((inner, [input]) => averagePool(inner.of([inner.made(input!, 'float')])).operand!, 1)(call);
  },
  'com.microsoft.QLinearConcat': (call) => {
    const count = (call.inputs.length - 2) / 3;
    if (!(count >= 1 && Number.isInteger(count)))
      call.fail(`${call.inputs.length} inputs, expected 2 and 3 of each part`);
    const axis = call.axis(call.int('axis'), call.tensor(2).shape.length);
    const parts = Array.from({ length: count }, (_, i) => {
      const input = call.operand(3 * i + 2);
      const ones = input.shape.map(() => 1);
      const zero = call.operand(3 * i + 4);
      return dequantize(call, input, call.reshape(call.operand(3 * i + 3), ones), call.reshape(zero, ones));
    });
    const whole = call.add('concat', Object.fromEntries(parts.map((part, i) => [`input${i}`, part])), { axis });
    const inputs = [call.made(whole, 'float'), call.tensor(0), call.tensor(1)];
    const again = call.of(inputs);
    const scale = besides(again, again.operand(1), whole.shape, 1);
    const zero = besides(again, again.operand(2), whole.shape, 1);
    return call.made(call.add('quantizeLinear', { input: whole, scale, zeroPoint: zero }), call.tensor(1).type);
  },
};
