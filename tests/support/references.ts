import { openSafetensors } from '../../src/formats/safetensors.ts';
import { bytesSource } from '../../src/hub/source.ts';
import type { GraphInput } from '../../src/onnx/run-tensors.ts';
import { elementCount, type TensorData } from '../../src/tensor/types.ts';

const ARRAYS = { F32: Float32Array, I64: BigInt64Array, I32: Int32Array, I8: Int8Array, U8: Uint8Array } as const;

export interface Reference {
  readonly inputs: Readonly<Record<string, GraphInput & { dims: readonly number[] }>>;
  readonly outputs: Readonly<Record<string, { dims: readonly number[]; data: TensorData }>>;
}

/** `in.X` and `out.Y` of a safetensors file of references; `prefix` stands before both. */
export async function parseReference(name: string, file: Uint8Array, prefix = ''): Promise<Reference> {
  const { tensors } = await openSafetensors(bytesSource(name, new Uint8Array(file)));
  const [inputs, outputs]: [Record<string, never>, Record<string, never>] = [{}, {}];
  for (const [key, { shape, storedType, chunks }] of tensors) {
    const Type = ARRAYS[storedType as keyof typeof ARRAYS];
    const bytes = new Uint8Array(elementCount(shape) * Type.BYTES_PER_ELEMENT);
    let at = 0;
    for await (const chunk of chunks()) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    const value = { dims: shape, data: new Type(bytes.buffer) } as never;
    if (key.startsWith(`${prefix}in.`)) inputs[key.slice(prefix.length + 3)] = value;
    else if (key.startsWith(`${prefix}out.`)) outputs[key.slice(prefix.length + 4)] = value;
  }
  return { inputs, outputs } as unknown as Reference;
}
