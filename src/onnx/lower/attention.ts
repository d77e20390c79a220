import type { Operand } from '../../graph/ir.ts';
import type { Call } from '../call.ts';
import type { Lowering } from '../lowerer.ts';
import type { Tensor } from '../values.ts';
import { add, div, mul, sub, where } from './math.ts';

const concat = (call: Call, list: readonly Operand[], axis: number): Operand =>
  call.add('concat', Object.fromEntries(list.map((operand, i) => [`input${i}`, operand])), { axis });

/** [B, S, heads · D] as [B, heads, S, D]. */
export function splitHeads(call: Call, input: Operand, heads: number): Operand {
  const [b, s, width] = input.shape as [number, number, number];
  return call.transpose(call.reshape(input, [b, s, heads, width / heads]), [0, 2, 1, 3]);
}

/** [B, heads, S, D] as [B, S, heads · D]. */
export function joinHeads(call: Call, input: Operand): Operand {
  const [b, heads, s, d] = input.shape as [number, number, number, number];
  return call.reshape(call.transpose(input, [0, 2, 1, 3]), [b, s, heads * d]);
}

/** Heads of keys or values for as many heads of queries. */
export function repeatHeads(call: Call, input: Operand, heads: number): Operand {
  const [b, own, s, d] = input.shape as [number, number, number, number];
  if (own === heads) return input;
  if (heads % own) call.fail(`${heads} heads do not share ${own} heads of keys evenly`);
  const each = call.reshape(input, [b, own, 1, s, d]);
  return call.reshape(call.add('expand', { input: each }, { newShape: [b, own, heads / own, s, d] }), [b, heads, s, d]);
}

/** 0 where a mask of bool lets through, else the lowest number. */
function biasOf(call: Call, mask: Operand, like: Operand): Operand {
  if (mask.dataType !== 'uint8') return call.cast(mask, like.dataType);
  return where(call, mask, call.like(like, 0), Number.NEGATIVE_INFINITY);
}

/** ai.onnx Attention (opset 23, 24): [Y, presentKey, presentValue, scores]. */
const attention: Lowering = (call) => {
  const flat = call.tensor(0).shape.length === 3;
  const [qHeads, kvHeads] = [call.intOr('q_num_heads'), call.intOr('kv_num_heads')];
  call.skip('softmax_precision');
  const heads = (i: number, count: number | undefined): Operand =>
    flat
      ? splitHeads(call, call.operand(i), count ?? call.fail('3-D inputs need the numbers of heads'))
      : call.operand(i);
  const query = heads(0, qHeads);
  const [pastKey, pastValue] = [call.optionalOperand(4), call.optionalOperand(5)];
  const [ownKey, ownValue] = [heads(1, kvHeads), heads(2, kvHeads)];
  const key = pastKey ? concat(call, [pastKey, ownKey], 2) : ownKey;
  const value = pastValue ? concat(call, [pastValue, ownValue], 2) : ownValue;
  const [count, keys] = [query.shape[2]!, key.shape[2]!];
  const scale = call.float('scale', 1 / Math.sqrt(query.shape[3]!));
  const all = query.shape[1]!;
  const turned = call.transpose(repeatHeads(call, key, all), [0, 1, 3, 2]);
  const raw = call.add('matmul', { a: mul(call, query, scale), b: turned });
  let scores = raw;
  const mask = call.optionalOperand(3);
  if (mask) {
    const bias = biasOf(call, mask, scores);
    const missing = keys - bias.shape.at(-1)!;
    const zeros = bias.shape.map(() => 0);
    const whole =
      missing > 0
        ? call.add(
            'pad',
            { input: bias },
            { beginningPadding: zeros, endingPadding: zeros.with(-1, missing), value: Number.NEGATIVE_INFINITY },
          )
        : bias;
    scores = add(call, scores, whole);
  }
  const given = call.optionalOperand(6);
  const lengths = given && call.reshape(call.cast(given, 'int32'), [given.shape[0]!, 1, 1, 1]);
  const places = call.constant(
    'int32',
    [1, 1, 1, keys],
    call.list(keys, (i) => i),
  );
  if (lengths) scores = where(call, call.add('lesser', { a: places, b: lengths }), scores, Number.NEGATIVE_INFINITY);
  if (call.flag('is_causal')) {
    // The queries are the last tokens of what is in the cache.
    const rows = call.constant(
      'int32',
      [1, 1, count, 1],
      call.list(count, (i) => i),
    );
    const past = lengths ? sub(call, lengths, count) : call.like(rows, pastKey ? pastKey.shape[2]! : 0);
    const sees = call.add('lesserOrEqual', { a: places, b: add(call, rows, past) });
    scores = where(call, sees, scores, Number.NEGATIVE_INFINITY);
  }
  const masked = scores;
  const cap = call.float('softcap', 0);
  if (cap) scores = mul(call, call.add('tanh', { input: div(call, scores, cap) }), cap);
  let weights = call.add('softmax', { input: scores }, { axis: 3 });
  if (lengths) {
    // A query that sees nothing gives zeros.
    const best = call.add('reduceMax', { input: scores }, { axes: [3], keepDimensions: true });
    const blind = call.add('equal', { a: best, b: call.like(best, Number.NEGATIVE_INFINITY) });
    weights = where(call, blind, call.like(weights, 0), weights);
  }
  const made = call.add('matmul', { a: weights, b: repeatHeads(call, value, all) });
  const shown = [raw, masked, scores, weights][call.int('qk_matmul_output_mode', 0)];
  return [
    call.made(flat ? joinHeads(call, made) : made),
    call.made(key, call.tensor(1).type),
    call.made(value, call.tensor(2).type),
    shown && call.made(shown),
  ];
};

/** cos and sin as half as many angles as elements in pairs, and what names their rows; heads of rows that hold them. */
interface Rotation {
  readonly tables: readonly [cos: Operand, sin: Operand];
  readonly positions?: Operand | undefined;
  readonly heads?: number | undefined;
  readonly size: number;
  readonly interleaved: boolean;
}

/** Turns the first `size` elements of heads by the angles of their position. */
export function rotate(call: Call, input: Operand, { tables, positions, heads, size, interleaved }: Rotation): Operand {
  const [cos, sin] = tables;
  if (2 * cos.shape.at(-1)! !== size) call.fail(`tables of ${cos.shape.at(-1)} angles for ${size} elements of a head`);
  const options = { ...(heads && { heads }), ...(interleaved && { interleaved }), rotaryEmbeddingDim: size };
  return call.add('rotaryEmbedding', { input, cos, sin, positions }, options);
}

/** ai.onnx RotaryEmbedding (opset 23). */
function rotaryEmbedding(call: Call): Tensor {
  const input = call.operand(0);
  const { shape } = input;
  const given = call.int('num_heads', 0);
  const heads = shape.length === 3 ? given || call.fail('a 3-D input needs num_heads') : undefined;
  const size = call.int('rotary_embedding_dim', 0) || shape.at(-1)! / (heads ?? 1);
  const tables = [call.operand(1), call.operand(2)] as const;
  const interleaved = call.flag('interleaved');
  return call.made(rotate(call, input, { tables, positions: call.optionalOperand(3), heads, size, interleaved }));
}

/** Writes `update` into a cache along an axis, at a place of its own in each batch. */
function tensorScatter(call: Call): Tensor {
  const [cache, update] = [call.operand(0), call.operand(1)];
  const axis = call.axis(call.int('axis', -2), cache.shape.length);
  const mode = call.choice('mode', 'linear', ['linear', 'circular']);
  const [batch, count, most] = [cache.shape[0]!, update.shape[axis]!, cache.shape[axis]!];
  const at = (d: number, size: number): number[] => update.shape.map((_, i) => (i === d ? size : 1));
  const steps = call.constant(
    'int32',
    at(axis, count),
    call.list(count, (i) => i),
  );
  const given = call.optionalOperand(2);
  const starts = given && call.reshape(call.cast(given, 'int32'), at(0, batch));
  const places = starts ? add(call, steps, starts) : steps;
  const inside = mode === 'circular' ? call.add('mod', { a: places, b: call.like(places, most) }) : places;
  const indices = call.add('expand', { input: inside }, { newShape: update.shape });
  return call.made(call.add('scatterElements', { input: cache, indices, updates: update }, { axis }));
}

export const ATTENTION: Readonly<Record<string, Lowering>> = {
  Attention: attention,
  RotaryEmbedding: rotaryEmbedding,
  TensorScatter: tensorScatter,
};
