import { beforeEach, describe, expect, it } from 'vitest';
import type { BuildOptions } from '../../src/build/build.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import type { Operand } from '../../src/graph/ir.ts';
import { elementCount } from '../../src/tensor/types.ts';
import { testEngine } from '../support/engine.ts';

const engine = await testEngine();
let b = new GraphBuilder();
let inputs: Record<string, Float32Array> = {};
beforeEach(() => {
  b = new GraphBuilder();
  inputs = {};
});

const float = (...shape: number[]) => ({ dataType: 'float32' as const, shape });
/** An input of 1, 2, 3 and so on. */
function given(...shape: number[]): Operand {
  const name = `x${Object.keys(inputs).length}`;
  inputs[name] = Float32Array.from({ length: elementCount(shape) }, (_, i) => i + 1);
  return b.input(name, float(...shape));
}
const constant = (shape: readonly number[], ...numbers: number[]): Operand =>
  b.constant({ dataType: 'float32', shape }, Float32Array.from(numbers));

async function run(outputs: Readonly<Record<string, Operand>>, options: BuildOptions = {}) {
  using session = await engine.build(b.outputs(outputs), options);
  const found = await session.run(inputs);
  [b, inputs] = [new GraphBuilder(), {}];
  return Object.fromEntries(Object.entries(found).map(([name, data]) => [name, [...data]]));
}
const y = async (output: Operand, options?: BuildOptions) => (await run({ y: output }, options))['y'];

const [NAN, INF] = [Number.NaN, Number.POSITIVE_INFINITY];

describe('bug F7: tensors without elements', () => {
  it('outputs without elements come back as empty arrays, beside others', async () => {
    const x = given(0, 3);
    const found = await run({
      input: x,
      sum: b.add(x, given(1, 3)),
      constant: constant([0]),
      made: b.relu(constant([2, 0])),
      shape: b.reshape(x, [3, 0, 5]),
      some: b.relu(given(2)),
      indices: b.argMax(x, 1),
    });
    expect(found).toEqual({ input: [], sum: [], constant: [], made: [], shape: [], some: [1, 2], indices: [] });
  });

  it.each<[string, () => Operand, readonly number[]]>([
    ['slice to 0', () => b.slice(given(2, 3), [1, 0], [0, 3]), []],
    ['what follows a slice to 0', () => b.concat([b.relu(b.slice(given(2), [2], [0])), given(2)], 0), [1, 2]],
    ['concat with nothing', () => b.concat([given(0, 2), given(1, 2), given(0, 2), given(1, 2)], 0), [1, 2, 1, 2]],
    [
      'concat with nothing along another axis',
      () => b.concat([given(2, 1), given(2, 0), given(2, 2)], 1),
      [1, 1, 2, 2, 3, 4],
    ],
    ['concat of nothing', () => b.concat([given(0, 2), given(0, 2)], 0), []],
    ['parts of a split', () => b.concat([...b.split(given(4), [0, 1, 0, 3])].reverse(), 0), [2, 3, 4, 1]],
    ['expand to nothing', () => b.expand(given(1, 3), [0, 3]), []],
    ['transpose', () => b.transpose(given(0, 3)), []],
    ['pad of nothing', () => b.pad(given(0, 2), [1, 0], [0, 1], { value: 7 }), [7, 7, 7]],
    ['pad of nothing that was computed', () => b.pad(b.relu(given(0, 2)), [0, 0], [1, 0], { value: 7 }), [7, 7]],
    ['pad of nothing at load', () => b.add(b.pad(b.relu(constant([0])), [2], [0], { value: 7 }), given(2)), [8, 9]],
    [
      'no rows of a table',
      () => b.gather(given(4, 3), b.constant({ dataType: 'int32', shape: [0] }, new Int32Array(0))),
      [],
    ],
    ['softmax', () => b.softmax(given(2, 0), 1), []],
    ['layerNormalization', () => b.layerNormalization(given(0, 4)), []],
    ['conv2d of a batch of none', () => b.conv2d(given(0, 1, 3, 3), given(2, 1, 3, 3)), []],
  ])('%s', async (_, output, expected) => {
    expect(await y(output())).toEqual(expected);
  });

  it.each<[string, (x: Operand) => Operand, number]>([
    ['sum', (x) => b.reduceSum(x, { axes: [1] }), 0],
    ['product', (x) => b.reduceProduct(x, { axes: [1] }), 1],
    ['max', (x) => b.reduceMax(x, { axes: [1] }), -INF],
    ['min', (x) => b.reduceMin(x, { axes: [1] }), INF],
    ['mean', (x) => b.reduceMean(x, { axes: [1], keepDimensions: true }), NAN],
    ['l1', (x) => b.reduceL1(x, { axes: [1] }), 0],
    ['l2', (x) => b.reduceL2(x, { axes: [-1] }), 0],
    ['sum of squares', (x) => b.reduceSumSquare(x, { axes: [1] }), 0],
    ['logarithm of the sum', (x) => b.reduceLogSum(x, { axes: [1] }), -INF],
    ['logarithm of the sum of powers', (x) => b.reduceLogSumExp(x, { axes: [1] }), -INF],
  ])('%s of nothing', async (_, reduced, expected) => {
    expect(await y(reduced(given(2, 0)))).toEqual([expected, expected]);
  });

  it('integers of nothing: the ends of the type stand for infinity, 0 for NaN', async () => {
    const x = b.cast(given(2, 0), 'int32');
    const bytes = b.cast(x, 'uint8');
    expect(
      await run({
        sum: b.reduceSum(x, { axes: [1] }),
        mean: b.reduceMean(x, { axes: [1] }),
        max: b.reduceMax(x, { axes: [1] }),
        min: b.reduceMin(x),
        bytes: b.reduceMin(bytes),
        totals: b.cumulativeSum(x, 1),
      }),
    ).toEqual({
      sum: [0, 0],
      mean: [0, 0],
      max: [-(2 ** 31), -(2 ** 31)],
      min: [2 ** 31 - 1],
      bytes: [255],
      totals: [],
    });
  });

  it('of nothing over all axes, and over axes apart', async () => {
    const x = given(0, 2, 3);
    expect(
      await run({ all: b.reduceSum(x), apart: b.reduceMax(x, { axes: [0, 2] }), none: b.reduceSum(x, { axes: [1] }) }),
    ).toEqual({
      all: [0],
      apart: [-INF, -INF],
      none: [],
    });
  });

  it('a product without depth is zero, and what follows follows', async () => {
    expect(await y(b.matmul(given(2, 0), given(0, 3)))).toEqual(Array(6).fill(0));
    expect(await y(b.matmul(given(2, 1, 0), given(1, 0, 1)))).toEqual([0, 0]);
    const product = b.matmul(given(2, 0), constant([3, 0]), { transposeB: true });
    expect(await y(b.relu(b.add(product, constant([3], -1, 2, 3))))).toEqual([0, 2, 3, 0, 2, 3]);
    expect(await y(b.gemm(given(1, 0), given(0, 2), { c: given(2), beta: 3 }))).toEqual([3, 6]);
    expect(await y(b.matmul(given(0, 2), given(2, 3)))).toEqual([]);
  });

  it('no rows are written onto a state', async () => {
    const positions = b.constant({ dataType: 'uint32', shape: [0] }, new Uint32Array(0));
    const written = b.scatterRows(b.state('s', float(2, 2)), b.relu(given(0, 2)), positions);
    expect(await y(b.add(written, given(2, 2)))).toEqual([1, 2, 3, 4]);
  });

  it('a state of nothing', async () => {
    expect(await y(b.relu(b.state('s', float(0, 2))))).toEqual([]);
  });

  it('looked at for infinity', async () => {
    expect(await y(b.concat([b.relu(given(0)), given(2)], 0), { check: 'finite' })).toEqual([1, 2]);
    expect(await y(b.pad(b.relu(b.neg(given(0))), [2], [0]), { check: 'finite' })).toEqual([0, 0]);
  });

  it.each<[string, () => Operand]>([
    ['conv2d', () => b.conv2d(given(1, 0, 3, 3), given(2, 0, 3, 3))],
    ['averagePool2d', () => b.averagePool2d(given(1, 2, 0, 3))],
    ['gather', () => b.gather(given(0, 3), b.input('i', { dataType: 'int32', shape: [1] }))],
  ])('%s of nothing is refused by name', async (name, output) => {
    await expect(engine.build(b.outputs({ y: output() }))).rejects.toMatchObject({
      code: 'invalid-graph',
      message: expect.stringMatching(new RegExp(`${name}: no kernel for .*float32\\[[^\\]]*\\b0\\b`)),
    });
  });
});

describe('bug F5: concat', () => {
  it.each([
    [40, [1, 64], 0],
    [25, [3, 5, 2], 1],
  ])('of %d tensors of %j', async (count, shape, axis) => {
    const operands = Array.from({ length: count }, () => given(...shape));
    for (const [i, data] of Object.values(inputs).entries()) data.set(data.map((_, j) => 1000 * i + j));
    const outer = elementCount(shape.slice(0, axis));
    const length = elementCount(shape.slice(axis));
    const expected = Array.from({ length: outer }, (_, o) =>
      operands.map((_operand, i) => Array.from({ length }, (_element, j) => 1000 * i + o * length + j)),
    );
    expect(await y(b.concat(operands, axis))).toEqual(expected.flat(2));
  });
});

describe('bug F2: a state is read before it is written onto', () => {
  const written = (onto: Operand, value: number): Operand =>
    b.scatterRows(
      onto,
      constant([1, 2], value, value),
      b.constant({ dataType: 'uint32', shape: [1] }, new Uint32Array([1])),
    );

  it.each(['before first', 'after first'])('by outputs in either order: %s', async (order) => {
    const state = b.state('s', float(2, 2));
    const one = written(state, 5);
    const outputs = {
      before: b.identity(state),
      between: b.neg(one),
      after: written(one, 6),
      sum: b.add(b.identity(state), one),
    };
    const entries = Object.entries(outputs);
    if (order === 'after first') entries.reverse();
    using session = await engine.build(b.outputs(Object.fromEntries(entries)));
    const runs = [];
    for (let i = 0; i < 2; i++)
      runs.push(Object.fromEntries(Object.entries(await session.run({})).map(([name, data]) => [name, [...data]])));
    const after = { between: [-0, -0, -5, -5], after: [0, 0, 6, 6] };
    expect(runs).toEqual([
      { ...after, before: [0, 0, 0, 0], sum: [0, 0, 5, 5] },
      { ...after, before: [0, 0, 6, 6], sum: [0, 0, 11, 11] },
    ]);
  });
});
