import { TilewrightError } from '../errors.ts';
import { type ByteSource, stray } from '../hub/source.ts';
import { shown } from '../options.ts';
import { STORED_BYTES, type StoredType, type TensorSource } from '../tensor/source.ts';
import { formatShape } from '../tensor/types.ts';
import { JsonReader } from './json-reader.ts';

const LENGTH_BYTES = 8;
const MAX_HEADER = 100_000_000;

/** Types that the format knows and the engine does not: bits an element. Tensors of them are refused when used. */
const FOREIGN_BITS = {
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  C64: 64,
} as const;

type FileType = StoredType | keyof typeof FOREIGN_BITS;

/** What the header says of one tensor. Offsets are bytes from the start of the body, `end` excluded. */
export interface HeaderEntry {
  readonly name: string;
  readonly type: FileType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  /** By name, in the order of the file. */
  readonly entries: ReadonlyMap<string, HeaderEntry>;
  readonly metadata: ReadonlyMap<string, string>;
}

/** A tensor of a checkpoint. `storedType` and `chunks` throw `unsupported-type` where the GPU has no such type. */
export interface CheckpointTensor extends TensorSource {
  /** The type's name in the file, also where it is none of `StoredType`. */
  readonly typeName: string;
  readonly byteLength: number;
  /** The name of the file it lies in. */
  readonly file: string;
  /** The bytes from `begin` to `end`, all where these are left out. */
  chunks(signal?: AbortSignal, begin?: number, end?: number): AsyncIterable<Uint8Array>;
}

/** The tensors of a checkpoint, of one file or of several shards. */
export interface Checkpoint {
  readonly tensors: ReadonlyMap<string, CheckpointTensor>;
  readonly metadata: ReadonlyMap<string, string>;
  /** Bytes of all tensors. */
  readonly byteLength: number;
}

/**
 * Opens a safetensors file: reads its header, and of the body nothing yet. `orderFrom` is added to every tensor's
 * `order`, where other files come before this one.
 *
 * @throws `invalid-file`.
 */
export async function openSafetensors(source: ByteSource, signal?: AbortSignal, orderFrom = 0): Promise<Checkpoint> {
  const length = await readHeaderLength(source, signal);
  const bodyStart = LENGTH_BYTES + length;
  const header = parseHeader(await source.slice(LENGTH_BYTES, bodyStart, signal), source.size, source.name);
  const tensors = new Map<string, CheckpointTensor>();
  for (const [name, entry] of header.entries) tensors.set(name, fileTensor(source, entry, bodyStart, orderFrom));
  return { tensors, metadata: header.metadata, byteLength: source.size - bodyStart };
}

/**
 * Parses a header, the JSON alone without the length before it, of a file of `fileSize` bytes. As strict as the Rust
 * reader, and stricter where that lets the last of two equal keys win or the JSON begin with a space.
 *
 * @throws `invalid-file`, naming the file, the tensor and the numbers.
 */
export function parseHeader(header: Uint8Array, fileSize: number, name: string): Header {
  const fail = (problem: string): never => {
    throw invalid(`${name}: the header is not valid: ${problem}`);
  };
  if (header[0] !== '{'.charCodeAt(0)) fail(`expected { as its first byte, got ${header[0] ?? 'nothing'}`);
  const json = new JsonReader(decode(header, fail), fail);
  const metadata = new Map<string, string>();
  const entries: HeaderEntry[] = [];
  json.object((key) => {
    if (key === '__metadata__') json.object((entry) => metadata.set(entry, json.string()));
    else entries.push(readEntry(json, key, fail));
  });
  json.end();

  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkLayout(entries, LENGTH_BYTES + header.length, fileSize, name);
  return { entries: new Map(entries.map((entry) => [entry.name, entry])), metadata };
}

function readEntry(json: JsonReader, name: string, fail: (problem: string) => never): HeaderEntry {
  const quoted = `tensor ${shown(name)}`;
  let type: string | undefined;
  let shape: number[] | undefined;
  let offsets: number[] | undefined;
  json.object((field) => {
    if (field === 'dtype') type = json.string();
    else if (field === 'shape') shape = readSizes(json);
    else if (field === 'data_offsets') offsets = readSizes(json);
    else json.skip();
  });
  if (type === undefined || !shape || !offsets) return fail(`${quoted} needs dtype, shape and data_offsets`);
  if (!isFileType(type)) return fail(`${quoted} has the dtype ${shown(type)}, which the format does not know`);
  const [begin, end] = offsets;
  if (begin === undefined || end === undefined || offsets.length !== 2 || begin > end) {
    return fail(`${quoted}: data_offsets must be [begin, end], got ${formatShape(offsets)}`);
  }
  const bytes = byteCount(type, shape);
  if (bytes !== end - begin) {
    const expected = Number.isSafeInteger(bytes) ? `${bytes} bytes` : 'no whole, countable number of bytes';
    fail(
      `${quoted} of ${type}${formatShape(shape)} takes ${expected}, its data_offsets ${formatShape(offsets)} span ${end - begin}`,
    );
  }
  return { name, type, shape, begin, end };
}

function readSizes(json: JsonReader): number[] {
  const sizes: number[] = [];
  json.array(() => sizes.push(json.unsigned()));
  return sizes;
}

/** Bytes of a tensor; NaN where a step on the way there is past 2^53. */
function byteCount(type: FileType, shape: readonly number[]): number {
  const safe = (x: number) => (Number.isSafeInteger(x) ? x : Number.NaN);
  const elements = shape.reduce((product, size) => safe(product * size), 1);
  return safe(elements * bitsOf(type)) / 8;
}

/** The tensors, in order, must cover the body: no hole, no overlap, nothing after the last. */
function checkLayout(entries: readonly HeaderEntry[], bodyStart: number, fileSize: number, name: string): void {
  let at = 0;
  for (const entry of entries) {
    if (entry.begin !== at) {
      const problem = entry.begin > at ? 'a hole before it' : 'an overlap with the tensor before it';
      throw invalid(
        `${name}: tensor ${shown(entry.name)}: expected to begin at byte ${at} of the body, got ${entry.begin}: ${problem}`,
      );
    }
    at = entry.end;
  }
  if (bodyStart + at !== fileSize) {
    const problem = bodyStart + at > fileSize ? 'it is cut short' : 'bytes are left over';
    throw invalid(`${name}: expected a file of ${bodyStart + at} bytes, got ${fileSize}: ${problem}`);
  }
}

async function readHeaderLength(source: ByteSource, signal?: AbortSignal): Promise<number> {
  const { name, size } = source;
  if (size < LENGTH_BYTES) throw invalid(`${name}: expected at least ${LENGTH_BYTES} bytes, got ${size}`);
  const prefix = await source.slice(0, LENGTH_BYTES, signal);
  const length = new DataView(prefix.buffer, prefix.byteOffset, LENGTH_BYTES).getBigUint64(0, true);
  // The length of a header ends in bytes of 0, a text does not.
  if (length > MAX_HEADER) {
    const start = await source.slice(0, Math.min(100, size), signal);
    throw (
      stray(name, 'safetensors', start) ??
      invalid(
        `${name}: expected a header of at most ${MAX_HEADER} bytes, got ${length}`,
        'This is not a safetensors file.',
      )
    );
  }
  if (LENGTH_BYTES + Number(length) > size) {
    throw invalid(`${name}: expected a header of ${length} bytes, the file has ${size} in all: it is cut short`);
  }
  return Number(length);
}

function fileTensor(
  source: ByteSource,
  { name, type, shape, begin, end }: HeaderEntry,
  bodyStart: number,
  orderFrom: number,
): CheckpointTensor {
  const storedType = (): StoredType => {
    if (isStoredType(type)) return type;
    throw new TilewrightError('unsupported-type', `${source.name}: tensor ${shown(name)} is of the type ${type}`, {
      hint: `Save it as one of ${Object.keys(STORED_BYTES).join(', ')}.`,
    });
  };
  return {
    name,
    typeName: type,
    shape,
    byteLength: end - begin,
    file: source.name,
    order: orderFrom + bodyStart + begin,
    get storedType() {
      return storedType();
    },
    chunks(signal, from = 0, to = end - begin) {
      storedType();
      return source.stream(bodyStart + begin + from, bodyStart + begin + to, signal);
    },
  };
}

function decode(bytes: Uint8Array, fail: (problem: string) => never): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return fail('it is not UTF-8');
  }
}

const invalid = (message: string, hint?: string) => new TilewrightError('invalid-file', message, { hint });
const isStoredType = (type: string): type is StoredType => Object.hasOwn(STORED_BYTES, type);
const isFileType = (type: string): type is FileType => isStoredType(type) || Object.hasOwn(FOREIGN_BITS, type);
const bitsOf = (type: FileType): number => (isStoredType(type) ? STORED_BYTES[type] * 8 : FOREIGN_BITS[type]);
