import type { Engine, GraphBuilder, Operand } from '../../../src/index.ts';

/** The functions by name, as the builder has them. */
export const FUNCTIONS: Readonly<Record<string, (b: GraphBuilder, z: Operand) => Operand>> = {
  relu: (b, z) => b.relu(z),
  leakyRelu: (b, z) => b.leakyRelu(z, { alpha: 0.1 }),
  sigmoid: (b, z) => b.sigmoid(z),
  tanh: (b, z) => b.tanh(z),
  gelu: (b, z) => b.gelu(z),
  swish: (b, z) => b.swish(z),
  elu: (b, z) => b.elu(z),
  softplus: (b, z) => b.softplus(z),
  hardSwish: (b, z) => b.hardSwish(z),
};

/** A neuron of one input with its activation, for `points` inputs at once: y = f(w·x + b). */
export async function buildNeuron(engine: Engine, name: string, points: number) {
  await engine.loadOps('math');
  const b = engine.graph();
  const x = b.input('x', { dataType: 'float32', shape: [points] });
  const weight = b.input('weight', { dataType: 'float32', shape: [1] });
  const bias = b.input('bias', { dataType: 'float32', shape: [1] });

  const y = FUNCTIONS[name]!(b, b.add(b.mul(x, weight), bias));

  const session = await engine.build(b.outputs({ y }));
  return async (inputs: { x: Float32Array; weight: number[]; bias: number[] }): Promise<Float32Array> => {
    const { y } = await session.run(inputs);
    return y as Float32Array; // [points]
  };
}
