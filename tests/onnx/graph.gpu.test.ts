import { describe, expect, it } from 'vitest';
import type { GraphTensor } from '../../src/onnx/run-tensors.ts';
import { expectError } from '../formats/files.ts';
import { numbers, relu, run, withModel, X, Y } from '../support/graph-model.ts';
import { floats, type GraphToEncode, longs, type ModelToEncode, type NodeToEncode, node } from '../support/onnx.ts';

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
