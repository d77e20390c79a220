import { Engine } from '../../../src/index.ts'; // as the blocks' own, `tilewright` once it is written beside them

// What blocks of the documents use and do not declare: that they stand in a page with an engine is said once, not in every block.
const engine = await Engine.create();

export const given = async () => ({
  engine,
  /** A builder of a graph. */
  b: engine.graph(),
  /** A filter of 8 by 3 channels, 3×3. */
  weights: new Float32Array(8 * 3 * 3 * 3).fill(0.1),
  /** A picture of 32×32, its channels apart. */
  pixels: new Float32Array(3 * 32 * 32).fill(0.5),
  /** Where a model lies. */
  x: '/weights/resnet20-cifar10/',
  /** A loaded model. */
  model: await engine.load('/weights/resnet20-cifar10/'),
  /** Where a page shows text. */
  output: document.querySelector('output')!,
});
