import type { Engine, Operand, TensorSource } from '../../../src/index.ts';

/** The vectors of positions, learned and from sines, and how alike each is to that of one position. */
export async function buildPositions(engine: Engine, source: TensorSource) {
  await engine.loadOps('text', 'reduce', 'trigonometry', 'join');
  const [positions, width] = source.shape as [number, number];
  const b = engine.graph();

  const learned = b.constant(source); // [positions, width], straight from the file

  // Vaswani et al. 2017: sines and cosines of position / base^(2i / width).
  const place = b.input('place', { dataType: 'float32', shape: [positions, 1] });
  const index = b.input('index', { dataType: 'float32', shape: [1, width / 2] });
  const slowing = b.input('slowing', { dataType: 'float32', shape: [1, 1] }); // -2 ln(base) / width
  const angles = b.mul(place, b.exp(b.mul(index, slowing)));
  const sinusoids = b.concat([b.sin(angles), b.cos(angles)], 1);

  const chosen = b.input('chosen', { dataType: 'uint32', shape: [1] });
  const unit = (x: Operand): Operand => b.div(x, b.reduceL2(x, { axes: [1], keepDimensions: true }));
  const likeness = (x: Operand): Operand => b.matmul(unit(b.gather(x, chosen)), unit(x), { transposeB: true });

  const alike = { learnedAlike: likeness(learned), sinusoidsAlike: likeness(sinusoids) };
  const copy = b.add(learned, b.constant({ dataType: 'float32', shape: [1] }, new Float32Array(1)));
  const session = await engine.build(b.outputs({ learned: copy, sinusoids, ...alike }));
  const count = (length: number) => Float32Array.from({ length }, (_, i) => i);
  return async (base: number, position: number) =>
    (await session.run({
      place: count(positions),
      index: count(width / 2),
      slowing: [(-2 * Math.log(base)) / width],
      chosen: [position],
    })) as Record<'learned' | 'sinusoids' | 'learnedAlike' | 'sinusoidsAlike', Float32Array>;
}
