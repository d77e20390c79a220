import type { Operand } from '../../graph/ir.ts';
import { elementCount } from '../../tensor/types.ts';
import type { Call } from '../call.ts';
import type { Lowering } from '../lowerer.ts';
import { NOTHING, type Tensor } from '../values.ts';
import { joinHeads, repeatHeads, rotate, splitHeads } from './attention.ts';
import { add, div, mul, sub, where } from './math.ts';
import { averagePool, convolve, multiply } from './nn.ts';
import { rmsNormalize } from './normalization.ts';
import { besides, dequantize, dynamic, integerProduct, packable, qGemm, qLinear } from './quantized.ts';
import { RECURRENT } from './recurrent.ts';

const gelu = (call: Call, input: Operand): Operand => call.add('gelu', { input });
const tanhGelu = (call: Call, input: Operand): Operand => call.add('gelu_tanh', { input });

const normalize = (call: Call, input: Operand, scale: Operand, bias: Operand | undefined, epsilon: number): Operand =>
  call.add('layerNormalization', { input, scale, bias }, { axes: [input.shape.length - 1], epsilon });

/** input + skip (+ bias), normalised: [output, mean, inverse, sum]. */
const skipNormalization =
  (simplified: boolean): Lowering =>
  (call) => {
    const epsilon = call.float('epsilon', 1e-12);
    const scale = call.operand(2);
    const beta = simplified ? undefined : call.optionalOperand(3);
    const bias = call.optionalOperand(simplified ? 3 : 4);
    const sum = add(call, call.operand(0), call.operand(1));
    const whole = bias ? add(call, sum, bias) : sum;
    const made = simplified
      ? rmsNormalize(call, whole, [whole.shape.length - 1], epsilon, scale)
      : normalize(call, whole, scale, beta, epsilon);
    return [call.made(made), undefined, undefined, call.made(whole)];
  };

/** Embeddings of words, places and segments, normalised: [output, mask index, sum]. */
const embedLayerNormalization: Lowering = (call) => {
  const epsilon = call.float('epsilon', 1e-12);
  call.skip('mask_index_type');
  const ids = call.operand(0);
  const [b, s] = ids.shape as [number, number];
  const rows = (table: number, indices: Operand): Operand =>
    call.add('gather', { input: call.operand(table), indices }, { axis: 0 });
  const positions =
    call.optionalOperand(8) ??
    call.constant(
      'int32',
      [1, s],
      call.list(s, (i) => i),
    );
  const segments = call.optionalOperand(1);
  const words = add(call, rows(2, ids), rows(3, positions));
  const sum = segments && call.optional(4) ? add(call, words, rows(4, segments)) : words;
  const { type } = call.tensor(2);
  const made = call.made(normalize(call, sum, call.operand(5), call.operand(6), epsilon), type);
  const mask = call.optionalOperand(7);
  const counts = mask
    ? call.add('reduceSum', { input: call.cast(mask, 'float32') }, { axes: [1], keepDimensions: false })
    : call.constant(
        'float',
        [b],
        call.list(b, () => 0),
      );
  return [made, call.made(call.cast(counts, 'int32'), 'int32'), call.made(sum, type)];
};

interface Heads {
  readonly query: Operand;
  readonly key: Operand;
  readonly value: Operand;
}

/** softmax(Q · Kᵀ · scale + bias) · V of [B, heads, S, D], as [B, S, heads · D]. */
function attend(
  call: Call,
  { query, key, value }: Heads,
  scale: number,
  bias: Operand | undefined,
  sees?: Operand,
): Operand {
  const heads = query.shape[1]!;
  const turned = call.transpose(repeatHeads(call, key, heads), [0, 1, 3, 2]);
  let scores = call.add('matmul', { a: mul(call, query, scale), b: turned });
  if (bias) scores = add(call, scores, bias);
  if (sees) scores = where(call, sees, scores, -10000 * 1e30);
  const weights = call.add('softmax', { input: scores }, { axis: 3 });
  return joinHeads(call, call.add('matmul', { a: weights, b: repeatHeads(call, value, heads) }));
}

/** Where a query sees a key: [1, 1, queries, keys], the queries being the last. */
function causal(call: Call, queries: number, keys: number): Operand {
  const sees = call.list(queries * keys, (i) => Number(i % keys <= Math.floor(i / keys) + keys - queries));
  return call.constant('bool', [1, 1, queries, keys], sees);
}

const both = (call: Call, a: Operand | undefined, b: Operand | undefined): Operand | undefined =>
  a && b ? call.add('logicalAnd', { a, b }) : (a ?? b);

/** A mask of keys in any of its forms, as bool that broadcasts to [B, heads, queries, keys]. */
function maskOf(call: Call, i: number, batch: number, keys: number): Operand | undefined {
  const mask = call.optionalOperand(i);
  if (!mask) return undefined;
  const { shape } = mask;
  if (shape.length === 1) {
    const places = call.constant(
      'int32',
      [1, 1, 1, keys],
      call.list(keys, (at) => at),
    );
    if (shape[0] !== batch) call.unsupported(`a mask of [${shape}]`);
    return call.add('lesser', { a: places, b: call.reshape(call.cast(mask, 'int32'), [batch, 1, 1, 1]) });
  }
  const there = call.add('notEqual', { a: mask, b: call.like(mask, 0) });
  if (shape.length === 2) return call.reshape(there, [shape[0]!, 1, 1, shape[1]!]);
  if (shape.length === 3) return call.reshape(there, [shape[0]!, 1, shape[1]!, shape[2]!]);
  return call.unsupported(`a mask of rank ${shape.length}`);
}

/** com.microsoft Attention: [output, present]. */
const packedAttention: Lowering = (call) => {
  const heads = call.int('num_heads');
  const input = call.operand(0);
  const [b, s] = input.shape as [number, number];
  const product = multiply(call, input, call.operand(1));
  const bias = call.optionalOperand(2);
  const all = bias ? add(call, product, bias) : product;
  const width = all.shape[2]!;
  const sizes = call.ints('qkv_hidden_sizes', [width / 3, width / 3, width / 3]);
  call.skip('mask_filter_value', 'do_rotary', 'past_present_share_buffer');
  if (call.flag('do_rotary')) call.unsupported('do_rotary');
  const parts = call.several('split', { input: all }, { splits: sizes, axis: 2 });
  const [query, own, ownValue] = parts.map((part) => splitHeads(call, part, heads)) as [Operand, Operand, Operand];
  const past = call.optionalOperand(4);
  const half = (i: number): Operand =>
    call.reshape(
      call.add('slice', { input: past! }, { starts: [i, 0, 0, 0, 0], sizes: past!.shape.with(0, 1) }),
      past!.shape.slice(1),
    );
  const join = (before: Operand, now: Operand): Operand =>
    call.add('concat', { input0: before, input1: now }, { axis: 2 });
  const key = past ? join(half(0), own) : own;
  const value = past ? join(half(1), ownValue) : ownValue;
  const keys = key.shape[2]!;
  const scale = call.float('scale', 0) || 1 / Math.sqrt(query.shape[3]!);
  const sees = both(call, maskOf(call, 3, b, keys), call.flag('unidirectional') ? causal(call, s, keys) : undefined);
  const made = attend(call, { query, key, value }, scale, call.optionalOperand(5), sees);
  const spread = (operand: Operand): Operand => call.reshape(operand, [1, ...operand.shape]);
  const present = call.node.outputs[1]
    ? call.made(call.add('concat', { input0: spread(key), input1: spread(value) }, { axis: 0 }))
    : undefined;
  return [call.made(made), present];
};

/** com.microsoft MultiHeadAttention: [output, presentKey, presentValue]. */
const multiHeadAttention: Lowering = (call) => {
  const heads = call.int('num_heads');
  call.skip('mask_filter_value');
  const bias = call.optionalOperand(3);
  const width = call.operand(0).shape.at(-1)!;
  const biased = (operand: Operand, start: number): Operand =>
    bias
      ? add(call, operand, call.add('slice', { input: bias }, { starts: [start], sizes: [operand.shape.at(-1)!] }))
      : operand;
  const query = call.operand(0);
  if (query.shape.length !== 3 || !call.optional(1) || !call.optional(2))
    call.unsupported('packed queries, keys and values');
  const each = (i: number, start: number): Operand => {
    const operand = call.operand(i);
    return operand.shape.length === 4 ? operand : splitHeads(call, biased(operand, start), heads);
  };
  const q = splitHeads(call, biased(query, 0), heads);
  const [ownKey, ownValue] = [each(1, width), each(2, 2 * width)];
  const [pastKey, pastValue] = [call.optionalOperand(6), call.optionalOperand(7)];
  const join = (before: Operand | undefined, now: Operand): Operand =>
    before ? call.add('concat', { input0: before, input1: now }, { axis: 2 }) : now;
  const [key, value] = [join(pastKey, ownKey), join(pastValue, ownValue)];
  const [count, keys] = [q.shape[2]!, key.shape[2]!];
  const sees = both(
    call,
    maskOf(call, 4, q.shape[0]!, keys),
    call.flag('unidirectional') ? causal(call, count, keys) : undefined,
  );
  const scale = call.float('scale', 0) || 1 / Math.sqrt(q.shape[3]!);
  const made = attend(call, { query: q, key, value }, scale, call.optionalOperand(5), sees);
  return [call.made(made), call.made(key), call.made(value)];
};

/** com.microsoft GroupQueryAttention without a shared buffer: [output, presentKey, presentValue]. */
const groupQueryAttention: Lowering = (call) => {
  const [heads, kvHeads] = [call.int('num_heads'), call.int('kv_num_heads')];
  if (call.int('local_window_size', -1) !== -1) call.unsupported('local_window_size');
  if (call.float('softcap', 0)) call.unsupported('softcap');
  call.skip('smooth_softmax');
  const packed = call.optional(1) === undefined;
  const input = call.operand(0);
  const [b, s] = input.shape as [number, number];
  const size = packed ? input.shape[2]! / (heads + 2 * kvHeads) : input.shape[2]! / heads;
  const parts = packed
    ? call.several('split', { input }, { splits: [heads * size, kvHeads * size, kvHeads * size], axis: 2 })
    : [input, call.operand(1), call.operand(2)];
  const [pastKey, pastValue] = [call.optionalOperand(3), call.optionalOperand(4)];
  const past = pastKey?.shape[2] ?? 0;
  const split = (operand: Operand, count: number): Operand => splitHeads(call, operand, count);
  let [query, key] = [split(parts[0]!, heads), split(parts[1]!, kvHeads)];
  const ownValue = split(parts[2]!, kvHeads);
  if (call.flag('do_rotary')) {
    const interleaved = call.flag('rotary_interleaved');
    const table = (i: number): Operand => {
      const cache = call.operand(i);
      const rows = call.add('slice', { input: cache }, { starts: [past, 0], sizes: [s, cache.shape[1]!] });
      return call.reshape(rows, [1, 1, s, cache.shape[1]!]);
    };
    const [cos, sin] = [table(7), table(8)];
    const width = 2 * cos.shape[3]!;
    query = rotate(call, query, cos, sin, width, interleaved);
    key = rotate(call, key, cos, sin, width, interleaved);
  } else call.skip('rotary_interleaved');
  const join = (before: Operand | undefined, now: Operand): Operand =>
    before?.shape[2] ? call.add('concat', { input0: before, input1: now }, { axis: 2 }) : now;
  const [keys, values] = [join(pastKey, key), join(pastValue, ownValue)];
  const scale = call.float('scale', 0) || 1 / Math.sqrt(size);
  const lengths = call.optionalOperand(5);
  const total = keys.shape[2]!;
  const places = call.constant(
    'int32',
    [1, 1, 1, total],
    call.list(total, (i) => i),
  );
  // `seqlens_k` is the last place of each batch.
  const inside =
    lengths && call.add('lesserOrEqual', { a: places, b: call.reshape(call.cast(lengths, 'int32'), [b, 1, 1, 1]) });
  const made = attend(
    call,
    { query, key: keys, value: values },
    scale,
    undefined,
    both(call, inside, causal(call, s, total)),
  );
  return [call.made(made), call.made(keys), call.made(values)];
};

/** com.microsoft RotaryEmbedding: [B, S, width] or [B, heads, S, D], positions of one start or of each token. */
const rotaryEmbedding: Lowering = (call) => {
  const input = call.operand(0);
  const flat = input.shape.length === 3;
  const [cos, sin] = [call.operand(2), call.operand(3)];
  call.skip('scale', 'is_packed_batching');
  const size = call.int('rotary_embedding_dim', 0) || 2 * cos.shape[1]!;
  const given = call.int('num_heads', 0);
  const width = flat ? (given ? input.shape[2]! / given : size) : input.shape[3]!;
  const count = flat ? input.shape[2]! / width : input.shape[1]!;
  const [b, s] = flat ? [input.shape[0]!, input.shape[1]!] : [input.shape[0]!, input.shape[2]!];
  const heads = flat ? splitHeads(call, input, count) : input;
  const positions = call.cast(call.operand(1), 'int32');
  const steps = call.constant(
    'int32',
    [1, s],
    call.list(s, (i) => i),
  );
  const indices = elementCount(positions.shape) === 1 ? add(call, steps, call.reshape(positions, [1, 1])) : positions;
  const rows = (cache: Operand): Operand => {
    const picked = call.add('gather', { input: cache, indices }, { axis: 0 });
    return call.reshape(picked, [picked.shape[0]!, 1, s, picked.shape.at(-1)!]);
  };
  const made = rotate(call, heads, rows(cos), rows(sin), size, call.flag('interleaved'));
  return call.made(flat ? call.reshape(joinHeads(call, made), [b, s, input.shape[2]!]) : made);
};

/** alpha · A · B, with either transposed. */
const fusedMatMul: Lowering = (call) => {
  const alpha = call.float('alpha', 1);
  if (call.flag('transBatchA') || call.flag('transBatchB')) call.unsupported('transBatchA and transBatchB');
  const turned = (i: number, name: string): Operand => {
    const operand = call.operand(i);
    const rank = operand.shape.length;
    if (!call.flag(name) || rank < 2) return operand;
    const order = operand.shape.map((_, d) => d);
    return call.transpose(operand, [...order.slice(0, -2), rank - 1, rank - 2]);
  };
  const made = multiply(call, turned(0, 'transA'), turned(1, 'transB'));
  return call.made(alpha === 1 ? made : mul(call, made, alpha));
};

/** The activation of FusedConv and FusedGemm. */
function activate(call: Call, input: Operand): Operand {
  const name = call.text('activation', '');
  const [alpha, beta] = call.floats('activation_params') ?? [];
  const numbers = { ...(alpha !== undefined && { alpha }), ...(beta !== undefined && { beta }) };
  const ops: Readonly<Record<string, string>> = {
    Relu: 'relu',
    Sigmoid: 'sigmoid',
    Tanh: 'tanh',
    LeakyRelu: 'leakyRelu',
    Clip: 'clamp',
    HardSigmoid: 'hardSigmoid',
    HardSwish: 'hardSwish',
  };
  if (!name) return input;
  return call.add(ops[name] ?? call.unsupported(`the activation ${name}`), { input }, numbers);
}

const fusedConv: Lowering = (call) => {
  const made = convolve(call, call.operand(0), call.operand(1), call.optionalOperand(2));
  const residual = call.optionalOperand(3);
  return call.made(activate(call, residual ? add(call, made, residual) : made));
};

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

const microsoft: Readonly<Record<string, Lowering>> = {
  Gelu: (call) => call.made(gelu(call, call.operand(0))),
  FastGelu: (call) => {
    const bias = call.optionalOperand(1);
    const input = call.operand(0);
    return call.made(tanhGelu(call, bias ? add(call, input, bias) : input));
  },
  BiasGelu: (call) => call.made(gelu(call, add(call, call.operand(0), call.operand(1)))),
  QuickGelu: (call) => {
    const alpha = call.float('alpha', 1.7020000219345093);
    return call.made(call.add('swish', { input: call.operand(0) }, { alpha }));
  },
  SkipLayerNormalization: skipNormalization(false),
  SkipSimplifiedLayerNormalization: skipNormalization(true),
  EmbedLayerNormalization: embedLayerNormalization,
  Attention: packedAttention,
  MultiHeadAttention: multiHeadAttention,
  GroupQueryAttention: groupQueryAttention,
  RotaryEmbedding: rotaryEmbedding,
  FusedMatMul: fusedMatMul,
  FusedConv: fusedConv,
  MatMulNBits: matMulNBits,
  MatMulIntegerToFloat: matMulIntegerToFloat,
  DynamicQuantizeMatMul: dynamicQuantizeMatMul,
  DynamicQuantizeLSTM: dynamicQuantizeLSTM,
  QGemm: qGemm,
  QLinearAdd: binary('add'),
  QLinearMul: binary('mul'),
  QLinearSigmoid: unary('sigmoid'),
  QLinearLeakyRelu: unary('leakyRelu', 0.01),
  QLinearSoftmax: (call) => {
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
  QLinearGlobalAveragePool: (call) => {
    const last = call.flag('channels_last');
    return qLinear((inner, [input]) => {
      const axes = input!.shape.map((_, d) => d).slice(last ? 1 : 2, last ? -1 : undefined);
      return inner.add('reduceMean', { input: input! }, { axes, keepDimensions: true });
    }, 1)(call);
  },
  QLinearAveragePool: (call) => {
    if (call.flag('channels_last')) call.unsupported('channels_last');
    return qLinear((inner, [input]) => averagePool(inner.of([inner.made(input!, 'float')])).operand!, 1)(call);
  },
  QLinearConcat: (call) => {
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

/** Ops of com.microsoft, which exporters and onnxruntime's optimiser and quantiser write. */
export const CONTRIB: Readonly<Record<string, Lowering>> = Object.fromEntries(
  Object.entries(microsoft).map(([name, lowering]) => [`com.microsoft.${name}`, lowering]),
);
