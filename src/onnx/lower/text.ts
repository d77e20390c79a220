import type { Call } from '../call.ts';
import type { Lowering } from '../lowerer.ts';
import { fromBytes, known, type Scalar, type Tensor } from '../values.ts';

/** Numbers of a type as the bytes that they are in memory. */
const WRITERS: Readonly<Record<string, (view: DataView, at: number, value: Scalar) => void>> = {
  float: (view, at, value) => view.setFloat32(at, Number(value), true),
  double: (view, at, value) => view.setFloat64(at, Number(value), true),
  int64: (view, at, value) => view.setBigInt64(at, BigInt(value), true),
  uint64: (view, at, value) => view.setBigUint64(at, BigInt(value), true),
  int32: (view, at, value) => view.setInt32(at, Number(value), true),
  uint32: (view, at, value) => view.setUint32(at, Number(value), true),
  int16: (view, at, value) => view.setInt16(at, Number(value), true),
  uint16: (view, at, value) => view.setUint16(at, Number(value), true),
  int8: (view, at, value) => view.setInt8(at, Number(value)),
  uint8: (view, at, value) => view.setUint8(at, Number(value)),
};
const bytesOf = (type: string): number => Number(/\d+$/.exec(type)?.[0] ?? (type === 'double' ? 64 : 32)) / 8;

/** The same bits as another type of as many. The host does it, of few numbers. */
function bitCast(call: Call): Tensor {
  const { type, shape } = call.tensor(0);
  const to = call.castType();
  const values = call.known(0);
  const [size, write] = [bytesOf(type), WRITERS[type]];
  if (!write || !WRITERS[to] || bytesOf(to) !== size) call.unsupported(`from ${type} to ${to}`);
  const bytes = new Uint8Array(values.length * size);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of values.entries()) write!(view, i * size, value);
  return known(to, shape, fromBytes(to, values.length, bytes));
}

/** Counts of n-grams of a line of tokens, with gaps of up to `max_skip_count` tokens between those of one. */
function tfIdf(call: Call): Tensor {
  const mode = call.choice('mode', 'TF', ['TF', 'IDF', 'TFIDF']);
  const [least, most] = [call.int('min_gram_length'), call.int('max_gram_length')];
  const skips = call.int('max_skip_count');
  const starts = call.ints('ngram_counts', []);
  const places = call.ints('ngram_indexes', []);
  const pool: readonly Scalar[] = call.texts('pool_strings') ?? call.ints('pool_int64s', []);
  const weights = call.floats('weights');
  const grams = new Map<string, number>();
  let gram = 0;
  starts.forEach((start, i) => {
    const end = starts[i + 1] ?? pool.length;
    for (let at = start; at < end; at += i + 1)
      grams.set(
        pool
          .slice(at, at + i + 1)
          .map(String)
          .join('\0'),
        gram++,
      );
  });
  const { shape } = call.tensor(0);
  const tokens = call.known(0).map(String);
  const width = shape.at(-1)!;
  const lines = shape.length > 1 ? shape[0]! : 1;
  const size = Math.max(...places) + 1;
  const counts = call.list(lines * size, () => 0);
  for (let line = 0; line < lines; line++)
    for (let length = least; length <= Math.min(most, width); length++)
      for (let gap = 1; gap <= (length === 1 ? 1 : Math.min(skips + 1, width)); gap++)
        for (let at = 0; at + (length - 1) * gap < width; at++) {
          const words = Array.from({ length }, (_, i) => tokens[line * width + at + i * gap]!);
          const found = grams.get(words.join('\0'));
          if (found !== undefined) counts[line * size + places[found]!]!++;
        }
  const weightOf = (place: number): number => weights?.[places.indexOf(place)] ?? 1;
  const values = counts.map((count, i) => {
    const weight = weightOf(i % size);
    return mode === 'TF' ? count : mode === 'IDF' ? Number(count > 0) * weight : count * weight;
  });
  return known('float', shape.length > 1 ? [lines, size] : [size], values);
}

const binarizer: Lowering = (call) => {
  const input = call.operand(0);
  const above = call.add('greater', { a: input, b: call.like(input, call.float('threshold', 0)) });
  return call.made(call.cast(above, input.dataType));
};

export const TEXT: Readonly<Record<string, Lowering>> = {
  BitCast: bitCast,
  TfIdfVectorizer: tfIdf,
  'ai.onnx.ml.Binarizer': binarizer,
};
