import type { Engine } from '../../../src/index.ts';

/** A 3×3 convolution of a grey picture: the sum of nine products for each place of the window. */
export async function buildConvolution(engine: Engine, side: number, stride: number, padding: number) {
  await engine.loadOps('image');
  const b = engine.graph();
  const picture = b.input('picture', { dataType: 'float32', shape: [1, 1, side, side] });
  const filter = b.input('filter', { dataType: 'float32', shape: [1, 1, 3, 3] });

  const result = b.conv2d(picture, filter, {
    strides: [stride, stride],
    padding: [padding, padding, padding, padding],
  });

  const session = await engine.build(b.outputs({ result }));
  return async (inputs: { picture: Float32Array; filter: number[] }) => {
    const { result: values } = await session.run(inputs);
    return { values: values as Float32Array, side: result.shape[3]! };
  };
}
