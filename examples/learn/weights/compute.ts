import type { Engine } from '../../../src/index.ts';

/** A layer of `neurons` that read two inputs, for many pairs of inputs at once: y = x·W + b. */
export async function buildLayer(engine: Engine, pairs: number, neurons: number) {
  const b = engine.graph();
  const x = b.input('x', { dataType: 'float32', shape: [pairs, 2] });
  const weights = b.input('weights', { dataType: 'float32', shape: [2, neurons] });
  const bias = b.input('bias', { dataType: 'float32', shape: [neurons] });

  const y = b.add(b.matmul(x, weights), bias);

  const session = await engine.build(b.outputs({ y }));
  return async (inputs: { x: Float32Array; weights: number[]; bias: number[] }): Promise<Float32Array> => {
    const { y } = await session.run(inputs);
    return y as Float32Array; // [pairs, neurons]
  };
}
