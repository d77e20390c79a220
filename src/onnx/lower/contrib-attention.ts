import type { Operand } from '../../graph/ir.ts';
import { elementCount } from '../../tensor/types.ts';
import type { Call } from '../call.ts';
import type { Lowering } from '../lowerer.ts';
import { joinHeads, repeatHeads, rotate, splitHeads } from './attention.ts';
import { add, mul, where } from './math.ts';
import { multiply } from './nn.ts';

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
  if (call.int('smooth_softmax', 0) > 0 || call.optional(11)) call.unsupported('smooth_softmax');
  const packed = call.optional(1) === undefined;
  const input = call.operand(0);
  const [b, s] = input.shape as [number, number];
  const size = packed ? input.shape[2]! / (heads + 2 * kvHeads) : input.shape[2]! / heads;
  const parts = packed
    ? call.several('split', { input }, { splits: [heads * size, kvHeads * size, kvHeads * size], axis: 2 })
    : [input, call.operand(1), call.operand(2)];
  const [pastKey, pastValue] = [call.optionalOperand(3), call.optionalOperand(4)];
  const past = pastKey?.shape[2] ?? 0;
  let [ownQuery, ownKey] = [parts[0]!, parts[1]!];
  if (call.flag('do_rotary')) {
    const tables = [call.operand(7), call.operand(8)] as const;
    const interleaved = call.flag('rotary_interleaved');
    const after = call.list(s, (i) => past + i);
    const positions = call.optionalOperand(9) ?? call.constant('int32', [1, s], after);
    const rotation = { tables, positions, size: 2 * tables[0].shape[1]!, interleaved };
    ownQuery = rotate(call, ownQuery, { ...rotation, heads });
    ownKey = rotate(call, ownKey, { ...rotation, heads: kvHeads });
  } else call.skip('rotary_interleaved');
  const query = splitHeads(call, ownQuery, heads);
  const [key, ownValue] = [ownKey, parts[2]!].map((one) => splitHeads(call, one, kvHeads)) as [Operand, Operand];
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
    call.optionalOperand(10),
    both(call, inside, causal(call, s, total)),
  );
  return [call.made(made), call.made(keys), call.made(values)];
};

/** com.microsoft RotaryEmbedding: [B, S, width] or [B, heads, S, D], positions of one start or of each token. */
const rotaryEmbedding: Lowering = (call) => {
  const input = call.operand(0);
  const flat = input.shape.length === 3;
  const tables = [call.operand(2), call.operand(3)] as const;
  if (call.flag('is_packed_batching')) call.unsupported('is_packed_batching');
  if (call.float('scale', 1) !== 1) call.unsupported('a scale');
  const size = call.int('rotary_embedding_dim', 0) || 2 * tables[0].shape[1]!;
  const given = call.int('num_heads', 0);
  const heads = flat ? given || input.shape[2]! / size : undefined;
  const s = input.shape.at(-2)!;
  const places = call.cast(call.operand(1), 'int32');
  const positions =
    elementCount(places.shape) === 1
      ? add(call, call.reshape(call.counting(s), [1, s]), call.reshape(places, [1, 1]))
      : places;
  return call.made(rotate(call, input, { tables, positions, heads, size, interleaved: call.flag('interleaved') }));
};

/** Attention of com.microsoft, with its masks and caches. */
export const CONTRIB_ATTENTION: Readonly<Record<string, Lowering>> = {
  'com.microsoft.Attention': packedAttention,
  'com.microsoft.MultiHeadAttention': multiHeadAttention,
  'com.microsoft.GroupQueryAttention': groupQueryAttention,
  'com.microsoft.RotaryEmbedding': rotaryEmbedding,
};
