import { describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine.ts';
import { topological } from '../../src/graph/ir.ts';
import type { GraphModel } from '../../src/onnx/graph-model.ts';
import type { GraphInput, GraphTensor } from '../../src/onnx/run-tensors.ts';
import { expectError } from '../formats/files.ts';
import { testEngine } from '../support/engine.ts';
import {
  encodeModel,
  floats,
  type GraphToEncode,
  longs,
  type ModelToEncode,
  type NodeToEncode,
  node,
  type ValueToEncode,
} from '../support/onnx.ts';

const load = async (engine: Engine, model: ModelToEncode, options = {}): Promise<GraphModel> =>
  (await engine.load({ 'm.onnx': encodeModel(model) }, options)) as GraphModel;

/** Work with a model of its own. Nothing of it may stay on the device, however the work ends. */
async function withModel<T>(model: ModelToEncode, work: (model: GraphModel) => Promise<T>, options = {}): Promise<T> {
  const engine = await testEngine();
  const before = engine.counters.bytes;
  let made: GraphModel | undefined;
  try {
    made = await load(engine, model, options);
    return await work(made);
  } finally {
    made?.dispose();
    expect(engine.counters.bytes).toBe(before);
  }
}

const run = (model: ModelToEncode, inputs: Record<string, GraphInput> = {}, options = {}) =>
  withModel(model, (made) => made.run(inputs), options);

/** The numbers of the output y. */
async function numbers(model: ModelToEncode, inputs?: Record<string, GraphInput>, options = {}): Promise<unknown[]> {
  const { y } = await run(model, inputs, options);
  return Array.from((y as GraphTensor).data as ArrayLike<unknown>);
}

const X: ValueToEncode = ['x', 'float', [2]];
const Y: ValueToEncode = ['y', 'float'];
const relu: ModelToEncode = { nodes: [node('Relu', ['x'], ['y'])], inputs: [X], outputs: [Y] };

describe('inputs of a run', () => {
  it('are computed with', async () => {
    expect(await numbers(relu, { x: [-1, 2] })).toEqual([0, 2]);
  });

  it.each<[string, Record<string, never | GraphInput>, 'invalid-argument' | 'wrong-shape' | 'wrong-type', RegExp]>([
    ['a missing one', {}, 'invalid-argument', /'x' is missing: float\[2\]/],
    ['a misnamed one', { X: [1, 2] }, 'invalid-argument', /no input 'X' \(x\)/],
    ['one too many', { x: [1, 2], z: [1] }, 'invalid-argument', /no input 'z'/],
    ['the name of an output', { x: [1, 2], y: [1, 2] }, 'invalid-argument', /no input 'y'/],
    ['null', { x: null as never }, 'invalid-argument', /expected an array/],
    ['a text', { x: 'ab' as never }, 'invalid-argument', /expected an array/],
    ['texts', { x: ['a', 'b'] as never }, 'wrong-type', /element 0 is a, which is no float/],
    ['integers', { x: Int32Array.of(1, 2) }, 'wrong-type', /Float32Array for float, got Int32Array/],
    ['too many elements', { x: [1, 2, 3] }, 'wrong-shape', /\[2\] has 2 elements, the array 3/],
    ['other dimensions', { x: { dims: [1, 2], data: [1, 2] } }, 'wrong-shape', /expected \[2\], got \[1,2\]/],
    ['a negative dimension', { x: { dims: [-2], data: [1, 2] } }, 'invalid-argument', /dims/],
    ['dimensions that are none', { x: { dims: 2 as never, data: [1, 2] } }, 'invalid-argument', /dims/],
  ])('are refused: %s', async (_, inputs, code, message) => {
    await expectError(() => run(relu, inputs), code, message);
  });

  it('agree in the symbols of their dimensions', async () => {
    const model: ModelToEncode = {
      nodes: [node('Add', ['a', 'b'], ['y'])],
      inputs: [
        ['a', 'float', ['n', 2]],
        ['b', 'float', ['n', 1]],
      ],
      outputs: [Y],
    };
    expect(await numbers(model, { a: [1, 2, 3, 4], b: [10, 20] })).toEqual([11, 12, 23, 24]);
    await expectError(() => run(model, { a: [1, 2, 3, 4], b: [1, 2, 3] }), 'wrong-shape');
    await expectError(
      () => run(model, { a: [1, 2, 3, 4], b: { dims: [3, 1], data: [1, 2, 3] } }),
      'wrong-shape',
      /input b: dimension 0 is n, which is 2 already, got 3/,
    );
    await expectError(() => run(model, { a: [1, 2, 3], b: [1] }), 'wrong-shape', /input a/);
    await expectError(() => run(model, { a: [1, 2, 3, 4], b: [1, 2] }, { dims: { n: 3 } }), 'wrong-shape', /input a/);
    expect(await numbers(model, { a: [1, 2], b: [10] }, { dims: { n: 1 } })).toEqual([11, 12]);
  });

  it('of int64 fit 32 bits; from the file too', async () => {
    const model: ModelToEncode = {
      nodes: [node('Add', ['x', 'w'], ['y'])],
      inputs: [['x', 'int64', [2]]],
      outputs: [['y', 'int64']],
      initializers: [longs('w', [1, -1])],
    };
    expect(await numbers(model, { x: BigInt64Array.of(5n, -5n) })).toEqual([6n, -6n]);
    for (const value of [1n << 31n, -(1n << 31n) - 1n, 1n << 62n])
      await expectError(() => run(model, { x: [value, 0n] }), 'unsupported-type', new RegExp(`${value}`));
    await expectError(
      () => run({ ...model, initializers: [longs('w', [1n << 40n, 0n])] }, { x: [1, 2] }),
      'unsupported-type',
      /1099511627776/,
    );
  });

  it('may be left out where an initialiser is their default', async () => {
    const model: ModelToEncode = {
      nodes: [node('Mul', ['x', 'w'], ['y'])],
      inputs: [X, ['w', 'float', [2]]],
      outputs: [Y],
      initializers: [floats('w', [2], [10, 100])],
    };
    expect(await numbers(model, { x: [1, 2] })).toEqual([10, 200]);
    expect(await numbers(model, { x: [1, 2], w: [3, 4] })).toEqual([3, 8]);
    await expectError(() => run(model, { x: [1, 2], w: [3] }), 'wrong-shape');
  });
});

describe('a graph', () => {
  it('is refused with every op that is not known, in one message', async () => {
    const nodes = [
      node('Nope', ['x'], ['a']),
      node('Nope', ['a'], ['b']),
      node('Other@vendor', ['b'], ['c']),
      node('If', ['x'], ['y'], {
        then_branch: { graph: { nodes: [node('Inner', [], ['d'])], outputs: [['d', 'float']] } },
      }),
    ];
    await expectError(
      () => run({ nodes, inputs: [X], outputs: [Y] }),
      'unsupported-op',
      /ai\.onnx 20.*Nope \(2 times, first a\), vendor\.Other \(c\), Inner \(d\)/,
    );
  });

  it('is refused with an attribute that is not known, or of another kind', async () => {
    const withRelu = (attributes: NodeToEncode['attributes']): ModelToEncode => ({
      ...relu,
      nodes: [{ ...node('Relu', ['x'], ['y'], attributes), name: 'first' }],
    });
    await expectError(() => run(withRelu({ how: 1 }), { x: [1, 2] }), 'unsupported-option', /first \(Relu\).*how/);
    const transposed = (perm: never): ModelToEncode => ({
      ...relu,
      nodes: [node('Transpose', ['x'], ['y'], { perm })],
    });
    for (const perm of [1, 'a', { floats: [0] }, { float: 0 }, { tensor: longs('', [0]) }, { graph: {} }])
      await expectError(() => run(transposed(perm as never), { x: [1, 2] }), 'invalid-graph', /perm is no list/);
  });

  it.each<[string, ModelToEncode, RegExp]>([
    [
      'that goes in a circle',
      { ...relu, nodes: [node('Add', ['x', 'b'], ['a']), node('Relu', ['a'], ['b']), node('Relu', ['b'], ['y'])] },
      /depends on itself/,
    ],
    ['that reads its own output', { ...relu, nodes: [node('Add', ['x', 'y'], ['y'])] }, /'y'.*not computed before/],
    ['whose output nobody computes', { ...relu, nodes: [] }, /output 'y'.*not computed/],
    ['whose output has no name', { ...relu, outputs: [['', 'float']] }, /output ''.*not computed/],
    [
      'with a value that nobody computes',
      { ...relu, nodes: [node('Add', ['x', 'q'], ['y'])] },
      /input 'q' of y \(Add\)/,
    ],
    [
      'that computes a name twice',
      { ...relu, nodes: [node('Relu', ['x'], ['y']), node('Neg', ['x'], ['y'])] },
      /'y' is computed twice/,
    ],
    ['with a node without inputs', { ...relu, nodes: [node('Relu', [], ['y'])] }, /y \(Relu\).*input 0 is missing/],
    ['with a node whose input has no name', { ...relu, nodes: [node('Relu', [''], ['y'])] }, /input 0 is missing/],
    [
      'of shapes that do not fit',
      { ...relu, nodes: [node('MatMul', ['x', 'w'], ['y'])], initializers: [floats('w', [3, 1], [1, 2, 3])] },
      /y/,
    ],
    ['with a join of nothing', { ...relu, nodes: [node('Concat', [], ['y'], { axis: 0 })] }, /y \(Concat\)/],
  ])('is refused %s', async (_, model, message) => {
    const error = await run(model, { x: [1, 2] }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'TilewrightError', message: expect.stringMatching(message) });
    expect(['invalid-graph', 'wrong-shape']).toContain((error as { code: string }).code);
  });

  it('may have its nodes in any order, equal names and outputs that nobody reads', async () => {
    const nodes: NodeToEncode[] = [
      { ...node('Neg', ['b'], ['y']), name: 'same' },
      { ...node('Relu', ['a'], ['b']), name: 'same' },
      { ...node('Neg', ['x'], ['a']), name: 'same' },
      { ...node('Exp', ['a'], ['unread']), name: '' },
    ];
    expect(await numbers({ ...relu, nodes }, { x: [-1, 2] })).toEqual([-1, -0]);
  });

  it('may give an input, or what it knows, as it is; and one value under two names', async () => {
    const model: ModelToEncode = {
      nodes: [node('Shape', ['x'], ['s'])],
      inputs: [['x', 'float', ['n', 2]]],
      outputs: [
        ['x', 'float'],
        ['s', 'int64'],
        ['w', 'float'],
        ['s', 'int64'],
      ],
      initializers: [floats('w', [1], [7])],
    };
    const { x, s, w } = (await run(model, { x: [1, 2, 3, 4] })) as Record<string, GraphTensor>;
    expect(x).toEqual({ type: 'float', dims: [2, 2], data: Float32Array.of(1, 2, 3, 4) });
    expect(s!.data).toEqual(BigInt64Array.of(2n, 2n));
    expect(w!.data).toEqual(Float32Array.of(7));
  });

  const chain = (length: number, name = ''): NodeToEncode[] =>
    Array.from({ length }, (_, i) => ({
      ...node('Neg', [i ? `v${i}` : 'x'], [i + 1 === length ? 'y' : `v${i + 1}`]),
      name,
    }));

  it('may be a chain of 100,000 nodes of one name, in any order: known numbers take no stack', async () => {
    const nodes = chain(100_000, 'same').reverse();
    const known: ModelToEncode = { nodes, outputs: [['y', 'int64']], initializers: [longs('x', [1, -2])] };
    expect(await numbers(known)).toEqual([1n, -2n]);
  }, 30_000);
});

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

describe('functions', () => {
  const scale = {
    name: 'Scale',
    inputs: ['a'],
    outputs: ['b'],
    attributes: ['by'],
    defaults: { plus: { float: 1 } },
    nodes: [
      node('Constant', [], ['k'], { value_float: { ref: 'by' } }),
      node('Constant', [], ['c'], { value_float: { ref: 'plus' } }),
      node('Mul', ['a', 'k'], ['t']),
      node('Add', ['t', 'c'], ['b']),
    ],
  } as const;

  it('take attributes of their calls, and their defaults', async () => {
    const call = (attributes: NodeToEncode['attributes']): ModelToEncode => ({
      ...relu,
      nodes: [node('Scale@own', ['x'], ['y'], attributes)],
      functions: [scale],
    });
    expect(await numbers(call({ by: { float: 3 } }), { x: [1, 2] })).toEqual([4, 7]);
    expect(await numbers(call({ by: { float: 3 }, plus: { float: -1 } }), { x: [1, 2] })).toEqual([2, 5]);
  });

  it('that call themselves, or are too many together, are refused in seconds', async () => {
    const self = { name: 'F', inputs: ['a'], outputs: ['b'], nodes: [node('F@own', ['a'], ['b'])] };
    const twice = (i: number) => ({
      name: `F${i}`,
      inputs: ['a'],
      outputs: ['c'],
      nodes: i
        ? [node(`F${i - 1}@own`, ['a'], ['b']), node(`F${i - 1}@own`, ['b'], ['c'])]
        : [node('Neg', ['a'], ['c'])],
    });
    const known = { initializers: [longs('x', [1])], outputs: [['y', 'int64']] as const };
    const began = performance.now();
    await expectError(
      () => run({ ...known, nodes: [node('F@own', ['x'], ['y'])], functions: [self] }),
      'invalid-graph',
      /nested deeper than 100/,
    );
    const many = Array.from({ length: 40 }, (_, i) => twice(i));
    await expectError(
      () => run({ ...known, nodes: [node('F39@own', ['x'], ['y'])], functions: many }),
      'unsupported-option',
      /more than 500000 nodes/,
    );
    expect(performance.now() - began).toBeLessThan(20_000);
  }, 30_000);
});

describe('graphs inside nodes', () => {
  const branch = (op: string): { graph: GraphToEncode } => ({
    graph: { nodes: [node(op, ['x'], [`of ${op}`])], outputs: [[`of ${op}`, 'float']] },
  });
  const branches = { then_branch: branch('Neg'), else_branch: branch('Exp') };

  it('If takes the branch of a condition that is known, given, or computed', async () => {
    const known = (value: number): ModelToEncode => ({
      ...relu,
      nodes: [node('If', ['c'], ['y'], branches)],
      initializers: [{ name: 'c', type: 'bool', dims: [], raw: Uint8Array.of(value) }],
    });
    expect(await numbers(known(1), { x: [0, 2] })).toEqual([-0, -2]);
    expect(await numbers(known(0), { x: [0, 0] })).toEqual([1, 1]);
    const given: ModelToEncode = {
      ...relu,
      inputs: [X, ['c', 'bool', []]],
      nodes: [node('If', ['c'], ['y'], branches)],
    };
    const computed: ModelToEncode = {
      ...relu,
      nodes: [
        node('ReduceSum', ['x'], ['sum'], { keepdims: 0 }),
        node('Greater', ['sum', 'zero'], ['c']),
        node('If', ['c'], ['y'], branches),
      ],
      initializers: [floats('zero', [], [0])],
    };
    await withModel(given, async (model) => {
      for (const c of [true, false, true]) {
        const { y } = await model.run({ x: [0, 0], c: { dims: [], data: [c] } });
        expect(Array.from((y as GraphTensor).data as Float32Array)).toEqual(c ? [-0, -0] : [1, 1]);
      }
    });
    await withModel(computed, async (model) => {
      const of = async (x: number[]) => Array.from(((await model.run({ x }))['y'] as GraphTensor).data as Float32Array);
      expect(await of([1, 2])).toEqual([-1, -2]);
      expect(await of([0, 0])).toEqual([1, 1]);
    });
  });

  it('If is refused without one of its branches, and with no condition', async () => {
    const of = (attributes: NodeToEncode['attributes'], input = 'x'): ModelToEncode => ({
      ...relu,
      nodes: [node('If', [input], ['y'], attributes)],
    });
    await expectError(
      () => run(of({ then_branch: branch('Neg') }), { x: [1, 2] }),
      'invalid-graph',
      /else_branch is missing/,
    );
    await expectError(
      () => run(of({ ...branches, else_branch: 1 }), { x: [1, 2] }),
      'invalid-graph',
      /else_branch is no graph/,
    );
    await expectError(() => run(of(branches), { x: [1, 2] }), 'invalid-graph', /2 elements, expected one/);
  });

  const body: GraphToEncode = {
    nodes: [node('Add', ['was', 'x'], ['now']), node('Identity', ['go'], ['goes'])],
    inputs: [
      ['i', 'int64', []],
      ['go', 'bool', []],
      ['was', 'float', [2]],
    ],
    outputs: [
      ['goes', 'bool'],
      ['now', 'float'],
      ['now', 'float'],
    ],
  };
  const loop = (turns: number): ModelToEncode => ({
    ...relu,
    nodes: [node('Loop', ['turns', '', 'x'], ['y', 'all'], { body: { graph: body } })],
    outputs: [Y, ['all', 'float']],
    initializers: [longs('turns', [turns], [])],
  });

  it('Loop of a length that is known', async () => {
    const { y, all } = (await run(loop(3), { x: [1, 2] })) as Record<string, GraphTensor>;
    expect(Array.from(y!.data as Float32Array)).toEqual([4, 8]);
    expect(all).toEqual({ type: 'float', dims: [3, 2], data: Float32Array.of(2, 4, 3, 6, 4, 8) });
    await expectError(() => run(loop(2 ** 40), { x: [1, 2] }), 'unsupported-option', /more than 1024 turns/);
  });
});

describe('the end of a model', () => {
  it('during its load: nothing stays, the error is of the signal', async () => {
    const engine = await testEngine();
    const before = engine.counters.bytes;
    const big: ModelToEncode = {
      nodes: [node('Add', ['x', 'w'], ['y'])],
      inputs: [['x', 'float', [100_000]]],
      outputs: [Y],
      initializers: [floats('w', [100_000], Array.from({ length: 100_000 }, Math.sin))],
    };
    const ends: string[] = [];
    for (const turns of [0, 1, 3, 10, 30, 100]) {
      const controller = new AbortController();
      const loading = load(engine, big, { signal: controller.signal });
      const end = loading.then(
        (model) => {
          model.dispose();
          return 'loaded';
        },
        (error: { code: string }) => error.code,
      );
      for (let i = 0; i < turns; i++) await Promise.resolve();
      controller.abort();
      ends.push(await end);
      expect(engine.counters.bytes).toBe(before);
    }
    expect(ends[0]).toBe('aborted');
    expect(ends.every((end) => ['aborted', 'loaded'].includes(end))).toBe(true);
  });

  it('during a run, and after it', async () => {
    await withModel(relu, async (model) => {
      const running = model.run({ x: [1, 2] }).then(
        () => 'done',
        (error: { code: string }) => error.code,
      );
      model.dispose();
      expect(await running).toBe('disposed');
      await expectError(() => model.run({ x: [1, 2] }), 'disposed');
    });
  });

  it('a run ends at its signal, the model goes on', async () => {
    await withModel(relu, async (model) => {
      await expectError(() => model.run({ x: [1, 2] }, { signal: AbortSignal.abort() }), 'aborted');
      const controller = new AbortController();
      const running = model.run({ x: [1, 2] }, { signal: controller.signal });
      controller.abort();
      await expectError(() => running, 'aborted');
      const { y } = await model.run({ x: [-1, 2] });
      expect((y as GraphTensor).data).toEqual(Float32Array.of(0, 2));
    });
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

it("Resize by TensorFlow's transformation of opset 11 takes the elements that it names", async () => {
  const model: ModelToEncode = {
    opset: 11,
    nodes: [
      node('Resize', ['x', '', 'scales'], ['y'], {
        coordinate_transformation_mode: 'tf_half_pixel_for_nn',
        nearest_mode: 'floor',
      }),
    ],
    inputs: [['x', 'float', [1, 1, 1, 5]]],
    outputs: [Y],
    initializers: [floats('scales', [4], [1, 1, 1, 0.6])],
  };
  // floor((i + 0.5) / 0.6) for i of 0 to 2.
  expect(await numbers(model, { x: [10, 11, 12, 13, 14] })).toEqual([10, 12, 14]);
});

describe('feedback', () => {
  const [rows, wide] = [3000, 1000];
  const sums: ModelToEncode = {
    nodes: [node('Add', ['state', 'x'], ['next']), node('ReduceSum', ['next'], ['y'], { keepdims: 0 })],
    inputs: [
      ['x', 'float', []],
      ['state', 'float', [rows, wide]],
    ],
    outputs: [Y, ['next', 'float']],
  };

  it('begins with zeros, and again after a reset; they are made on the device', async () => {
    const engine = await testEngine();
    await withModel(
      sums,
      async (model) => {
        const step = async (): Promise<number> => {
          const { y } = await model.run({ x: [1] }, { outputs: ['y'] });
          return (y as GraphTensor).data[0] as number;
        };
        const before = engine.counters.bytesUploaded;
        expect([await step(), await step()]).toEqual([rows * wide, 2 * rows * wide]);
        model.reset();
        expect(await step()).toBe(rows * wide);
        expect(engine.counters.bytesUploaded - before).toBeLessThan(4 * rows * wide);
      },
      { feedback: { next: 'state' } },
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

describe('a product with lines of a single 1', () => {
  const table = floats('table', [3, 2], [1, 2, 3, 4, 5, 6]);
  const made: ModelToEncode = {
    nodes: [node('OneHot', ['x', 'depth', 'values'], ['hot']), node('MatMul', ['hot', 'table'], ['y'])],
    inputs: [['x', 'int64', [2, 3]]],
    outputs: [Y],
    initializers: [table, longs('depth', [3], []), floats('values', [2], [0, 1])],
  };
  const compared: ModelToEncode = {
    nodes: [
      node('Unsqueeze', ['x', 'last'], ['narrow']),
      node('Expand', ['narrow', 'shape'], ['wide']),
      node('Equal', ['wide', 'counted'], ['met']),
      node('Cast', ['met'], ['hot'], { to: 1 }),
      node('MatMul', ['hot', 'table'], ['y']),
    ],
    inputs: [['x', 'int32', [2, 3]]],
    outputs: [Y],
    initializers: [
      table,
      longs('last', [-1]),
      longs('shape', [2, 3, 3]),
      { name: 'counted', type: 'int32', dims: [1, 1, 3], field: 'int32', values: [0, 1, 2] },
    ],
  };

  it.each([
    ['OneHot, whose places count from the end too', made, [3, 4]],
    ['a comparison with the numbers from 0 on', compared, [0, 0]],
  ])('is rows of the matrix, and zeros where no place is met: %s', async (_, model, negative) => {
    await withModel(model, async (loaded) => {
      const { y } = await loaded.run({ x: [2, 0, 1, 3, -2, -4] });
      expect((y as GraphTensor).dims).toEqual([2, 3, 2]);
      expect([...(y as GraphTensor).data]).toEqual([5, 6, 1, 2, 3, 4, 0, 0, ...negative, 0, 0]);
      // Lines of the depth are never made: at a large batch they are more than a binding holds.
      const ops = Object.values(loaded.graphs()).flatMap((graph) => topological(graph).map(({ op }) => op));
      expect(ops).not.toContain('matmul');
    });
  });

  it('is not looked for where scalars are compared', async () => {
    const model: ModelToEncode = {
      nodes: [node('Equal', ['x', 'two'], ['y'])],
      inputs: [
        ['x', 'int32', []],
        ['two', 'int32', []],
      ],
      outputs: [['y', 'bool']],
    };
    expect(await numbers(model, { x: [2], two: [2] })).toEqual([1]);
  });

  it('is one of matrices where the numbers lie along another axis', async () => {
    const square: ModelToEncode = {
      nodes: [
        node('Equal', ['x', 'counted'], ['met']),
        node('Cast', ['met'], ['hot'], { to: 1 }),
        node('MatMul', ['hot', 'table'], ['y']),
      ],
      inputs: [['x', 'int32', [3, 1]]],
      outputs: [Y],
      initializers: [table, { name: 'counted', type: 'int32', dims: [3, 1, 1], field: 'int32', values: [0, 1, 2] }],
    };
    // [3, 3, 1] does not meet [3, 2].
    await expectError(() => run(square, { x: [0, 1, 2] }), 'wrong-shape');
  });
});

it("takes onnxruntime's own DequantizeLinear, as ONNX's", async () => {
  const model = (op: string): ModelToEncode => ({
    nodes: [node(op, ['q', 'scale'], ['w'], { axis: 1 }), node('MatMul', ['x', 'w'], ['y'])],
    inputs: [['x', 'float', [1, 2]]],
    outputs: [Y],
    initializers: [
      { name: 'q', type: 'int8', dims: [2, 2], raw: Uint8Array.of(1, 2, 253, 4) },
      floats('scale', [2], [0.5, 0.25]),
    ],
  });
  for (const op of ['DequantizeLinear', 'DequantizeLinear@com.microsoft'])
    expect(await numbers(model(op), { x: [2, 1] })).toEqual([2 * 0.5 - 3 * 0.5, 2 * 0.5 + 4 * 0.25]);
});
