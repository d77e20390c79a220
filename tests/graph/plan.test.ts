import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../src/graph/builder.ts';
import type { Operand } from '../../src/graph/ir.ts';
import { optimise } from '../../src/graph/passes/index.ts';
import { formatPlan, type Plan, plan } from '../../src/graph/plan.ts';
import { byteLength } from '../../src/tensor/types.ts';
import { capsOf } from '../support/caps.ts';
import { MATRICES } from '../support/matrices.ts';

const caps = capsOf();
const float = (...shape: number[]) => ({ dataType: 'float32' as const, shape });

it('a plan prints what runs, from where to where, and the memory', () => {
  const b = new GraphBuilder();
  const constant = (...shape: number[]) =>
    b.constant(float(...shape), new Float32Array(shape.reduce((x, y) => x * y, 1)));
  const image = b.input('image', float(1, 8, 8, 8));
  const x = b.relu(b.conv2d(image, constant(16, 8, 3, 3), { bias: constant(16), label: 'conv1' }));
  const y = b.reshape(b.averagePool2d(x, { label: 'pool' }), [1, 16]);
  const logits = b.add(b.matmul(y, constant(10, 16), { transposeB: true, label: 'fc' }), constant(10));
  expect(formatPlan(plan(optimise(b.outputs({ logits })), caps))).toMatchInlineSnapshot(`
    "  0  transpose[b32]    input=input image -> m1 float32[1,8,8,8]  grid 2×1×1
      1  conv2d_registers[f32,bias_relu,4x4]  conv1  input=m1 filter=const conv1 bias=const -> m0 float32[1,6,6,16]  grid 1×2×1
      2  averagePool2d[f32]  pool  input=m0 -> m1 float32[1,1,1,16]  grid 1×1×1
      3  matmul_gemv[f32,nk,ragged,bias,1x16_serial]  fc  a=m1 b=const bias=const -> m0 float32[1,10]  grid 1×1×1
    4 dispatches of 4 pipelines; 4 intermediates in 2 buffers, 0.00 MB
    4 constants, 0.01 MB, made by 1 dispatches of 1 pipelines at load
    0 states, 0.00 MB"
  `);
});

it('takes no experimental kernel by itself', () => {
  const half = (...shape: number[]) => ({ dataType: 'float16' as const, shape });
  const b = new GraphBuilder();
  const y = b.matmul(b.input('x', half(64, 64)), b.input('w', half(64, 64)));
  const gpu = capsOf({ software: false, f16: true, subgroups: true, subgroupMatrices: MATRICES });
  const [step] = plan(b.outputs({ y }), gpu).steps;
  expect(step!.candidates[0]!.experimental).toBe('matmul_matrix[f16]');
  expect(step!.candidate.label).toBe(step!.candidates.find(({ experimental }) => experimental === undefined)!.label);
});

const opsOf = ({ steps }: Plan): string[] => steps.map(({ node }) => node.op);
const planned = (b: GraphBuilder, outputs: Readonly<Record<string, Operand>>): Plan =>
  plan(optimise(b.outputs(outputs), {}, caps), caps);

/** A graph in each order of its outputs. */
function eachOrder(build: (b: GraphBuilder) => Readonly<Record<string, Operand>>, check: (run: () => Plan) => void) {
  for (const order of [1, -1])
    check(() => {
      const b = new GraphBuilder();
      return planned(b, Object.fromEntries(Object.entries(build(b)).sort(([x], [y]) => order * x.localeCompare(y))));
    });
}

describe('bug F2: what reads a state runs before what writes onto it', () => {
  const state = (b: GraphBuilder, name = 's'): Operand => b.state(name, float(4, 2));
  const row = { dataType: 'uint32' as const, shape: [1] };
  const written = (b: GraphBuilder, onto: Operand, label = 'write'): Operand =>
    b.scatterRows(onto, b.constant(float(1, 2), new Float32Array(2)), b.constant(row, new Uint32Array(1)), { label });
  const refused = (build: (b: GraphBuilder) => Readonly<Record<string, Operand>>, ...words: string[]): void =>
    eachOrder(build, (run) => {
      expect(run).toThrow(
        expect.objectContaining({ code: 'invalid-graph', message: expect.stringMatching(words.join('.*')) }),
      );
    });

  it('whatever the order of the outputs', () => {
    eachOrder(
      (b) => ({ y: b.relu(state(b)), z: written(b, state(b)) }),
      (run) => expect(opsOf(run())).toEqual(['relu', 'scatterRows']),
    );
  });

  it('also through another shape of it', () => {
    eachOrder(
      (b) => ({ y: b.relu(b.reshape(state(b), [8])), z: written(b, b.reshape(state(b), [4, 2])) }),
      (run) => expect(opsOf(run())).toEqual(['relu', 'scatterRows']),
    );
  });

  it('with each of several writers, one on the result of the other', () => {
    eachOrder(
      (b) => {
        const first = written(b, state(b));
        return { x: b.neg(first), y: written(b, first), z: b.relu(state(b)) };
      },
      (run) => expect(opsOf(run())).toEqual(['relu', 'scatterRows', 'neg', 'scatterRows']),
    );
  });

  it('a copy is what it was, even as an output', () => {
    eachOrder(
      (b) => ({ y: b.identity(state(b)), z: written(b, state(b)) }),
      (run) => expect(opsOf(run())).toEqual(['identity', 'scatterRows']),
    );
  });

  it('what reads it before and after needs a copy', () => {
    const sum = (b: GraphBuilder, before: Operand) => {
      const after = written(b, state(b));
      return { y: b.add(before, after, { label: 'sum' }), z: after };
    };
    refused((b) => sum(b, state(b)), 'sum', 'write');
    eachOrder(
      (b) => sum(b, b.identity(state(b))),
      (run) => expect(opsOf(run())).toEqual(['identity', 'scatterRows', 'add']),
    );
  });

  it('two that wait for each other are refused', () => {
    refused((b) => {
      const [x, y] = [written(b, state(b)), written(b, state(b, 't'))];
      return { x, y, z: b.add(state(b), y), w: b.add(state(b, 't'), x) };
    }, 'reads a state');
  });

  it('a writer that reads what it writes onto is refused', () => {
    const positions = { dataType: 'uint32' as const, shape: [4] };
    refused(
      (b) => ({ y: b.scatterRows(state(b), state(b), b.constant(positions, new Uint32Array(4)), { label: 'write' }) }),
      'write',
    );
  });

  it('a second writer is refused, which does not know of the first', () => {
    refused((b) => ({ y: written(b, state(b), 'one'), z: written(b, state(b), 'two') }), 'write onto the same state');
  });

  it('an output that is the state as it was is refused', () => {
    refused((b) => ({ y: state(b), z: written(b, state(b)) }), 'output y', 'write');
    refused((b) => ({ y: b.reshape(state(b), [8]), z: written(b, state(b)) }), 'output y', 'write');
  });

  it('nothing but a state is written onto', () => {
    refused((b) => ({ y: written(b, b.input('x', float(4, 2))) }), 'write', 'input');
    refused((b) => ({ y: written(b, b.relu(state(b))) }), 'write', 'relu');
  });
});

describe('bug F5: concat is one node', () => {
  const inputs = (b: GraphBuilder, count: number, ...shape: number[]) =>
    Array.from({ length: count }, (_, i) => b.input(`x${i}`, float(...shape)));

  it.each([
    [40, [1, 64], 0],
    [25, [3, 5, 2], 1],
  ])('of %d tensors %j: a dispatch each, each byte read and written once', (count, shape, axis) => {
    const b = new GraphBuilder();
    const { steps, slotBytes } = planned(b, { y: b.concat(inputs(b, count, ...shape), axis) });
    expect(steps).toHaveLength(count);
    expect(new Set(steps.map(({ node }) => node)).size).toBe(1);
    const bytes = count * byteLength(float(...shape));
    expect(steps.reduce((sum, { cost }) => sum + cost.bytes, 0)).toBeCloseTo(2 * bytes, 3);
    expect(slotBytes).toEqual([Math.ceil(bytes / 16) * 16]);
  });
});

describe('bug F7: what has no elements takes no dispatch', () => {
  let made = 0;
  const nothing = (b: GraphBuilder, ...shape: number[]): Operand => b.input(`nothing${made++}`, float(...shape));
  const whole = (b: GraphBuilder): Operand => b.input('x', float(2, 3));

  it.each<[string, (b: GraphBuilder) => Operand, readonly string[]]>([
    ['elementwise', (b) => b.add(nothing(b, 0, 3), nothing(b, 1, 3)), []],
    ['slices of nothing', (b) => b.relu(b.slice(whole(b), [1, 0], [0, 3])), []],
    ['concat of one that has some', (b) => b.concat([nothing(b, 0, 3), whole(b), nothing(b, 0, 3)], 0), []],
    ['concat of none that has', (b) => b.concat([nothing(b, 0, 3), b.relu(nothing(b, 0, 3))], 0), []],
    ['a product without rows', (b) => b.matmul(nothing(b, 0, 2), whole(b)), []],
    ['a product without depth, made at load', (b) => b.matmul(nothing(b, 2, 0), nothing(b, 0, 3)), []],
    ['sums of nothing, made at load', (b) => b.reduceSum(nothing(b, 4, 0), { axes: [1] }), []],
    [
      'a batch of none',
      (b) => b.conv2d(nothing(b, 0, 3, 4, 4), b.constant(float(2, 3, 3, 3), new Float32Array(54))),
      [],
    ],
    ['padding of nothing', (b) => b.pad(b.relu(nothing(b, 0, 3)), [1, 0], [0, 0]), ['pad']],
  ])('%s', (_, build, expected) => {
    const b = new GraphBuilder();
    const { steps, slots } = planned(b, { y: build(b) });
    expect(steps.map(({ node }) => node.op)).toEqual(expected);
    // Whatever a step reads has memory, or is there from without.
    for (const { reads } of steps)
      for (const read of Object.values(reads))
        expect(slots.has(read) || read.op === 'input' || read.constant).toBe(true);
  });

  it.each<[string, (b: GraphBuilder) => Operand]>([
    ['a convolution without channels', (b) => b.conv2d(nothing(b, 1, 0, 4, 4), nothing(b, 2, 0, 3, 3))],
    ['a mean of no pixels', (b) => b.averagePool2d(nothing(b, 1, 2, 0, 4))],
    [
      'rows of a table without rows',
      (b) => b.gather(nothing(b, 0, 3), b.input('i', { dataType: 'int32', shape: [2] })),
    ],
  ])('%s is refused', (_, build) => {
    const b = new GraphBuilder();
    expect(() => planned(b, { y: build(b) })).toThrow(
      expect.objectContaining({ code: 'invalid-graph', message: expect.stringMatching(/no kernel for .*\b0\b/) }),
    );
  });

  it('refuses where it is built what has no meaning: the largest of nothing, its edge', () => {
    const b = new GraphBuilder();
    expect(() => b.argMax(nothing(b, 2, 0), 1)).toThrow(/axis 1 of \[2,0\] has no elements/);
    expect(() => b.pad(nothing(b, 0, 3), [1, 0], [0, 0], { mode: 'edge' })).toThrow(/edge reaches 0 elements/);
    expect(() => b.split(nothing(b, 0, 3), [], { axis: 0 })).toThrow(/does not divide/);
  });
});
