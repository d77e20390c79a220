import type { Engine } from '../../../src/index.ts';

/** Softmax of the same scores at several temperatures: a row for each, p = softmax(scores / temperature). */
export async function buildSoftmax(engine: Engine, choices: number, rows: number) {
  await engine.loadOps('reduce');
  const b = engine.graph();
  const scores = b.input('scores', { dataType: 'float32', shape: [1, choices] });
  const temperatures = b.input('temperatures', { dataType: 'float32', shape: [rows, 1] });

  const p = b.softmax(b.div(scores, temperatures), 1);

  const session = await engine.build(b.outputs({ p }));
  return async (inputs: { scores: number[]; temperatures: number[] }): Promise<Float32Array> => {
    const { p } = await session.run(inputs);
    return p as Float32Array; // [rows, choices]
  };
}
