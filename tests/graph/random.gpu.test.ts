import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BuildOptions } from '../../src/build/build.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { loadOps } from '../../src/graph/groups/index.ts';
import type { Graph, Operand } from '../../src/graph/ir.ts';
import { type DataType, elementCount, isFloat, type TensorData } from '../../src/tensor/types.ts';
import { asNumbers, makeTensor } from '../../src/verify/values.ts';
import { testEngine } from '../support/engine.ts';
import { evaluate } from '../support/evaluate.ts';

await loadOps();
const engine = await testEngine();

/** An op by its place in the table, the operands by theirs among what there is, and a number for its options. */
interface Instruction {
  readonly op: number;
  readonly a: number;
  readonly b: number;
  readonly n: number;
}

/** Adds an op where it can take the operands; undefined where not. */
type Maker = (b: GraphBuilder, x: Operand, y: Operand, n: number) => Operand | readonly Operand[] | undefined;

const constant = (b: GraphBuilder, shape: readonly number[], seed: string, dataType: DataType, scale = 1): Operand => {
  const values = { low: -scale, high: scale };
  return b.constant({ dataType, shape }, makeTensor({ shape, values }, dataType, 0, seed).data);
};

/** Functions without a jump, that do not magnify an error by much, and of which drivers have no approximation. */
const SMOOTH = [
  ...['relu', 'abs', 'neg', 'sigmoid', 'elu', 'leakyRelu', 'hardSigmoid', 'hardSwish', 'softplus', 'softsign'],
  ...['erf', 'gelu', 'identity', 'linear', 'clamp'],
] as const;

const floats =
  (make: Maker): Maker =>
  (b, x, y, n) =>
    isFloat(x.dataType) ? make(b, x, y, n) : undefined;

const MAKERS: Readonly<Record<string, Maker>> = {
  ...Object.fromEntries(
    SMOOTH.map((name): [string, Maker] => [
      name,
      floats((b, x, _y, n) =>
        name === 'clamp'
          ? b.clamp(x, { minValue: -(n % 3), maxValue: 1 + (n % 2) })
          : name === 'linear'
            ? b.linear(x, { alpha: 0.5, beta: n % 2 })
            : b[name](x),
      ),
    ]),
  ),
  ...Object.fromEntries(
    (['add', 'sub', 'max', 'min', 'mul'] as const).map((name): [string, Maker] => [
      name,
      (b, x, y, n) => {
        const fits = x.dataType === y.dataType && (y.shape.length === 0 || String(x.shape) === String(y.shape));
        if (fits) return b[name](x, y);
        const row = x.shape.slice(n % (x.shape.length + 1)).map((size, i) => (i === n % 3 ? 1 : size));
        return isFloat(x.dataType) ? b[name](x, constant(b, row, `${name}${n}`, x.dataType)) : undefined;
      },
    ]),
  ),
  matmul: floats((b, x, _y, n) => {
    const k = x.shape.at(-1) ?? 0;
    if (x.shape.length < 2) return undefined;
    const columns = [1, 3, 4, 8, 12][n % 5]!;
    const transposeB = n % 2 === 1;
    const w = constant(b, transposeB ? [columns, k] : [k, columns], `matmul${n}`, x.dataType, 1 / Math.sqrt(k));
    return b.matmul(x, w, { transposeB });
  }),
  conv2d: floats((b, x, _y, n) => {
    if (x.shape.length !== 4) return undefined;
    const [, channels, h, w] = x.shape as [number, number, number, number];
    const size = n % 3 === 0 ? 1 : 3;
    const groups = n % 4 === 3 ? channels : 1;
    const out = groups > 1 ? channels : [4, 5, 8][n % 3]!;
    const filter = constant(
      b,
      [out, channels / groups, size, size],
      `conv${n}`,
      x.dataType,
      1 / Math.sqrt((channels / groups) * size * size),
    );
    const pad = n % 5 === 4 && Math.min(h, w) >= size ? 0 : size >> 1;
    const strides = n % 7 === 6 ? [2, 2] : [1, 1];
    return b.conv2d(x, filter, {
      padding: [pad, pad, pad, pad],
      strides,
      groups,
      ...(n % 2 && { bias: constant(b, [out], `bias${n}`, x.dataType) }),
    });
  }),
  convTranspose2d: floats((b, x, _y, n) => {
    if (x.shape.length !== 4 || elementCount(x.shape) > 1024) return undefined;
    const channels = x.shape[1]!;
    const out = [1, 4, 6][n % 3]!;
    const filter = constant(b, [channels, out, 3, 2], `up${n}`, x.dataType, 1 / Math.sqrt(6 * channels));
    return b.convTranspose2d(x, filter, {
      padding: [1, 1, 0, 1],
      strides: [1 + (n % 2), 1 + (n % 3)],
      ...(n % 4 && { bias: constant(b, [out], `bias${n}`, x.dataType) }),
    });
  }),
  batchNormalization: floats((b, x, _y, n) => {
    if (x.shape.length !== 4) return undefined;
    const of = (name: string): Operand => constant(b, [x.shape[1]!], `${name}${n}`, x.dataType);
    return b.batchNormalization(x, of('mean'), b.add(b.abs(of('variance')), constant(b, [], 'half', x.dataType, 0.5)), {
      scale: of('scale'),
      bias: of('shift'),
      epsilon: 1,
    });
  }),
  layerNormalization: floats((b, x) =>
    x.shape.length > 1 && x.shape.at(-1)! > 2 ? b.layerNormalization(x, { axes: [-1], epsilon: 0.1 }) : undefined,
  ),
  maxPool2d: floats((b, x, _y, n) =>
    x.shape.length === 4 && Math.min(x.shape[2]!, x.shape[3]!) > 1
      ? b.maxPool2d(x, { windowDimensions: [2, 2], strides: [1 + (n % 2), 1] })
      : undefined,
  ),
  averagePool2d: floats((b, x, _y, n) =>
    x.shape.length === 4 ? b.averagePool2d(x, n % 2 ? {} : { windowDimensions: [1, x.shape[3]!] }) : undefined,
  ),
  softmax: floats((b, x, _y, n) => (x.shape.length ? b.softmax(x, n % x.shape.length) : undefined)),
  ...Object.fromEntries(
    (['reduceMean', 'reduceMax', 'reduceMin', 'reduceSum'] as const).map((name): [string, Maker] => [
      name,
      floats((b, x, _y, n) => {
        if (!x.shape.length) return undefined;
        const mean = name === 'reduceSum' ? 1 / x.shape[n % x.shape.length]! : 1;
        return b.linear(b[name](x, { axes: [n % x.shape.length], keepDimensions: n % 2 === 0 }), { alpha: mean });
      }),
    ]),
  ),
  transpose: (b, x, _y, n) => {
    const axes = x.shape.map((_, d) => d);
    return axes.length > 1
      ? b.transpose(x, { permutation: [...axes.slice(n % axes.length), ...axes.slice(0, n % axes.length)] })
      : undefined;
  },
  swap: (b, x, _y, n) => {
    if (x.shape.length < 3) return undefined;
    const [d, e] = [n % x.shape.length, (n + 1) % x.shape.length];
    return b.transpose(x, { permutation: x.shape.map((_, i) => (i === d ? e : i === e ? d : i)) });
  },
  reshape: (b, x, _y, n) => {
    const count = elementCount(x.shape);
    const rows = [1, 2, 3, 4, 8].filter((size) => count % size === 0);
    const first = rows[n % rows.length]!;
    return b.reshape(x, n % 2 && (count / first) % 2 === 0 ? [first, 2, count / first / 2] : [first, count / first]);
  },
  image: (b, x) => (elementCount(x.shape) % 16 === 0 ? b.reshape(x, [1, elementCount(x.shape) / 16, 4, 4]) : undefined),
  slice: (b, x, _y, n) => {
    if (!x.shape.length) return undefined;
    const from = x.shape.map((size, d) => (d === n % x.shape.length ? size >> 2 : 0));
    return b.slice(
      x,
      from,
      x.shape.map((size, d) => Math.max(1, size - 2 * from[d]!)),
    );
  },
  reverse: (b, x, _y, n) => (x.shape.length ? b.reverse(x, { axes: [n % x.shape.length] }) : undefined),
  concat: (b, x, y, n) => {
    if (!x.shape.length || elementCount(x.shape) > 1024) return undefined;
    const axis = n % x.shape.length;
    const same =
      x.dataType === y.dataType &&
      x.shape.length === y.shape.length &&
      x.shape.every((size, d) => d === axis || size === y.shape[d]);
    return b.concat(same ? [x, y, x] : [x, x], axis);
  },
  split: (b, x, _y, n) => {
    const axis = x.shape.findIndex((size) => size % 2 === 0);
    return axis < 0 ? undefined : b.split(x, 2, { axis }).slice(n % 2);
  },
  gatherND: (b, x, _y, n) => {
    const rank = x.shape.length && 1 + (n % x.shape.length);
    const shape = [3, rank];
    const { data } = makeTensor({ shape, values: { low: -4, high: 4 } }, 'int32', 0, `${n}`);
    return rank ? b.gatherND(x, b.constant({ dataType: 'int32', shape }, data)) : undefined;
  },
  where: (b, x, y, n) => {
    if (x.dataType !== y.dataType || String(x.shape) !== String(y.shape) || !x.shape.length) return undefined;
    const shape = [x.shape.at(-1)!];
    return b.where(
      b.constant(
        { dataType: 'uint8', shape },
        makeTensor({ shape, values: 'mask' }, 'uint8', 0, `${n}`).data as Uint8Array,
      ),
      x,
      y,
    );
  },
  toHalf: floats((b, x) => b.cast(x, x.dataType === 'float32' ? 'float16' : 'float32')),
  toFloat: (b, x) => (isFloat(x.dataType) ? undefined : b.linear(b.cast(x, 'float32'), { alpha: 1 / 1000 })),
};

const NAMES = Object.keys(MAKERS);
const INPUTS: Readonly<Record<string, { dataType: DataType; shape: readonly number[] }>> = {
  picture: { dataType: 'float32', shape: [1, 4, 7, 8] },
  rows: { dataType: 'float32', shape: [6, 8] },
  ragged: { dataType: 'float32', shape: [2, 3, 5] },
  whole: { dataType: 'int32', shape: [3, 4] },
  one: { dataType: 'float32', shape: [] },
};

/** The graph that instructions describe: each takes what the last made, or something older; those that fit nothing are left out. */
function graphOf(instructions: readonly Instruction[]): { graph: Graph; text: string } {
  const b = new GraphBuilder();
  const made = Object.entries(INPUTS).map(([name, descriptor]) => b.input(name, descriptor));
  const lines: string[] = [];
  for (const { op, a, b: other, n } of instructions) {
    const pick = (from: number): Operand => made[made.length - 1 - (from % made.length)]!;
    const name = NAMES[op % NAMES.length]!;
    const [x, y] = [pick(a), pick(other)];
    const result = MAKERS[name]!(b, x, y, n);
    if (!result) continue;
    const all = [result].flat() as Operand[];
    lines.push(
      `${made.length}: ${name}(${made.indexOf(x)} [${x.shape}], ${made.indexOf(y)} [${y.shape}], ${n}) -> ${all.map(({ dataType, shape }) => `${dataType}[${shape}]`)}`,
    );
    made.push(...all);
  }
  const leaves = Object.keys(INPUTS).length;
  const ends = [...new Set([made.at(-1)!, made[leaves + ((made.length - leaves) >> 1)]!, made[leaves]!])].filter(
    Boolean,
  );
  return { graph: b.outputs(Object.fromEntries(ends.map((end, i) => [`y${i}`, end]))), text: lines.join('\n') };
}

const VARIANTS: readonly BuildOptions[] = [
  {},
  ...(['fold', 'fuse', 'winograd'] as const).map((pass) => ({ without: [pass] })),
  { without: ['fold', 'fuse', 'winograd'] },
];

/** What is wrong with what the device gives; nothing where all is as the references have it. */
async function faultsOf(instructions: readonly Instruction[]): Promise<string[]> {
  const { graph, text } = graphOf(instructions);
  const data = Object.fromEntries(
    Object.entries(INPUTS).map(([name, { dataType, shape }]): [string, TensorData] => [
      name,
      makeTensor({ shape }, dataType, 0, name).data,
    ]),
  );
  const want = evaluate(graph, data);
  const tolerance = /float16/.test(text) ? 2e-2 : 1e-4;
  const faults: string[] = [];
  for (const options of VARIANTS) {
    using session = await engine.build(graph, { ...options, tune: 'off' });
    const given = Object.fromEntries(Object.entries(data).filter(([name]) => session.plan.inputs.has(name)));
    const got = await session.run(given);
    for (const [name, { dataType, shape, data: expected }] of Object.entries(want)) {
      const numbers = asNumbers(got[name]!, dataType, elementCount(shape));
      const most = Math.max(1, ...Array.from(expected, Math.abs));
      const at = numbers.findIndex(
        (number, i) => !(Math.abs(number - expected[i]!) <= (isFloat(dataType) ? tolerance * most : 0)),
      );
      if (at >= 0)
        faults.push(`${JSON.stringify(options)} ${name}[${at}] is ${numbers[at]}, expected ${expected[at]}\n${text}`);
    }
  }
  return faults;
}

describe('random graphs', () => {
  it('give what the references of their ops give, with each optional pass and without', async () => {
    const instruction = fc.record({
      op: fc.nat(999),
      a: fc.oneof(fc.constant(0), fc.nat(20)),
      b: fc.nat(20),
      n: fc.nat(60),
    });
    const instructions = fc.array(instruction, { minLength: 8, maxLength: 20, size: 'max' });
    await fc.assert(
      fc.asyncProperty(instructions, async (list) => {
        expect(await faultsOf(list)).toEqual([]);
      }),
      { numRuns: 25, endOnFailure: false, interruptAfterTimeLimit: 100_000 },
    );
  });
});
