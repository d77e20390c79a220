import { buildSession } from '../build/build.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { loadOps } from '../graph/groups/index.ts';
import { type ConstantOptions, type Graph, type Operand, operand, topological } from '../graph/ir.ts';
import { quantizedOf } from '../graph/passes/dequantize.ts';
import {
  type Layer,
  layerOf,
  type QuantizeOptions,
  quantizeWeights,
  typeOf,
  type WeightType,
} from '../graph/passes/weight_types.ts';
import type { TensorSource } from '../tensor/source.ts';
import type { TensorData } from '../tensor/types.ts';

/** A product, a convolution or a table of a model, and the type of its weights. */
export interface WeightLayer {
  /** As the keys of a dtype name it: `layer1.0.conv1`. */
  readonly name: string;
  readonly node: Operand;
  /** The weights in the checkpoint. */
  readonly tensor: TensorSource;
  readonly dtype: WeightType;
  /** The weights on the device, in the shape of the checkpoint. */
  readonly values: Operand;
  /** For int8 and int4: float32 of the same rank. A dimension is 1, that of the weights, or a number of blocks. */
  readonly scales: Operand | undefined;
  /** The checkpoint has them quantised: the float weights are not known. */
  readonly stored: boolean;
}

/** The layers of a model's graph, inputs first. Error: `invalid-argument` for the type of an unknown layer. */
export async function weightLayers(graph: Graph, how: QuantizeOptions): Promise<WeightLayer[]> {
  await loadOps(['quantized']);
  const kept = layerNodes(quantizeWeights(how)(graph));
  return layerNodes(graph).map(({ node, layer: { name, weight } }, i): WeightLayer => {
    const tensor = sourceOf(weight);
    const shared = { name, node, tensor, stored: tensor.storedType === 'I8' };
    const quantized = quantizedOf(kept[i]!.layer.weight);
    if (quantized) {
      const { input, scale } = quantized;
      return { ...shared, dtype: input.dataType === 'int8' ? 'int8' : 'int4', values: input, scales: scale };
    }
    const narrows = weight.dataType === 'float32' && typeOf(how.weights ?? 'float32', name) === 'float16';
    const values = narrows ? operand('narrow', { input: weight }, {}, weight.label) : weight;
    return { ...shared, dtype: values.dataType as 'float32' | 'float16', values, scales: undefined };
  });
}

/** The nodes of a graph that have weights. Passes that change weights only keep their order. */
export function layerNodes(graph: Graph): { node: Operand; layer: Layer }[] {
  return topological(graph).flatMap((node) => {
    const layer = layerOf(node);
    return layer ? [{ node, layer }] : [];
  });
}

/** The tensor of the checkpoint that a weight is made from. */
function sourceOf(weight: Operand): TensorSource {
  let leaf = weight;
  while (leaf.op !== 'constant') leaf = leaf.inputs['input']!;
  const { source, blocksOf = source } = leaf.options as ConstantOptions;
  return blocksOf!;
}

/** Computes constants as a load would and reads them back. Nothing stays on the device. */
export async function readConstants(
  gpu: Gpu,
  outputs: Readonly<Record<string, Operand>>,
  signal?: AbortSignal,
): Promise<Record<string, TensorData>> {
  using session = await buildSession(gpu, { outputs }, { tune: 'off', signal });
  return await session.run({}, { signal });
}
