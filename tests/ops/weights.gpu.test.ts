import { expect, it } from 'vitest';
import { buildSession } from '../../src/build/build.ts';
import { leaf, operand } from '../../src/graph/ir.ts';
import { plan } from '../../src/graph/plan.ts';
import { packInt4 } from '../../src/tensor/int4.ts';
import type { TensorData } from '../../src/tensor/types.ts';
import { testEngine } from '../support/engine.ts';

const COUNT = 256;
const SIDE = 16;
const every = (range: number): number[] => Array.from({ length: COUNT }, (_, i) => (i % range) - range / 2);
const cases: readonly [dataType: 'int8' | 'int4x8', numbers: number[], data: TensorData][] = [
  ['int8', every(256), Int8Array.from(every(256))],
  ['int4x8', every(16), packInt4(every(16))],
];

for (const [dataType, numbers, data] of cases)
  it(`every ${dataType} times 1 with the scale 1 is itself, in every matrix-vector product`, async () => {
    const { gpu } = await testEngine();
    const shape = [SIDE, SIDE];
    const a = leaf('input', { dataType: 'float32', shape }, { name: 'a' });
    const b = leaf('constant', { dataType, shape }, { data });
    const scales = leaf('constant', { dataType: 'float32', shape: [SIDE] }, { data: new Float32Array(SIDE).fill(1) });
    const graph = { outputs: { c: operand('matmul', { a, b, scales }, {}) } };
    const labels = plan(graph, gpu.caps).steps.flatMap(({ candidates }) => candidates.map(({ label }) => label));
    const products = labels.filter((label) => label.includes('gemv'));
    expect(products.some((label) => label.endsWith('wide]'))).toBe(true);
    for (const wanted of products) {
      using session = await buildSession(gpu, graph, {
        choose: (candidates) => candidates.find(({ label }) => label === wanted)!,
      });
      const unit = Float32Array.from({ length: COUNT }, (_, i) => (i % (SIDE + 1) ? 0 : 1));
      const { c } = await session.run({ a: unit });
      expect([...c!], wanted).toEqual(numbers);
    }
  });
