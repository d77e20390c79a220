import { type ImageClassifier, type Operand, topological } from '../../../src/index.ts';

/** The multiply-accumulates of each layer, read from the shapes of its operands. Each is two FLOPs. */
export function countLayers(model: ImageClassifier): { name: string; macs: number }[] {
  return topological(model.graph()).flatMap((node) => {
    const macs = macsOf(node);
    return macs ? [{ name: node.label!, macs }] : [];
  });
}

/** Every number of the output is a sum: over the window and the channels of a convolution, over the columns of a matrix. */
function macsOf({ op, inputs, shape }: Operand): number {
  const numbers = shape.reduce((product, size) => product * size, 1);
  if (op === 'conv2d') {
    const [, channels, height, width] = inputs['filter']!.shape as [number, number, number, number];
    return numbers * channels * height * width;
  }
  if (op === 'matmul') return numbers * inputs['a']!.shape.at(-1)!;
  return 0;
}

/** Milliseconds of a picture: the median of some runs. */
export async function timeRuns(model: ImageClassifier, runs: number): Promise<number> {
  const [height, width] = model.preprocessing.size;
  const pixels = new Float32Array(3 * height * width).fill(0.5);
  const times: number[] = [];
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    await model.logits(pixels);
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[runs >> 1]!;
}

/** Milliseconds of each layer: of all dispatches that have its name. Empty where the device has no timestamps. */
export async function timeLayers(model: ImageClassifier): Promise<ReadonlyMap<string, number>> {
  const { rows } = await model.profile({ rounds: 3 });
  const times = new Map<string, number>();
  for (const { label, ms } of rows) times.set(label, (times.get(label) ?? 0) + ms);
  return times;
}
