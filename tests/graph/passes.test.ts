import { describe, expect, it } from 'vitest';
import type { Caps } from '../../src/gpu/gpu.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { type Graph, leaf, type Operand, operand, topological } from '../../src/graph/ir.ts';
import { wasHalf } from '../../src/graph/passes/float16_fallback.ts';
import { optimise, type PassOptions } from '../../src/graph/passes/index.ts';
import { plan } from '../../src/graph/plan.ts';
import type { Conv2dOptions } from '../../src/ops/conv2d.ts';
import { defineOp, FLOAT, type Rewriter } from '../../src/ops/define.ts';
import { addOps } from '../../src/ops/index.ts';
import { elementCount } from '../../src/tensor/types.ts';
import { capsOf } from '../support/caps.ts';

const b = new GraphBuilder();
const float = (shape: number[]) => ({ dataType: 'float32' as const, shape });
const constant = (...shape: number[]): Operand =>
  b.constant(float(shape), new Float32Array(elementCount(shape)).fill(0.5));
const input = (...shape: number[]): Operand => new GraphBuilder().input('x', float(shape));

/** The ops that run every time, in order: constants and what hangs on them alone are computed at load. */
function running(graph: Graph): Operand[] {
  const dynamic = new Set<Operand>();
  for (const node of topological(graph)) {
    if (node.op === 'input' || node.op === 'state' || Object.values(node.inputs).some((x) => dynamic.has(x)))
      dynamic.add(node);
  }
  return [...dynamic].filter(({ op }) => op !== 'input' && op !== 'state');
}

const ops = (output: Operand, options: PassOptions = {}): string[] =>
  running(optimise(b.outputs({ y: output }), options)).map(({ op }) => op);
const last = (output: Operand): Operand => optimise(b.outputs({ y: output })).outputs['y']!;

const normalized = (x: Operand, channels: number): Operand =>
  b.batchNormalization(x, constant(channels), constant(channels), {
    scale: constant(channels),
    bias: constant(channels),
  });

describe('passes', () => {
  it('fold: batch normalisation goes into the convolution before it', () => {
    const x = normalized(b.conv2d(input(1, 8, 4, 4), constant(8, 8, 3, 3)), 8);
    expect(ops(x)).toEqual(['transpose', 'conv2d', 'transpose']);
    expect(ops(x, { without: ['fold'] }).filter((op) => op === 'sub' || op === 'mul')).toHaveLength(2);
  });

  it('fold: not where another operand uses the convolution', () => {
    const convolution = b.conv2d(input(1, 8, 4, 4), constant(8, 8, 3, 3));
    expect(ops(b.add(normalized(convolution, 8), convolution))).toContain('sub');
  });

  it('fold: numbers, one or one a channel, go into the filter and the bias before them, whatever the order', () => {
    const scaled = b.add(constant(8, 1, 1), b.mul(constant(), b.conv2d(input(1, 8, 4, 4), constant(8, 8, 3, 3))));
    expect(ops(b.div(b.sub(scaled, constant(1)), constant(1)))).toEqual(['transpose', 'conv2d', 'transpose']);
    const up = b.convTranspose2d(input(1, 8, 4, 4), constant(8, 4, 3, 3));
    expect(ops(b.add(b.mul(up, constant(4, 1, 1)), constant(1)))).toEqual([
      'transpose',
      'convTranspose2d',
      'transpose',
    ]);
  });

  it('fold: not where numbers differ from pixel to pixel, nor what is over or less the convolution', () => {
    const convolution = () => b.conv2d(input(1, 4, 4, 4), constant(4, 4, 1, 1));
    expect(ops(b.mul(convolution(), constant(4)))).toContain('mul');
    expect(ops(b.mul(convolution(), constant(1, 4, 4)))).toContain('mul');
    expect(ops(b.div(constant(), convolution()))).toContain('div');
    expect(ops(b.sub(constant(), convolution()))).toContain('sub');
  });

  it('decompose: gemm is matmul, bias and factors', () => {
    const y = b.gemm(input(2, 3), constant(4, 3), { bTranspose: true, c: constant(4), alpha: 2 });
    expect(ops(y)).toEqual(['linear', 'matmul']);
    expect(last(y).inputs).toHaveProperty('bias');
  });

  it('layout: between two convolutions no transpose is left', () => {
    const first = b.relu(b.conv2d(input(1, 4, 8, 8), constant(8, 4, 3, 3)));
    const y = b.maxPool2d(b.conv2d(first, constant(8, 8, 3, 3)), { windowDimensions: [2, 2] });
    expect(ops(y)).toEqual(['transpose', 'conv2d', 'conv2d', 'maxPool2d', 'transpose']);
  });

  it('layout: an image is made larger where it lies', () => {
    const first = b.relu(b.conv2d(input(1, 4, 8, 8), constant(8, 4, 3, 3)));
    const y = b.conv2d(b.resample2d(first, { mode: 'linear', scales: [2, 3] }), constant(4, 8, 3, 3));
    expect(ops(y)).toEqual(['transpose', 'conv2d', 'resample', 'conv2d', 'transpose']);
    const resampled = running(optimise(b.outputs({ y })))[2]!;
    expect(resampled.shape).toEqual([1, 12, 18, 8]);
  });

  it('layout: between a convolution and a pool of volumes no transpose is left', () => {
    const y = b.maxPool3d(b.relu(b.conv3d(input(1, 4, 6, 8, 8), constant(8, 4, 1, 3, 3))));
    const moving = ops(y).filter((op) => op !== 'reshape');
    expect(moving).toEqual(['transpose', 'conv2d', 'maxPool2d', 'maxPool2d']);
  });

  it('layout: channels come in whole vec4, and pooling to one pixel ends as a reshape', () => {
    const y = b.reshape(b.averagePool2d(b.conv2d(input(2, 3, 8, 8), constant(8, 3, 3, 3))), [2, 8]);
    expect(ops(y)).toEqual(['transpose', 'pad', 'conv2d', 'averagePool2d', 'reshape', 'reshape']);
  });

  it('layout: a gate of one number a channel leaves no transpose', () => {
    const x = b.conv2d(input(1, 8, 4, 4), constant(8, 8, 3, 3));
    const squeezed = b.conv2d(b.reduceMean(x, { axes: [2, 3], keepDimensions: true }), constant(8, 8, 1, 1));
    const y = b.conv2d(b.mul(x, b.sigmoid(squeezed)), constant(8, 8, 1, 1));
    const moving = ops(y).filter((op) => op !== 'reshape');
    expect(moving).toEqual(['transpose', 'conv2d', 'reduceMean', 'conv2d', 'mul', 'conv2d', 'transpose']);
  });

  it('layout: a transposed convolution whose pixels lie apart is a product, with its activation', () => {
    const up = b.convTranspose2d(input(1, 8, 4, 4), constant(8, 4, 2, 2), { strides: [2, 2], bias: constant(4) });
    const y = b.sigmoid(up);
    expect(ops(y).filter((op) => op !== 'reshape')).toEqual(['transpose', 'conv2d', 'transpose', 'transpose']);
    expect(last(y).shape).toEqual(y.shape);
    expect(ops(b.convTranspose2d(input(1, 8, 4, 4), constant(8, 4, 3, 3), { strides: [2, 2] }))).toContain(
      'convTranspose2d',
    );
  });

  it('layout: a thin image takes its border along with the empty channels', () => {
    const y = b.conv2d(input(1, 3, 9, 9), constant(8, 3, 3, 3), { padding: [1, 2, 3, 4] });
    const [, pad, convolution] = running(optimise(b.outputs({ y })));
    expect(pad!.shape).toEqual([1, 12, 16, 4]);
    expect(convolution!.options).not.toHaveProperty('padding');
    expect(last(y).shape).toEqual(y.shape);
  });

  it('layout: keeps the shape of every output', () => {
    for (const y of [
      b.softmax(b.conv2d(input(1, 4, 5, 6), constant(8, 4, 3, 3)), 1),
      b.reduceMean(b.relu(b.conv2d(input(1, 4, 5, 6), constant(8, 4, 1, 1))), { axes: [2, 3] }),
    ]) {
      expect(last(y).shape).toEqual(y.shape);
    }
  });

  it('fuse: bias, residual and activation end the matmul, in this order', () => {
    const x = input(2, 4);
    const y = last(b.relu(b.add(b.add(b.matmul(x, constant(4, 4)), constant(4)), x)));
    expect(y.op).toBe('matmul');
    expect(Object.keys(y.inputs).sort()).toEqual(['a', 'b', 'bias', 'residual']);
    expect(y.options).toMatchObject({ activation: { name: 'relu' } });
    const late = b.add(b.add(x, b.matmul(x, constant(4, 4))), constant(4));
    expect(last(late).inputs).toEqual({
      ...y.inputs,
      a: expect.anything(),
      b: expect.anything(),
      bias: late.inputs['b'],
    });
    expect(ops(b.add(late, constant(4)))).toEqual(['matmul', 'add']);
  });

  it('fuse: numbers end a product behind its activation, also where a reshape or a transpose lies between', () => {
    const x = b.relu(b.matmul(input(2, 4), constant(4, 4)));
    const y = last(b.sub(b.div(b.add(b.mul(constant(), x), constant(1, 1)), constant(1)), constant()));
    expect(y.op).toBe('matmul');
    expect(y.inputs['affine']!.shape).toEqual([2]);
    const moved = b.reshape(b.transpose(b.matmul(input(2, 4), constant(4, 4))), [8]);
    expect(ops(b.mul(b.relu(moved), constant()))).toEqual(['matmul', 'transpose', 'reshape']);
    expect(ops(b.relu(b.mul(b.matmul(input(2, 4), constant(4, 4)), constant())))).toEqual(['matmul', 'relu']);
    expect(ops(b.div(constant(), b.matmul(input(2, 4), constant(4, 4))))).toEqual(['matmul', 'div']);
  });

  it('fuse: nothing goes in behind an activation, nor what has two users', () => {
    const x = input(2, 4);
    expect(ops(b.add(b.relu(b.matmul(x, constant(4, 4))), x))).toEqual(['matmul', 'add']);
    const product = b.matmul(x, constant(4, 4));
    expect(ops(b.mul(b.relu(product), product))).toEqual(['matmul', 'relu', 'mul']);
    expect(ops(b.relu(b.matmul(x, constant(4, 4))), { without: ['fuse'] })).toEqual(['matmul', 'relu']);
  });

  it('winograd: 3×3 convolutions at stride 1 that are wanted, with all that was fused', () => {
    const wanted: PassOptions = { winograd: () => true };
    const convolved = (channels: number, kernel: number, options: Conv2dOptions = {}): Operand =>
      b.relu(
        b.conv2d(input(2, channels, 6, 6), constant(8, channels, kernel, kernel), { ...options, bias: constant(8) }),
      );
    const three = ['winogradInput', 'matmul', 'winogradOutput'];
    expect(ops(convolved(8, 3), wanted)).toEqual(['transpose', ...three, 'transpose']);
    expect(ops(convolved(3, 3), wanted)).toEqual(['transpose', 'pad', ...three, 'transpose']);
    const direct = ['transpose', 'conv2d', 'transpose'];
    expect(ops(convolved(8, 3), { ...wanted, without: ['winograd'] })).toEqual(direct);
    expect(ops(convolved(8, 3), { ...wanted, weights: 'int8' })).toEqual(direct);
    expect(ops(convolved(8, 3), { winograd: () => false })).toEqual(direct);
    expect(ops(convolved(8, 1), wanted)).toEqual(direct);
    expect(ops(convolved(8, 3, { strides: [2, 1] }), wanted)).toEqual(direct);
    expect(ops(convolved(8, 3, { dilations: [1, 2] }), wanted)).toEqual(direct);
    const changing = b.conv2d(input(1, 8, 6, 6), b.input('w', float([8, 8, 3, 3])));
    expect(ops(changing, wanted)).toContain('conv2d');
  });

  const weightsOf = (output: Operand, options: PassOptions, name = 'b') => {
    const { inputs } = running(optimise(b.outputs({ y: output }), options)).find(({ inputs }) => inputs[name])!;
    return [inputs[name]!.dataType, inputs[name]!.shape, inputs['scales']?.shape];
  };
  const named = (name: string, ...shape: number[]): Operand =>
    leaf('constant', float(shape), { data: new Float32Array(elementCount(shape)) }, `${name}.weight`);

  it('quantize: constant weights become int8 with scales, a tied table once', () => {
    const table = constant(16, 8);
    const x = b.gather(table, b.input('ids', { dataType: 'uint32', shape: [3] }));
    const graph = b.outputs({ y: b.matmul(x, table, { transposeB: true }) });
    const [gathered, product] = running(optimise(graph, { weights: 'int8' }));
    expect(gathered!.inputs['input']).toBe(product!.inputs['b']);
    expect(product!.inputs['b']!.dataType).toBe('int8');
    expect(product!.inputs['scales']!.shape).toEqual([16]);
  });

  it('quantize: scales are one a channel, or one a group along the input where that divides it', () => {
    const kn = b.matmul(input(2, 96), constant(96, 8));
    expect(weightsOf(kn, { weights: 'int8' })).toEqual(['int8', [96, 8], [8]]);
    expect(weightsOf(kn, { weights: 'int8', groupSize: 32 })).toEqual(['int8', [96, 8], [3, 8]]);
    expect(weightsOf(kn, { weights: 'int8', groupSize: 64 })).toEqual(['int8', [96, 8], [8]]);
    expect(weightsOf(kn, { weights: 'int4' })).toEqual(['int4x8', [96, 8], [3, 8]]);
    const nk = b.gemm(input(2, 64), constant(12, 64), { bTranspose: true });
    expect(weightsOf(nk, { weights: 'int8', groupSize: 32 })).toEqual(['int8', [12, 64], [12, 2]]);
    expect(weightsOf(nk, { weights: 'int4', groupSize: 64 })).toEqual(['int4x8', [12, 64], [12]]);
    const odd = b.matmul(input(2, 33), constant(33, 5));
    expect(weightsOf(odd, { weights: 'int4' })).toEqual(['int8', [33, 5], [5]]);
    const convolution = b.conv2d(input(1, 64, 4, 4), constant(8, 64, 3, 3));
    expect(weightsOf(convolution, { weights: 'int8', groupSize: 32 }, 'filter')).toEqual([
      'int8',
      [3, 3, 64, 8],
      [2, 8],
    ]);
    expect(weightsOf(convolution, { weights: 'int4' }, 'filter')).toEqual(['int8', [3, 3, 64, 8], [8]]);
    const grouped = b.conv2d(input(1, 64, 4, 4), constant(64, 1, 3, 3), { groups: 64 });
    expect(weightsOf(grouped, { weights: 'int8', groupSize: 32 }, 'filter')).toEqual(['int8', [3, 3, 1, 64], [64]]);
  });

  it('quantize: folded, transposed and padded filters are int8 still; what runs is the same', () => {
    for (const [channels, out, kernel] of [
      [3, 8, 3],
      [8, 16, 1],
      [1, 1, 3],
    ] as const) {
      // prettier-ignore
      const x = normalized(b.conv2d(input(1, channels, 6, 6), constant(out, channels, kernel, kernel)), out);
      const options = { weights: 'int8' as const, winograd: () => false };
      expect(ops(x, options)).toEqual(ops(x, { winograd: () => false }));
      expect(weightsOf(x, options, 'filter')[0]).toBe('int8');
    }
  });

  it('quantize: a border of zeros goes before dequantizeLinear, another stays behind it', () => {
    const x = b.dequantizeLinear(b.input('x', { dataType: 'int8', shape: [2, 4] }), constant(1, 1));
    expect(ops(b.pad(x, [0, 1], [0, 1]))).toEqual(['pad', 'dequantizeLinear']);
    expect(ops(b.pad(x, [0, 1], [0, 1], { value: 3 }))).toEqual(['dequantizeLinear', 'pad']);
  });

  it('quantize: layers by name, the longest that fits; a name that is no layer is an error', () => {
    const x = b.matmul(b.matmul(input(2, 8), named('h.0.fc', 8, 8)), named('h.1.fc', 8, 8));
    const types = (weights: PassOptions['weights']): unknown[] =>
      running(optimise(b.outputs({ y: x }), { weights })).map(({ inputs }) => inputs['b']!.dataType);
    expect(types({ default: 'int8', 'h.1': 'float32' })).toEqual(['int8', 'float32']);
    expect(types({ default: 'float32', fc: 'int8', 'h.0.fc': 'float32' })).toEqual(['float32', 'int8']);
    expect(types({ default: 'float32', 'h.0': 'float16' })).toEqual(['float16', 'float32']);
    expect(() => types({ default: 'int8', head: 'float32' })).toThrow("there is no layer 'head'");
    expect(() => types('int3' as 'int4')).toThrow("there is no dtype 'int3'");
  });

  it('quantize: stored int8 is taken as it is, per tensor too; another zero point is computed with', () => {
    const int8 = (shape: number[], value: number): Operand =>
      b.constant({ dataType: 'int8', shape }, new Int8Array(elementCount(shape)).fill(value));
    const stored = b.dequantizeLinear(int8([8, 4], 3), constant(1, 4));
    expect(weightsOf(b.matmul(input(2, 8), stored), {})).toEqual(['int8', [8, 4], [4]]);
    const one = b.dequantizeLinear(int8([8, 4], 3), constant(1, 1), int8([1, 1], 0));
    expect(weightsOf(b.matmul(input(2, 8), one), {})).toEqual(['int8', [8, 4], [4]]);
    const moved = b.dequantizeLinear(int8([8, 4], 3), constant(1, 4), int8([1, 4], 2));
    expect(weightsOf(b.matmul(input(2, 8), moved), {})).toEqual(['float32', [8, 4], undefined]);
  });

  it('half: without shader-f16, float16 widens at the rim, and weights of it are read as they are', () => {
    const half = (...shape: number[]) => ({ dataType: 'float16' as const, shape });
    const bits = b.constant(half(8, 4), new Uint16Array(32));
    const y = b.relu(b.matmul(new GraphBuilder().input('x', half(2, 8)), bits));
    const graph = (output: Operand, f16: boolean): Graph => optimise(b.outputs({ y: output }), {}, { f16 } as Caps);
    const [widened, product, narrowed] = running(graph(y, false));
    expect([widened, product, narrowed].map((node) => `${node!.op} ${node!.dataType}`)).toEqual([
      'widen float32',
      'matmul float32',
      'narrow float16',
    ]);
    expect(product!.inputs['b']).toBe(bits);
    expect(running(graph(y, true)).map(({ op, dataType }) => `${op} ${dataType}`)).toEqual(['matmul float16']);
    const rounded = b.cast(b.cast(input(3), 'float16'), 'float32');
    expect(running(graph(rounded, false)).map(({ op }) => op)).toEqual(['narrow', 'widen']);
    const mixed = b.add(b.matmul(input(2, 8), constant(8, 4)), b.cast(b.input('h', half(4)), 'float32'));
    const plain = running(graph(mixed, false)).find(({ op }) => op === 'matmul');
    expect(plain!.inputs['b']!.dataType).toBe('float32');
  });
});

describe('shape inference', () => {
  const message = (work: () => unknown): string => {
    try {
      work();
    } catch (error) {
      return (error as Error).message;
    }
    return 'nothing was thrown';
  };

  it('names the numbers', () => {
    expect(message(() => b.conv2d(input(1, 3, 32, 32), constant(8, 4, 3, 3)))).toBe(
      'conv2d: input has 3 channels, filter expects 4 (input [1,3,32,32] nchw, filter [8,4,3,3] oihw, groups 1)',
    );
    expect(message(() => b.matmul(input(2, 3), constant(4, 5), { label: 'head' }))).toBe(
      'head: matmul: a has 3 columns, b has 4 rows (a [2,3], b [4,5])',
    );
    expect(message(() => b.add(input(2, 3), constant(4)))).toBe(
      'add: [2,3] and [4] do not broadcast: 3 against 4 in dimension 1',
    );
    expect(message(() => b.reshape(input(2, 3), [4]))).toBe('reshape: [2,3] has 6 elements, [4] 4');
    expect(message(() => b.logicalNot(input(1)))).toBe('logicalNot: input is float32, expected uint8');
    expect(message(() => operand('nothing', {}))).toBe("there is no op 'nothing'");
  });
});

/** Milliseconds. */
function timed(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

describe('bug F1: what a decomposition shares is made once', () => {
  /** x + x, and that `depth` times: 2^depth paths, `depth` nodes. `next` is the op that does the next part, where it is another. */
  const doubling = (name: string, next: string) =>
    defineOp<{ depth: number }>({
      name,
      operands: { input: FLOAT },
      options: ['depth'],
      infer: ({ input }) => input!,
      decompose({ input }, { depth }, { add }: Rewriter) {
        if (!depth) return input;
        let x = input!;
        if (next !== 'add') {
          const half = add(next, { input: x }, { depth: depth - 1 });
          return add('add', { a: half, b: half });
        }
        for (let i = 0; i < depth; i++) x = add('add', { a: x, b: x });
        return x;
      },
    });
  addOps({ doubled: doubling('doubled', 'add'), doubledByOthers: doubling('doubledByOthers', 'doubledByOthers') });

  it.each(['doubled', 'doubledByOthers'])('%s: 200 shared nodes are 200 nodes, at once', (name) => {
    const y = operand(name, { input: input(4) }, { depth: 200 });
    let found: string[] = [];
    expect(timed(() => (found = ops(y)))).toBeLessThan(2000);
    expect(found).toEqual(Array<string>(200).fill('add'));
  });

  it('a chain of ops that decompose, each of which reads the one before it twice', () => {
    let y = input(2, 3, 4);
    for (let i = 0; i < 24; i++) y = b.add(y, b.reduceLogSumExp(y, { axes: [0, 2], keepDimensions: true }));
    let found: string[] = [];
    expect(timed(() => (found = ops(y)))).toBeLessThan(2000);
    expect(found.filter((op) => op === 'reduceMax')).toHaveLength(24);
  });

  it('reduceLogSumExp over axes [0,2]: the maximum is taken once', () => {
    const y = b.reduceLogSumExp(input(2, 3, 4), { axes: [0, 2] });
    const { steps } = plan(optimise(b.outputs({ y })), capsOf());
    expect(steps.map(({ node }) => node.op)).toEqual([
      ...['transpose', 'reduceMax', 'clamp', 'sub', 'exp'],
      ...['transpose', 'reduceLogSum', 'add'],
    ]);
  });

  it('and is deep without harm', () => {
    let y = input(4);
    for (let i = 0; i < 5000; i++) y = b.add(y, y);
    expect(ops(y)).toHaveLength(5000);
  });
});

describe('bug F9: whether weights were float16 is asked of each node once', () => {
  /** 2^depth paths from the last sum to `x`. */
  function diamond(x: Operand, depth: number): Operand {
    let y = x;
    for (let i = 0; i < depth; i++) y = b.add(y, y);
    return y;
  }
  const half = (): Operand => {
    const input = b.constant({ dataType: 'float16', shape: [4, 4] }, new Uint16Array(16));
    return operand('widen', { input }, { from: 'float16', newShape: [4, 4] });
  };

  it.each([
    [true, half],
    [false, () => constant(4, 4)],
  ])('%s, behind 60 sums of a weight with itself', (expected, weight) => {
    const w = diamond(weight(), 60);
    expect(timed(() => expect(wasHalf(w)).toBe(expected))).toBeLessThan(1000);
    const y = b.matmul(input(2, 4), w);
    expect(timed(() => optimise(b.outputs({ y }), { weights: 'float16' }))).toBeLessThan(2000);
  });
});
