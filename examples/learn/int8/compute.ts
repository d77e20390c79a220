import type { LayerReport, Model, Sample } from '../../../src/index.ts';

/** An error of a layer, as a share of the size of what is right. */
export interface LayerError {
  readonly name: string;
  /** Of its weights alone. */
  readonly weights: number;
  /** Of its output, with the errors of all layers before it. */
  readonly output: number;
}

/** What the small weights of a model save and cost, against the same network in float32 on the same picture or text. */
export async function compare(model: Model, sample: Sample) {
  const { layers, totals, output } = await model.report([sample]);
  const errorOf = ({ name, weightError, outputError }: LayerReport): LayerError => ({
    name,
    weights: weightError!.relative,
    output: outputError!.relative,
  });
  return {
    layers: layers.map(errorOf),
    scores: output!.relative,
    float32: totals.bytes.float32,
    device: totals.bytes.device,
  };
}
