import { describe, expect, it } from 'vitest';
import { expectError } from '../formats/files.ts';
import { testEngine } from '../support/engine.ts';
import { numbers, relu, run, X, Y } from '../support/graph-model.ts';
import { floats, type GraphToEncode, longs, type ModelToEncode, node } from '../support/onnx.ts';

describe('sizes', () => {
  it.each<[string, ModelToEncode]>([
    ['an input', { ...relu, inputs: [['x', 'float', [1 << 16, 1 << 16]]] }],
    ['an input beyond 2^53', { ...relu, inputs: [['x', 'float', [2 ** 40, 2 ** 40]]] }],
    [
      'Expand',
      {
        nodes: [node('Expand', ['x', 's'], ['y'])],
        inputs: [['x', 'float', [1]]],
        outputs: [Y],
        initializers: [longs('s', [1 << 20, 1 << 20])],
      },
    ],
    [
      'Tile',
      { nodes: [node('Tile', ['x', 's'], ['y'])], inputs: [X], outputs: [Y], initializers: [longs('s', [2 ** 40])] },
    ],
    [
      'ConstantOfShape',
      {
        nodes: [node('ConstantOfShape', ['s'], ['c']), node('Add', ['x', 'c'], ['y'])],
        inputs: [X],
        outputs: [Y],
        initializers: [longs('s', [2 ** 40, 2])],
      },
    ],
    [
      'Range',
      {
        nodes: [node('Range', ['a', 'b', 'c'], ['y'])],
        outputs: [['y', 'int64']],
        initializers: [longs('a', [0], []), longs('b', [2 ** 31 - 1], []), longs('c', [1], [])],
      },
    ],
    [
      'OneHot',
      {
        nodes: [node('OneHot', ['x', 'd', 'v'], ['y'])],
        inputs: [['x', 'int64', [2]]],
        outputs: [Y],
        initializers: [longs('d', [2 ** 31], []), floats('v', [2], [0, 1])],
      },
    ],
    ['EyeLike', { nodes: [node('EyeLike', ['x'], ['y'])], inputs: [['x', 'float', [1 << 20, 1 << 20]]], outputs: [Y] }],
    [
      'Pad',
      { nodes: [node('Pad', ['x', 'p'], ['y'])], inputs: [X], outputs: [Y], initializers: [longs('p', [2 ** 40, 0])] },
    ],
  ])('beyond the device are refused before anything is allocated: %s', async (_, model) => {
    const engine = await testEngine();
    const peak = engine.counters.peakBytes;
    const began = performance.now();
    const error = await run(model, { x: [1, 2] }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'TilewrightError' });
    expect(['limit-exceeded', 'wrong-shape', 'unsupported-option', 'invalid-graph']).toContain(
      (error as { code: string }).code,
    );
    expect(engine.counters.peakBytes).toBe(peak);
    expect(performance.now() - began).toBeLessThan(5000);
  });

  it('of numbers that the host need not have are computed on the device', async () => {
    const range: ModelToEncode = {
      nodes: [node('Range', ['a', 'b', 'c'], ['y'])],
      outputs: [['y', 'int64']],
      initializers: [longs('a', [7], []), longs('b', [20_007], []), longs('c', [2], [])],
    };
    expect(await numbers(range)).toEqual(Array.from({ length: 10_000 }, (_, i) => BigInt(7 + 2 * i)));
    const eye: ModelToEncode = {
      nodes: [node('EyeLike', ['x'], ['y'], { k: 1 })],
      inputs: [['x', 'float', ['r', 'c']]],
      outputs: [Y],
    };
    const got = await numbers(eye, { x: { dims: [80, 70], data: new Float32Array(5600) } });
    expect(got).toEqual(Array.from({ length: 5600 }, (_, i) => Number((i % 70) - Math.floor(i / 70) === 1)));
  });
});

describe('64-bit integers on a device of 32 bits', () => {
  const binary = (op: string, type: 'int64' | 'uint64' = 'int64'): ModelToEncode => ({
    nodes: [node(op, ['a', 'b'], ['y'])],
    inputs: [
      ['a', type, ['n']],
      ['b', type, ['n']],
    ],
    outputs: [['y', type]],
  });
  // More than the host computes with: the device does.
  const many = (value: bigint) => ({ dims: [5000], data: BigInt64Array.from({ length: 5000 }, () => value) });

  it.each([
    ['Add', 2_000_000_000n, 100_000_000n, 2_100_000_000n],
    ['Sub', -2_000_000_000n, 100_000_000n, -2_100_000_000n],
    ['Mul', 46_000n, 46_000n, 2_116_000_000n],
  ])('%s gives what fits', async (op, a, b, expected) => {
    expect(new Set(await numbers(binary(op), { a: many(a), b: many(b) }))).toEqual(new Set([expected]));
  });

  it('what a cast from floats cannot hold is an error; what it can is not', async () => {
    const cast: ModelToEncode = {
      nodes: [node('Cast', ['x'], ['y'], { to: 7 })],
      inputs: [['x', 'float', ['n']]],
      outputs: [['y', 'int64']],
    };
    const floats = (value: number) => ({ x: { dims: [5000], data: new Float32Array(5000).fill(value) } });
    expect(new Set(await numbers(cast, floats(-2_000_000_000)))).toEqual(new Set([-2_000_000_000n]));
    await expectError(() => run(cast, floats(3e9)), 'unsupported-type', /^y: an integer is larger/);
  });

  it.each([
    ['Add', 2_000_000_000n, 200_000_000n],
    ['Sub', -2_000_000_000n, 200_000_000n],
    ['Mul', 47_000n, 47_000n],
    ['Mul', -2_000_000_000n, 3n],
    ['Pow', 3n, 21n],
  ])('%s of %s and %s is an error that names the node', async (op, a, b) => {
    await expectError(
      () => run(binary(op), { a: many(a), b: many(b) }),
      'unsupported-type',
      /^y: an integer is larger/,
    );
  });
});

describe('numbers of a file', () => {
  it('are refused by name where float32 is too small for a double, few or many', async () => {
    for (const count of [2, 5000]) {
      const raw = new Uint8Array(Float64Array.from({ length: count }, (_, i) => (i === 1 ? -1e39 : i)).buffer);
      const model: ModelToEncode = {
        nodes: [node('Add', ['x', 'wide'], ['y'])],
        inputs: [['x', 'double', [1]]],
        outputs: [['y', 'double']],
        initializers: [{ name: 'wide', type: 'double', dims: [count], raw }],
      };
      await expectError(() => run(model, { x: [1] }), 'unsupported-type', /wide: the F64 value -1e\+39 does not fit/);
    }
  });

  it('are refused where two initialisers have one name, inside a graph of a node too', async () => {
    const initializers = [floats('w', [2], [1, 2]), floats('w', [2], [3, 4])];
    const add = node('Add', ['x', 'w'], ['y']);
    const two: ModelToEncode = { nodes: [add], inputs: [X], outputs: [Y], initializers };
    await expectError(() => run(two, { x: [1, 2] }), 'invalid-graph', /two initialisers 'w'/);
    const branch: GraphToEncode = { nodes: [add], outputs: [Y], initializers };
    const inner: ModelToEncode = {
      nodes: [node('If', ['yes'], ['y'], { then_branch: { graph: branch }, else_branch: { graph: branch } })],
      inputs: [X],
      outputs: [Y],
      initializers: [{ name: 'yes', type: 'bool', dims: [], field: 'int32', values: [1] }],
    };
    await expectError(() => run(inner, { x: [1, 2] }), 'invalid-graph', /two initialisers 'w'/);
  });
});
