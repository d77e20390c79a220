import { TilewrightError } from '../errors.ts';
import type { CheckpointTensor } from '../formats/safetensors.ts';
import { formatShape } from '../tensor/types.ts';

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

/** A tensor that is rows of others. It lies where the first of them lies; its bytes are read from all of them, nothing is copied. */
export function packedTensor(name: string, parts: readonly TensorRows[]): CheckpointTensor {
  const [first] = parts.map(({ tensor }) => tensor) as [CheckpointTensor];
  const rest = first.shape.slice(1);
  for (const { tensor, from, count } of parts) {
    const fits =
      tensor.typeName === first.typeName &&
      `${tensor.shape.slice(1)}` === `${rest}` &&
      from + count <= (tensor.shape[0] ?? 0);
    if (!fits)
      throw new TilewrightError(
        'wrong-shape',
        `tensor '${name}' is made of rows ${from} to ${from + count} of '${tensor.name}', which is ${tensor.typeName}${formatShape(tensor.shape)}, beside ${first.typeName}${formatShape(first.shape)} of '${first.name}'`,
      );
  }
  const bytesOf = ({ tensor }: TensorRows, rows: number): number => (tensor.byteLength / tensor.shape[0]!) * rows;
  return {
    name,
    typeName: first.typeName,
    shape: [parts.reduce((sum, { count }) => sum + count, 0), ...rest],
    byteLength: parts.reduce((sum, part) => sum + bytesOf(part, part.count), 0),
    file: first.file,
    order: Math.min(...parts.map(({ tensor }) => tensor.order)),
    get storedType() {
      return first.storedType;
    },
    async *chunks(signal) {
      for (const part of parts)
        yield* part.tensor.chunks(signal, bytesOf(part, part.from), bytesOf(part, part.from + part.count));
    },
  };
}
