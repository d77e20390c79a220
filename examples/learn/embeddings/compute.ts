import type { Engine, Operand, TensorSource } from '../../../src/index.ts';

/** Finds the tokens whose vectors are nearest to a token's: `near` of them, the nearest first, itself among them. */
export async function buildNeighbours(engine: Engine, source: TensorSource, near: number) {
  await engine.loadOps('text', 'reduce', 'select');
  const b = engine.graph();
  const table = b.constant(source); // [vocabulary, width], straight from the file
  const token = b.input('token', { dataType: 'uint32', shape: [1] });
  const unit = (x: Operand): Operand => b.div(x, b.reduceL2(x, { axes: [1], keepDimensions: true }));

  const vector = b.gather(table, token); // [1, width]
  const cosines = b.matmul(unit(vector), unit(table), { transposeB: true }); // [1, vocabulary]
  const [cosine, tokens] = b.topK(cosines, near);

  const session = await engine.build(b.outputs({ vector, cosine, tokens }));
  return async (token: number) => {
    const { vector, cosine, tokens } = await session.run({ token: [token] });
    return { vector: vector as Float32Array, cosine: cosine as Float32Array, tokens: tokens as Int32Array };
  };
}
