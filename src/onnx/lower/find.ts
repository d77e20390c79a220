import { elementCount } from '../../tensor/types.ts';
import type { Call } from '../call.ts';
import { build, type HostOp, reader } from '../host.ts';
import type { Lowering } from '../lowerer.ts';
import { known, NOTHING, type Scalar, type Tensor, type Value } from '../values.ts';

/** What the host computes of numbers that it knows, or that a run finds: how large the results are hangs on them. */
const onHost =
  (compute: HostOp): Lowering =>
  (call) =>
    compute(
      call.of(call.inputs.map((_, i) => (call.optional(i) ? { ...call.tensor(i), known: call.known(i) } : NOTHING))),
    );

/** The places of what is not 0, a column each. */
function nonZero(call: Call): Tensor {
  const data = call.tensor(0);
  const found: number[][] = [];
  const read = reader(data);
  build(data.type, data.shape, (index) => {
    if (read(index)) found.push([...index]);
    return 0;
  });
  return build('int64', [data.shape.length, found.length], ([d, i]) => BigInt(found[i!]![d!]!));
}

/** Rows along an axis, or elements, where a list of truths says so. */
function compress(call: Call): Tensor {
  const data = call.tensor(0);
  const picks = call.tensor(1).known!;
  const given = call.intOr('axis');
  const flat = given === undefined ? { ...data, shape: [elementCount(data.shape)] } : data;
  const axis = given === undefined ? 0 : call.axis(given, data.shape.length);
  const rows = picks.flatMap((pick, i) => (pick ? [i] : []));
  const read = reader(flat);
  const shape = flat.shape.map((size, d) => (d === axis ? rows.length : size));
  return build(data.type, shape, (index) => read(index.map((at, d) => (d === axis ? rows[at]! : at))));
}

/** unique rows along an axis, or elements: [values, first places, inverse, counts]. */
function unique(call: Call): readonly Value[] {
  const data = call.tensor(0);
  const given = call.intOr('axis');
  const sorted = call.int('sorted', 1);
  const flat = given === undefined ? { ...data, shape: [elementCount(data.shape)] } : data;
  const axis = given === undefined ? 0 : call.axis(given, data.shape.length);
  const size = flat.shape[axis]!;
  const read = reader(flat);
  const others = flat.shape.map((length, d) => (d === axis ? 1 : length));
  const rows = Array.from(
    { length: size },
    (_, at) => build(flat.type, others, (index) => read(index.map((i, d) => (d === axis ? at : i)))).known!,
  );
  const order: number[] = [];
  const inverse: number[] = [];
  const counts: number[] = [];
  const same = (a: readonly Scalar[], b: readonly Scalar[]) => a.every((value, i) => Object.is(value, b[i]));
  for (const row of rows) {
    let which = order.findIndex((at) => same(rows[at]!, row));
    if (which < 0) {
      which = order.length;
      order.push(inverse.length);
      counts.push(0);
    }
    inverse.push(which);
    counts[which]!++;
  }
  const rank = order.map((_, i) => i);
  const before = (a: readonly Scalar[], b: readonly Scalar[]): number => {
    const i = a.findIndex((value, at) => value !== b[at]);
    return i < 0 ? 0 : a[i]! < b[i]! ? -1 : 1;
  };
  if (sorted) rank.sort((i, j) => before(rows[order[i]!]!, rows[order[j]!]!));
  const place = rank.map((_, i) => rank.indexOf(i));
  const shape = flat.shape.map((length, d) => (d === axis ? rank.length : length));
  const list = (values: readonly number[]): Tensor => known('int64', [values.length], values);
  return [
    build(data.type, shape, (index) => read(index.map((i, d) => (d === axis ? order[rank[i]!]! : i)))),
    list(rank.map((i) => order[i]!)),
    list(inverse.map((i) => place[i]!)),
    list(rank.map((i) => counts[i]!)),
  ];
}

export const FIND: Readonly<Record<string, Lowering>> = {
  NonZero: onHost(nonZero),
  Compress: onHost(compress),
  Unique: onHost(unique),
};
