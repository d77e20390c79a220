import type { Operand } from '../../graph/ir.ts';
import { elementCount } from '../../tensor/types.ts';
import type { Call } from '../call.ts';
import type { Lowering } from '../lowerer.ts';
import { known, MOST_KNOWN, type Tensor } from '../values.ts';
import { add, castTo, where } from './math.ts';

function gatherND(call: Call): Tensor {
  const batches = call.int('batch_dims', 0);
  const [data, indices] = [call.operand(0), call.operand(1)];
  if (!batches) return call.made(call.add('gatherND', { input: data, indices }));
  // Batches become the first numbers of every index.
  const lead = indices.shape.slice(0, batches);
  const count = elementCount(lead);
  const inner = indices.shape.slice(batches, -1);
  const depth = indices.shape.at(-1)!;
  const flat = call.reshape(data, [count, ...data.shape.slice(batches)]);
  const own = call.reshape(indices, [count, elementCount(inner), depth]);
  const numbers = call.reshape(call.counting(count), [count, 1, 1]);
  const first = call.add('expand', { input: numbers }, { newShape: [count, elementCount(inner), 1] });
  const all = call.add('concat', { input0: first, input1: call.cast(own, 'int32') }, { axis: 2 });
  const picked = call.add('gatherND', { input: flat, indices: all });
  return call.made(call.reshape(picked, [...lead, ...inner, ...picked.shape.slice(2)]));
}

/** Blocks of b × b pixels from channels, or the other way round. */
function depthToSpace(call: Call): Tensor {
  const [n, c, h, w] = call.tensor(0).shape as [number, number, number, number];
  const b = call.int('blocksize');
  const mode = call.choice('mode', 'DCR', ['DCR', 'CRD']);
  const out = c / (b * b);
  const split = mode === 'DCR' ? [n, b, b, out, h, w] : [n, out, b, b, h, w];
  const order = mode === 'DCR' ? [0, 3, 4, 1, 5, 2] : [0, 1, 4, 2, 5, 3];
  const turned = call.transpose(call.reshape(call.operand(0), split), order);
  return call.made(call.reshape(turned, [n, out, h * b, w * b]));
}

function spaceToDepth(call: Call): Tensor {
  const [n, c, h, w] = call.tensor(0).shape as [number, number, number, number];
  const b = call.int('blocksize');
  const split = call.reshape(call.operand(0), [n, c, h / b, b, w / b, b]);
  return call.made(call.reshape(call.transpose(split, [0, 3, 5, 1, 2, 4]), [n, c * b * b, h / b, w / b]));
}

/** 1 at [i, i + k] of each matrix, else 0. */
function eyeLike(call: Call): Tensor {
  const { shape, type } = call.tensor(0);
  const [rows, columns] = shape as [number, number];
  const k = call.int('k', 0);
  const number = call.intOr('dtype');
  const made = number === undefined ? type : call.typeNamed(number);
  if (rows * columns > MOST_KNOWN) {
    const [down, across] = [call.reshape(call.counting(rows), [rows, 1]), call.counting(columns)];
    return castTo(call, call.made(call.add('equal', { a: add(call, down, k), b: across }), 'bool'), made);
  }
  const values = call.list(rows * columns, (i) => Number((i % columns) - Math.floor(i / columns) === k));
  return known(made, shape, values);
}

function trilu(call: Call): Tensor {
  const upper = call.flag('upper', true);
  const diagonal = call.optional(1) ? Number(call.scalar(1)) : 0;
  return call.made(call.add('triangular', { input: call.operand(0) }, { upper, diagonal }));
}

/** values[1] where an index is met along a new axis, else values[0]. */
function oneHot(call: Call): Tensor {
  const { shape } = call.tensor(0);
  const depth = Number(call.scalar(1));
  const axis = call.axis(call.int('axis', -1), shape.length + 1);
  const given = call.operand(0);
  const indices = call.cast(given, 'int32');
  const spread = call.reshape(indices, [...shape.slice(0, axis), 1, ...shape.slice(axis)]);
  const negative = call.add('lesser', { a: spread, b: call.like(spread, 0) });
  const from0 = where(call, negative, call.add('add', { a: spread, b: call.like(spread, depth) }), spread);
  if (!(depth >= 0)) call.fail(`a depth of ${depth}`);
  const places = call.reshape(call.counting(depth), [depth, ...shape.slice(axis).map(() => 1)]);
  const met = call.add('equal', { a: from0, b: places });
  const { known, type } = call.tensor(2);
  if (known && Number(known[0]) === 0 && Number(known[1]) === 1) {
    const ones = axis === shape.length ? call.reshape(from0, shape) : undefined;
    return { ...call.made(call.cast(met, call.deviceType(type)), type), ones };
  }
  const values = call.operand(2);
  const [off, on] = [0, 1].map((start) =>
    call.reshape(call.add('slice', { input: values }, { starts: [start], sizes: [1] }), []),
  );
  return call.made(where(call, met, on!, off!), type);
}

const scatterElements: Lowering = (call) => {
  const { shape } = call.tensor(0);
  const axis = call.axis(call.int('axis', 0), shape.length);
  const reduction = call.choice('reduction', 'none', ['none', 'add', 'mul', 'max', 'min']);
  const inputs = { input: call.operand(0), indices: call.operand(1), updates: call.operand(2) };
  return call.made(call.add('scatterElements', inputs, { axis, ...(reduction !== 'none' && { reduction }) }));
};

/** Updates at places that are known: of each row of the result, whether it is the input's or an update's. */
function scattered(call: Call, indices: readonly number[]): Operand {
  const [input, updates] = [call.operand(0), call.operand(2)];
  const depth = call.tensor(1).shape.at(-1)!;
  const lead = input.shape.slice(0, depth);
  const inner = elementCount(input.shape.slice(depth));
  const rows = elementCount(lead);
  const from = call.list(rows, (row) => row);
  for (let i = 0; i * depth < indices.length; i++) {
    let row = 0;
    for (const [d, size] of lead.entries()) {
      const index = indices[i * depth + d]!;
      const at = index < 0 ? index + size : index;
      if (!(at >= 0 && at < size)) call.fail(`index ${index} of ${size} elements`);
      row = row * size + at;
    }
    from[row] = rows + i;
  }
  const both = {
    input0: call.reshape(input, [rows, inner]),
    input1: call.reshape(updates, [indices.length / depth, inner]),
  };
  const picked = call.add(
    'gather',
    { input: call.add('concat', both, { axis: 0 }), indices: call.constant('int32', [rows], from) },
    { axis: 0 },
  );
  return call.reshape(picked, input.shape);
}

const scatterND: Lowering = (call) => {
  const reduction = call.choice('reduction', 'none', ['none', 'add', 'mul', 'max', 'min']);
  const places = call.tensor(1);
  if (reduction === 'none' && places.known && places.known.length)
    return call.made(scattered(call, places.known.map(Number)));
  const inputs = { input: call.operand(0), indices: call.operand(1), updates: call.operand(2) };
  return call.made(call.add('scatterND', inputs, reduction === 'none' ? {} : { reduction }));
};

export const SELECT: Readonly<Record<string, Lowering>> = {
  GatherND: gatherND,
  GatherElements: (call) => {
    const axis = call.axis(call.int('axis', 0), call.tensor(0).shape.length);
    return call.made(call.add('gatherElements', { input: call.operand(0), indices: call.operand(1) }, { axis }));
  },
  ScatterElements: scatterElements,
  Scatter: scatterElements,
  ScatterND: scatterND,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
  EyeLike: eyeLike,
  Trilu: trilu,
  OneHot: oneHot,
  ReverseSequence: (call) => {
    const [batchAxis, timeAxis] = [call.int('batch_axis', 1), call.int('time_axis', 0)];
    const inputs = { input: call.operand(0), lengths: call.operand(1) };
    return call.made(call.add('reverseSequence', inputs, { batchAxis, timeAxis }));
  },
};
