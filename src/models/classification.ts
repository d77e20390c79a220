import { GraphBuilder } from '../graph/builder.ts';
import { loadOps } from '../graph/groups/index.ts';
import type { Graph } from '../graph/ir.ts';
import { needBuffer } from '../runtime/device-tensors.ts';
import type { DeviceInput, Session } from '../runtime/session.ts';
import { decodePicture, isDevicePicture, type PictureSource } from '../vision/decode.ts';
import { type Preprocessing, preprocess } from '../vision/preprocess.ts';
import type { PictureStage } from '../vision/stage.ts';
import type { DevicePicture } from '../vision/surface.ts';

/** What is left of a classification on the device: buffers with the usage COPY_DST. */
export interface ClassificationBuffers {
  /** [1, classes], in the model's type. */
  readonly logits?: GPUBuffer;
  /** The probabilities of the likeliest classes, best first: float32 [1, k]. */
  readonly scores?: GPUBuffer;
  /** Their indices: int32 [1, k]. */
  readonly indices?: GPUBuffer;
}

/** Loads the ops that `topGraph` takes. */
export const loadTop = (): Promise<void> => loadOps(['reduce', 'select']);

/** The graph of a classifier, and what finds its k likeliest classes; of equals the first. */
export function topGraph({ outputs }: Graph, k: number, many: boolean): Graph {
  const b = new GraphBuilder();
  const logits = outputs['logits']!;
  const float = b.cast(logits, 'float32');
  // Probabilities of float32 may be equal where logits are not.
  const [, indices] = b.topK(float, k);
  const scores = b.gatherElements(many ? b.sigmoid(float) : b.softmax(float), indices, { axis: 1 });
  return b.outputs({ logits, scores, indices });
}

/**
 * Runs such a graph on a picture, and reads nothing but scores and indices. Without a `stage` the host makes the input.
 * Errors: those of `Session.run`, of `PictureStage.use` and of `decodePicture`; `wrong-shape`.
 */
export async function runTop(
  session: Session,
  source: PictureSource | DevicePicture,
  { preprocessing, stage }: { readonly preprocessing: Preprocessing; readonly stage: PictureStage | undefined },
  {
    copy = {},
    signal,
  }: { readonly copy?: ClassificationBuffers | undefined; readonly signal?: AbortSignal | undefined },
): Promise<{ readonly index: number; readonly probability: number }[]> {
  const { inputs, outputs } = session.plan;
  for (const [name, buffer] of Object.entries(copy)) {
    const output = outputs.get(name);
    if (output) needBuffer(`copy: '${name}'`, buffer, output.operand, 'COPY_DST'); // else the run names those that there are
  }
  const run = (image: DeviceInput | Float32Array) =>
    session.run({ image }, { outputs: ['scores', 'indices'], copy: { ...copy }, signal });
  const { scores, indices } =
    stage && isDevicePicture(source)
      ? await stage.use(source, inputs.get('image')!, run)
      : await run(preprocess([await decodePicture(source as PictureSource)], preprocessing));
  return Array.from(indices!, (index, i) => ({ index, probability: scores![i]! }));
}
