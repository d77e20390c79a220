/** Element types of tensors in files, under safetensors' names. */
export type StoredType =
  | 'BOOL'
  | 'U8'
  | 'I8'
  | 'I16'
  | 'U16'
  | 'F16'
  | 'BF16'
  | 'I32'
  | 'U32'
  | 'F32'
  | 'F64'
  | 'I64'
  | 'U64';

export const STORED_BYTES: Record<StoredType, number> = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  F64: 8,
  I64: 8,
  U64: 8,
}; // prettier-ignore

/** Blocks of small integers with scales, as GGUF files have them, under GGML's names: a row is whole blocks. */
export type BlockType = 'Q4_0' | 'Q8_0' | 'Q4_K' | 'Q6_K';

/** The blocks of a tensor as they lie in its file: `source` is their bytes. */
export interface Blocks {
  readonly type: BlockType;
  readonly source: TensorSource & { readonly chunks: Ranged };
}

/** The bytes from `begin` to `end`, all where these are left out. */
export type Ranged = (signal?: AbortSignal, begin?: number, end?: number) => AsyncIterable<Uint8Array>;

/**
 * A tensor in a file, behind a URL or in an array. It can be read again at any time, so all that is on the device can
 * be made again. Little-endian, row-major, contiguous.
 */
export interface TensorSource {
  readonly name: string;
  readonly storedType: StoredType;
  readonly shape: readonly number[];
  /** The place of the tensor in its file. Uploads go in this order. */
  readonly order: number;
  /** The bytes from the first to the last, in chunks of any size. Each is good until the next is asked for. */
  chunks(signal?: AbortSignal): AsyncIterable<Uint8Array>;
  /** Where the file has blocks of small integers with scales: those. `chunks` gives their numbers. */
  readonly blocks?: Blocks | undefined;
}
