import { elementCount } from '../../src/tensor/types.ts';

/** A tensor of float32: one number for all elements, or each of them. */
export type Values = readonly [shape: readonly number[], value: number | readonly number[]];

/** A safetensors file of these tensors. */
export function safetensorsOf(tensors: Readonly<Record<string, Values>>): Uint8Array<ArrayBuffer> {
  const header: Record<string, object> = {};
  const numbers: number[] = [];
  for (const [name, [shape, value]] of Object.entries(tensors)) {
    const start = 4 * numbers.length;
    numbers.push(...(typeof value === 'number' ? Array<number>(elementCount(shape)).fill(value) : value));
    header[name] = { dtype: 'F32', shape, data_offsets: [start, 4 * numbers.length] };
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const file = new Uint8Array(8 + json.length + 4 * numbers.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
  file.set(json, 8);
  file.set(new Uint8Array(Float32Array.from(numbers).buffer), 8 + json.length);
  return file;
}

/** The statistics and the shift of a batch normalisation that gives (x + shift). */
export const shifts = (name: string, shift: readonly number[]): Record<string, Values> => ({
  [`${name}.weight`]: [[shift.length], Math.sqrt(1 + 1e-5)],
  [`${name}.bias`]: [[shift.length], shift],
  [`${name}.running_mean`]: [[shift.length], 0],
  [`${name}.running_var`]: [[shift.length], 1],
});

/**
 * A CIFAR ResNet of one basic block whose convolutions give nothing, so that it can be computed by hand: stem act(s), block
 * act(t + act(s)), logits weight · that + bias.
 */
export const handResnet = (
  stem: readonly number[],
  block: readonly number[],
  { weight, bias }: { weight: readonly number[]; bias: readonly number[] },
): Record<string, Values> => {
  const c = stem.length;
  return {
    'conv1.weight': [[c, 3, 3, 3], 0],
    ...shifts('bn1', stem),
    'layer1.0.conv1.weight': [[c, c, 3, 3], 0],
    ...shifts('layer1.0.bn1', stem),
    'layer1.0.conv2.weight': [[c, c, 3, 3], 0],
    ...shifts('layer1.0.bn2', block),
    'fc.weight': [[bias.length, c], weight],
    'fc.bias': [[bias.length], bias],
  };
};

/** A folder in memory: a checkpoint and its JSON files. */
export const folderOf = (
  tensors: Readonly<Record<string, Values>>,
  files: Readonly<Record<string, unknown>> = {},
): Record<string, Uint8Array<ArrayBuffer>> => ({
  'model.safetensors': safetensorsOf(tensors),
  ...Object.fromEntries(
    Object.entries(files).map(([name, json]) => [name, new TextEncoder().encode(JSON.stringify(json))]),
  ),
});
