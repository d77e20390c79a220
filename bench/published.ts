import type { Checkpoint, CheckpointTensor } from '../src/formats/safetensors.ts';
import { loadOps } from '../src/graph/groups/index.ts';
import type { Graph } from '../src/graph/ir.ts';
import { familyModule } from '../src/models/families/index.ts';
import { gpt2Graph, gpt2Shape } from '../src/models/gpt2.ts';
import type { ModelFiles } from '../src/models/model.ts';
import { resnetGraph, shapeOf } from '../src/models/resnet.ts';
import { namingOf } from '../src/models/resnet-names.ts';
import { Weights } from '../src/models/weights.ts';
import { elementCount } from '../src/tensor/types.ts';
import {
  type DecoderSize,
  decoderShapes,
  type GptSize,
  gptShapes,
  type ResNetSize,
  resnetShapes,
  type Shapes,
  textConfig,
} from './models.ts';

/** A checkpoint whose numbers are made when they are read. */
function checkpointOf(shapes: Shapes): Checkpoint {
  const tensors = shapes.map(([name, shape, scale, shift = 0], order): [string, CheckpointTensor] => [
    name,
    {
      name,
      storedType: 'F32',
      typeName: 'F32',
      shape,
      order,
      file: 'random',
      byteLength: 4 * elementCount(shape),
      async *chunks() {
        const values = Float32Array.from(
          { length: elementCount(shape) },
          (_, i) => Math.sin(i * 1.7 + order) * scale + shift,
        );
        yield new Uint8Array(values.buffer);
      },
    },
  ]);
  return {
    tensors: new Map(tensors),
    metadata: new Map(),
    byteLength: tensors.reduce((sum, [, { byteLength }]) => sum + byteLength, 0),
  };
}

/** The weights of a ResNet under torchvision's names. */
export const resnetWeights = (size: ResNetSize): Weights => new Weights(checkpointOf(resnetShapes(size)));

/** What a ResNet computes of one picture of `image` × `image`. */
export function resnetOf(weights: Weights, image: number, dataType: 'float32' | 'float16' = 'float32'): Graph {
  const names = namingOf(weights);
  return resnetGraph(weights, names, shapeOf(weights, names), {
    dataType,
    input: [image, image],
    batch: 1,
    strideInFirst: false,
    strideInFirstStage: false,
    epsilon: 1e-5,
  });
}

/** What a GPT-2 computes of `tokens` tokens: the one after the last. Its tensors have the published names. */
export function gptOf(size: GptSize, tokens: number, dataType: 'float32' | 'float16' = 'float32'): Graph {
  const checkpoint = checkpointOf(gptShapes(size));
  const weights = new Weights(checkpoint);
  const files = { name: 'gpt2', checkpoint, config: textConfig(size) } as unknown as ModelFiles;
  return gpt2Graph(weights, gpt2Shape(files, weights), { dataType, tokens, predict: 'last' });
}

/** What a decoder computes of `tokens` tokens: the one after the last. */
export async function decoderOf(
  size: DecoderSize,
  tokens: number,
  dataType: 'float32' | 'float16' = 'float32',
): Promise<Graph> {
  const checkpoint = checkpointOf(decoderShapes(size));
  const files = { name: size.model_type, checkpoint, config: textConfig(size) } as unknown as ModelFiles;
  const { family, groups } = await familyModule(files);
  await loadOps(['text', ...groups]);
  return family(files, {}).graph({ dataType, tokens, predict: 'last' });
}
