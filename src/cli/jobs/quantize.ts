import type { Model } from '../../engine.ts';
import { throwIfAborted } from '../../errors.ts';
import type { TensorHeader } from '../../formats/safetensors-write.ts';
import { type ConstantOptions, isConstant, type Operand } from '../../graph/ir.ts';
import { readConstants, type WeightLayer, weightLayers } from '../../models/layers.ts';
import type { StoredType, TensorSource } from '../../tensor/source.ts';
import type { DataType } from '../../tensor/types.ts';
import type { Job } from './job.ts';
import { graphsOf, loadModel, type ModelArgs } from './load.ts';

export interface QuantizeArgs extends ModelArgs {
  /** Where the tensors of `storedTensors` go, one after the other. */
  readonly sink: string;
}

/** Bytes that cross to the command at a time. */
const PIECE = 4 * 2 ** 20;

export interface StoredTensors {
  /** The tensors that a stored model has instead of its own, in the order in which `quantize` gives them. */
  readonly headers: readonly TensorHeader[];
  /** Layers whose weights stay as they are: the model computes them, or the file has them in another type. */
  readonly left: readonly string[];
}

/** What changes where a model is stored. */
export const storedTensors: Job<ModelArgs, StoredTensors> = async (args, context) => {
  const { changed, left } = await changedLayers(await loadModel(args, context));
  return { headers: changed.flatMap(headersOf), left };
};

/** Makes those tensors as a load does, a layer at a time, and gives their bytes. */
export const quantize: Job<QuantizeArgs, undefined> = async ({ sink, ...args }, context) => {
  const { emit, signal, write } = context;
  const model = await loadModel(args, context);
  const { changed: layers } = await changedLayers(model);
  for (const [i, { tensor, values, scales }] of layers.entries()) {
    throwIfAborted(signal, 'quantising');
    emit({ type: 'done', done: i, total: layers.length, label: tensor.name });
    const read = await readConstants(model.gpu, { values, ...(scales && { scales }) }, signal);
    for (const { buffer, byteOffset, byteLength } of [read['values']!, ...(scales ? [read['scales']!] : [])])
      for (let at = 0; at < byteLength; at += PIECE)
        await write(sink, new Uint8Array(buffer, byteOffset + at, Math.min(PIECE, byteLength - at)));
  }
  return undefined;
};

/** The layers that are kept otherwise than the checkpoint has them, once each. */
async function changedLayers(model: Model): Promise<{ changed: WeightLayer[]; left: string[] }> {
  const [graph] = Object.values(graphsOf(model));
  const all = await weightLayers(graph!, model.how);
  const layers = all.filter(({ dtype, stored }) => dtype !== 'float32' && !stored);
  const changed = layers.filter(({ tensor }, i) => layers.findIndex((other) => other.tensor === tensor) === i);
  if (model.task !== 'graph') return { changed, left: [] };
  const initializers = new Map(model.model.graph.initializers.map(({ name, source }) => [name, source]));
  const fits = ({ tensor, values }: WeightLayer): boolean =>
    initializers.get(tensor.name) === tensor && tensor.storedType === 'F32' && isOf(values, tensor);
  return { changed: changed.filter(fits), left: changed.filter((layer) => !fits(layer)).map(({ name }) => name) };
}

/** What makes weights small, and nothing else of them. */
const SMALLER = ['quantizeLinear', 'narrow', 'cast'];

/** Whether values are a tensor of the file in its own order, in a smaller type. */
function isOf(values: Operand, tensor: TensorSource): boolean {
  let leaf = values;
  while (SMALLER.includes(leaf.op)) leaf = leaf.inputs['input']!;
  return isConstant(leaf) && (leaf.options as ConstantOptions).source === tensor;
}

const STORED: Partial<Record<DataType, StoredType>> = { int8: 'I8', float16: 'F16' };

const headersOf = ({ tensor, values, scales }: WeightLayer): TensorHeader[] => [
  { name: tensor.name, storedType: STORED[values.dataType]!, shape: values.shape },
  ...(scales ? [{ name: `${tensor.name}_scale`, storedType: 'F32' as const, shape: scales.shape }] : []),
];
