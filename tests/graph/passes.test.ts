import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { type Graph, type Operand, operand, topological } from '../../src/graph/ir.ts';
import { optimise, type PassOptions } from '../../src/graph/passes/index.ts';
import type { Conv2dOptions } from '../../src/ops/conv2d.ts';
import { elementCount } from '../../src/tensor/types.ts';

const b = new GraphBuilder();
const float = (shape: number[]) => ({ dataType: 'float32' as const, shape });
const constant = (...shape: number[]): Operand =>
  b.constant(float(shape), new Float32Array(elementCount(shape)).fill(0.5));
const input = (...shape: number[]): Operand => b.input('x', float(shape));

/** The ops that run every time, in order: constants and what hangs on them alone are computed at load. */
function running(graph: Graph): Operand[] {
  const dynamic = new Set<Operand>();
  for (const node of topological(graph)) {
    if (node.op === 'input' || node.op === 'state' || Object.values(node.inputs).some((x) => dynamic.has(x)))
      dynamic.add(node);
  }
  return [...dynamic].filter(({ op }) => op !== 'input' && op !== 'state');
}

const ops = (output: Operand, options?: PassOptions): string[] =>
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

  it('layout: channels come in whole vec4, and pooling to one pixel ends as a reshape', () => {
    const y = b.reshape(b.averagePool2d(b.conv2d(input(2, 3, 8, 8), constant(8, 3, 3, 3))), [2, 8]);
    expect(ops(y)).toEqual(['transpose', 'pad', 'conv2d', 'averagePool2d', 'reshape', 'reshape']);
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

  it('quantize: constant weights become int8 with scales, a tied table once', () => {
    const table = constant(16, 8);
    const x = b.gather(table, b.input('ids', { dataType: 'uint32', shape: [3] }));
    const graph = optimise(b.outputs({ y: b.matmul(x, table, { transposeB: true }) }), { weights: 'int8' });
    const [gathered, product] = running(graph);
    expect(gathered!.inputs['input']).toBe(product!.inputs['b']);
    expect(gathered!.inputs['scales']).toBe(product!.inputs['scales']);
    expect(product!.inputs['b']!.dataType).toBe('int8');
    expect(product!.inputs['scales']!.shape).toEqual([16, 1]);
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
    expect(message(() => b.logicalNot(input(1)))).toBe('logicalNot: input is float32, expected one of uint8');
    expect(message(() => operand('nothing', {}))).toBe("there is no op 'nothing'");
  });
});
