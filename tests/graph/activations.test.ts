import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { type Graph, leaf, type Operand, operand, topological } from '../../src/graph/ir.ts';
import { quantizeActivations } from '../../src/graph/passes/activations.ts';
import { optimise, type PassOptions } from '../../src/graph/passes/index.ts';
import { elementCount, type TensorDescriptor } from '../../src/tensor/types.ts';

const b = new GraphBuilder();
const float = (...shape: number[]) => ({ dataType: 'float32' as const, shape });
const input = (name: string, descriptor: TensorDescriptor): Operand => new GraphBuilder().input(name, descriptor);
const constant = (...shape: number[]): Operand =>
  b.constant(float(...shape), new Float32Array(elementCount(shape)).fill(0.5));
const bytes = (...shape: number[]): Operand =>
  leaf('constant', { dataType: 'int8', shape }, { data: new Int8Array(elementCount(shape)).fill(3) });

/** What runs every time, in order. */
function running(graph: Graph): string[] {
  return topological(graph)
    .filter((node) => !node.constant && node.op !== 'input')
    .map(({ op }) => op);
}

const always = { weights: 'int8', integer: () => true } as const;
const optimised = (y: Operand, options: PassOptions): Graph => {
  const all = { ...always, ...options };
  return optimise(b.outputs({ y }), all);
};

describe('int8 activations', () => {
  it('dynamic: rows are quantised by their own scales, once for the products that share them', () => {
    const x = input('x', float(5, 32));
    const y = b.add(b.relu(b.matmul(x, constant(32, 8))), b.relu(b.matmul(x, constant(8, 32), { transposeB: true })));
    const graph = optimised(y, { activations: 'dynamic' });
    const ops = running(graph);
    expect(ops.filter((op) => op === 'quantizeScales')).toHaveLength(1);
    expect(ops.filter((op) => op === 'matmulInteger')).toHaveLength(2);
    expect(ops).not.toContain('matmul');
    const product = topological(graph).find(({ op }) => op === 'matmulInteger')!;
    expect(product.inputs['aScale']!.shape).toEqual([5, 1]);
    expect(product.inputs['b']!.shape).toEqual([8, 32]);
    expect(product.options).toEqual({ activation: { name: 'relu' } });
  });

  it('static: the scale of a layer is a constant, and a convolution has its filters with the input channels last', () => {
    const x = input('x', float(1, 16, 6, 6));
    const y = b.conv2d(x, constant(8, 16, 3, 3), { padding: [1, 1, 1, 1], label: 'conv1' });
    const graph = optimised(y, { activations: 'static', calibration: { conv1: 0.25 } });
    expect(running(graph)).toEqual(['transpose', 'quantizeLinear', 'conv2dInteger', 'transpose']);
    const { filter, inputScale } = topological(graph).find(({ op }) => op === 'conv2dInteger')!.inputs;
    expect(filter!.shape).toEqual([8, 3, 3, 16]);
    expect(inputScale!.options).toEqual({ data: Float32Array.of(0.25) });
  });

  it('static: layers of one label have scales of their own', () => {
    const x = input('x', float(2, 32));
    const y = b.matmul(b.matmul(x, constant(32, 32), { label: 'fc' }), constant(32, 32), { label: 'fc' });
    const graph = optimised(y, { activations: 'static', calibration: { fc: 0.25, 'fc#2': 0.5 } });
    const scales = topological(graph).flatMap(({ op, inputs }) => (op === 'matmulInteger' ? inputs['aScale']! : []));
    expect(scales.map(({ options }) => [...(options as { data: Float32Array }).data])).toEqual([[0.25], [0.5]]);
    expect(() => optimised(y, { activations: 'static', calibration: { fc: 0.25 } })).toThrow("'fc#2'");
  });

  it('static: a layer without a scale is an error that names it', () => {
    const y = b.matmul(input('x', float(2, 16)), constant(16, 4), { label: 'fc' });
    expect(() => optimised(y, { activations: 'static', calibration: { other: 1 } })).toThrow(/'fc'/);
  });

  it('floats stay where activations are not asked for, not wanted, thin, or where weights are floats', () => {
    const x = input('x', float(2, 32));
    const y = b.matmul(x, constant(32, 4));
    for (const options of [
      {},
      { activations: 'dynamic', integer: () => false },
      { activations: 'dynamic', weights: 'float32' },
    ] as const)
      expect(running(optimised(y, options))).toEqual(['matmul']);
    const thin = b.matmul(input('x', float(2, 12)), constant(12, 4));
    expect(running(optimised(thin, { activations: 'dynamic' }))).toEqual(['matmul']);
  });

  it('a graph that quantises its activations itself needs no option: dequantizeLinear goes into the product', () => {
    const x = input('x', float(3, 32));
    const step = b.constant(float(1, 1), Float32Array.of(0.1));
    const zero = leaf('constant', { dataType: 'int8', shape: [1, 1] }, { data: Int8Array.of(0) });
    const one = leaf('constant', { dataType: 'int8', shape: [1, 1] }, { data: Int8Array.of(1) });
    const product = (zeroPoint?: Operand): Operand => {
      const a = b.dequantizeLinear(b.quantizeLinear(x, step, zeroPoint), step, zeroPoint);
      return operand('matmul', { a, b: bytes(8, 32), scales: constant(8) }, { transposeB: true });
    };
    const pass = quantizeActivations({ integer: () => true });
    const fused = (zeroPoint?: Operand): string[] => running(pass(b.outputs({ y: product(zeroPoint) })));
    expect(fused()).toEqual(['quantizeLinear', 'matmulInteger']);
    expect(fused(zero)).toEqual(['quantizeLinear', 'matmulInteger']);
    expect(fused(one)).toEqual(['quantizeLinear', 'dequantizeLinear', 'matmul']);
  });
});
