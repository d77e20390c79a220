import { TilewrightError } from '../errors.ts';
import type { CheckpointTensor } from '../formats/safetensors.ts';
import type { Ranged } from '../tensor/source.ts';
import { elementCount, formatShape } from '../tensor/types.ts';

/** Rows `from` to `from + count` of a tensor: without a number, from its first, to its last. */
export interface Rows {
  readonly name: string;
  readonly from?: number;
  readonly count?: number;
}

/** A tensor by its name; or, where the file has none of it, rows of others, one after the other. Names have no ending. */
export interface Packed {
  readonly name: string;
  readonly rows?: readonly Rows[];
}

/** Rows of a tensor of a file, with bounds. */
export interface TensorRows {
  readonly tensor: CheckpointTensor;
  readonly from: number;
  readonly count: number;
}

/**
 * A tensor that is rows of others. It lies where the first of them lies; its bytes are read from all of them, nothing is copied. Parts
 * with blocks of several types are float32 together.
 */
export function packedTensor(name: string, parts: readonly TensorRows[]): CheckpointTensor {
  const [first] = parts.map(({ tensor }) => tensor) as [CheckpointTensor];
  const rest = first.shape.slice(1);
  const typeOf = ({ blocks, storedType, typeName }: CheckpointTensor): string => (blocks ? storedType : typeName);
  for (const { tensor, from, count } of parts) {
    const fits =
      typeOf(tensor) === typeOf(first) &&
      `${tensor.shape.slice(1)}` === `${rest}` &&
      from + count <= (tensor.shape[0] ?? 0);
    if (!fits)
      throw new TilewrightError(
        'wrong-shape',
        `tensor '${name}' is made of rows ${from} to ${from + count} of '${tensor.name}', which is ${tensor.typeName}${formatShape(tensor.shape)}, beside ${first.typeName}${formatShape(first.shape)} of '${first.name}'`,
      );
  }
  const own = {
    name,
    shape: [parts.reduce((sum, { count }) => sum + count, 0), ...rest],
    order: Math.min(...parts.map(({ tensor }) => tensor.order)),
  };
  /** Bytes of a row in the file. */
  const inFile = ({ byteLength, shape }: CheckpointTensor): number => byteLength / shape[0]!;
  const byteLength = parts.reduce((sum, { tensor, count }) => sum + inFile(tensor) * count, 0);
  const same = parts.every(({ tensor }) => tensor.typeName === first.typeName);
  return {
    ...own,
    typeName: first.typeName,
    byteLength,
    file: first.file,
    get storedType() {
      return first.storedType;
    },
    chunks: rowsOf(parts, (tensor) => [tensor, tensor.blocks ? 4 * elementCount(rest) : inFile(tensor)]),
    ...(same &&
      first.blocks && {
        blocks: {
          type: first.blocks.type,
          source: {
            ...{ ...own, shape: [byteLength], storedType: 'U8' },
            chunks: rowsOf(parts, (tensor) => [tensor.blocks!.source, inFile(tensor)]),
          },
        },
      }),
  };
}

/** Rows of several tensors, one after the other. `from` has what a tensor's are read from, and their bytes. */
const rowsOf = (
  parts: readonly TensorRows[],
  from: (tensor: CheckpointTensor) => [source: { readonly chunks: Ranged }, rowBytes: number],
): Ranged =>
  async function* (signal) {
    for (const part of parts) {
      const [source, rowBytes] = from(part.tensor);
      yield* source.chunks(signal, part.from * rowBytes, (part.from + part.count) * rowBytes);
    }
  };
