import type { ImageClassifier } from '../../src/index.ts';
import type { LoadDataType } from '../cases.ts';
import { modelWork, randomData } from '../graphs.ts';
import { type ResNetSize, randomCheckpoint, resnetShapes } from '../models.ts';
import {
  type Case,
  type Context,
  folderOf,
  type Measured,
  rateOf,
  type Suite,
  timeCalls,
  typesOf,
  withModel,
} from './case.ts';

/** The ResNet that ships with its own weights, and published shapes with random ones. */
export const resnet: Suite = (context) => [
  ...typesOf(context, context.preset.modelDtypes).flatMap((dtype) =>
    context.preset.batches.map((batch): Case => {
      const path = folderOf('resnet20-cifar10', context);
      return {
        suite: 'resnet',
        name: 'resnet20',
        shape: `${batch}x3x32x32`,
        dtype,
        run: () => withModel(context, path, { dtype }, (model: ImageClassifier) => timeImages(context, model, batch)),
      };
    }),
  ),
  ...typesOf(context, context.preset.networkDtypes)
    .filter((dtype) => dtype !== 'int4') // convolutions have none: it would be int8 again
    .flatMap((dtype) => context.preset.resnets.map(([name, size]) => random(context, name, size, dtype))),
];

const random = (context: Context, name: string, size: ResNetSize, dtype: LoadDataType): Case => ({
  suite: 'resnet',
  name,
  shape: `1x3x${size.image}x${size.image}`,
  dtype,
  run: () =>
    withModel(
      context,
      randomCheckpoint(resnetShapes(size)),
      { dtype, inputSize: [size.image, size.image] },
      (model: ImageClassifier) => timeImages(context, model, 1),
    ),
});

/** Pixels to logits, the upload and the read-back included. */
export async function timeImages(context: Context, model: ImageClassifier, batch: number): Promise<Measured[]> {
  const { signal } = context.recorder;
  const pixels = randomData('float32', [batch, 3, ...model.preprocessing.size], 1) as Float32Array;
  const timed = await timeCalls(context, () => model.logits(pixels, batch, { signal }));
  const work = await modelWork(model, model.graph(batch));
  return [{ timed, work, rate: rateOf(batch, timed.ms.median, 'images/s') }];
}
