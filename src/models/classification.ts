import { GraphBuilder } from '../graph/builder.ts';
import { loadOps } from '../graph/groups/index.ts';
import type { Graph } from '../graph/ir.ts';
import { needBuffer } from '../runtime/device-tensors.ts';
import type { DeviceInput, Session } from '../runtime/session.ts';

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

/** Adds to the graph of a classifier what finds its k likeliest classes; of equals the first. */
export function topGraph({ outputs }: Graph, k: number, many: boolean): Graph {
  const b = new GraphBuilder();
  const logits = outputs['logits']!;
  const float = b.cast(logits, 'float32');
  // Probabilities of float32 may be equal where logits are not.
  const [, indices] = b.topK(float, k);
  const scores = b.gatherElements(many ? b.sigmoid(float) : b.softmax(float), indices, { axis: 1 });
  return b.outputs({ logits, scores, indices });
}

/** Runs such a graph, and reads nothing but scores and indices. Errors: those of `Session.run`, `wrong-shape`. */
export async function runTop(
  session: Session,
  image: DeviceInput | Float32Array,
  copy: ClassificationBuffers,
  signal: AbortSignal | undefined,
): Promise<{ readonly scores: Float32Array; readonly indices: Int32Array }> {
  for (const [name, buffer] of Object.entries(copy)) {
    const output = session.plan.outputs.get(name);
    if (output) needBuffer(`copy: '${name}'`, buffer, output.operand, 'COPY_DST'); // else the run names those that there are
  }
  const results = await session.run({ image }, { outputs: ['scores', 'indices'], copy: { ...copy }, signal });
  return results as unknown as { scores: Float32Array; indices: Int32Array };
}
