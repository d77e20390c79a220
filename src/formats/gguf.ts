import { TilewrightError } from '../errors.ts';
import type { ByteSource } from '../hub/source.ts';
import { shown } from '../options.ts';
import { BLOCKS, floatsOf } from '../tensor/blocks.ts';
import { type BlockType, STORED_BYTES, type StoredType } from '../tensor/source.ts';
import { elementCount, formatShape } from '../tensor/types.ts';
import type { Checkpoint, CheckpointTensor } from './safetensors.ts';

/** A value of the metadata. Integers beyond 2^53 are bigint. */
export type GgufValue = number | bigint | boolean | string | readonly (number | bigint | boolean | string)[];

/** The tensors of a GGUF file under its own names, and what it says beside them. */
export interface GgufCheckpoint extends Checkpoint {
  readonly fields: ReadonlyMap<string, GgufValue>;
}

/** The first bytes of a GGUF file. */
export const GGUF = [0x47, 0x47, 0x55, 0x46];

const FIRST = 128 * 1024;
const MAX_HEADER = 100_000_000;
/** Dimensions of a tensor at the most, as GGML has them. */
const MAX_RANK = 4;

/** GGML's types by number: name, elements and bytes of a block. Those that are no `StoredType` or `BlockType` are refused when used. */
const TYPES: Readonly<Record<number, readonly [name: string, size: number, bytes: number]>> = {
  ...{ 0: ['F32', 1, 4], 1: ['F16', 1, 2], 2: ['Q4_0', 32, 18], 3: ['Q4_1', 32, 20], 6: ['Q5_0', 32, 22] },
  ...{ 7: ['Q5_1', 32, 24], 8: ['Q8_0', 32, 34], 9: ['Q8_1', 32, 40], 10: ['Q2_K', 256, 84], 11: ['Q3_K', 256, 110] },
  ...{ 12: ['Q4_K', 256, 144], 13: ['Q5_K', 256, 176], 14: ['Q6_K', 256, 210], 15: ['Q8_K', 256, 292] },
  ...{ 16: ['IQ2_XXS', 256, 66], 17: ['IQ2_XS', 256, 74], 18: ['IQ3_XXS', 256, 98], 19: ['IQ1_S', 256, 50] },
  ...{ 20: ['IQ4_NL', 32, 18], 21: ['IQ3_S', 256, 110], 22: ['IQ2_S', 256, 82], 23: ['IQ4_XS', 256, 136] },
  ...{ 24: ['I8', 1, 1], 25: ['I16', 1, 2], 26: ['I32', 1, 4], 27: ['I64', 1, 8], 28: ['F64', 1, 8] },
  ...{ 29: ['IQ1_M', 256, 56], 30: ['BF16', 1, 2], 34: ['TQ1_0', 256, 54], 35: ['TQ2_0', 256, 66] },
  ...{ 39: ['MXFP4', 32, 17], 40: ['NVFP4', 64, 36], 41: ['Q1_0', 128, 18] },
};

/** Types of values by number: bytes, and how they are read. 8 is a string, 9 a list. */
const SCALARS: Readonly<Record<number, readonly [bytes: number, read: (view: DataView, at: number) => GgufScalar]>> = {
  0: [1, (view, at) => view.getUint8(at)],
  1: [1, (view, at) => view.getInt8(at)],
  2: [2, (view, at) => view.getUint16(at, true)],
  3: [2, (view, at) => view.getInt16(at, true)],
  4: [4, (view, at) => view.getUint32(at, true)],
  5: [4, (view, at) => view.getInt32(at, true)],
  6: [4, (view, at) => view.getFloat32(at, true)],
  7: [1, (view, at) => view.getUint8(at) !== 0],
  10: [8, (view, at) => plain(view.getBigUint64(at, true))],
  11: [8, (view, at) => plain(view.getBigInt64(at, true))],
  12: [8, (view, at) => view.getFloat64(at, true)],
};
const [STRING, LIST] = [8, 9];
type GgufScalar = number | bigint | boolean | string;

const plain = (value: bigint): number | bigint => (Number.isSafeInteger(Number(value)) ? Number(value) : value);

/** A tensor as the header has it. `begin` and `end` are bytes from the start of the file. */
interface Info {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly bytes: number;
}

/**
 * Opens a GGUF file of the version 2 or 3: reads what stands before its tensors, and of these nothing yet. Shapes are row-major: the
 * last dimension is GGML's first. As https://github.com/ggml-org/ggml/blob/master/docs/gguf.md has it; tensors lie in the order in
 * which they are named, each from the next multiple of the alignment on.
 *
 * Errors: `invalid-file`, naming the file and the field; `unsupported-type` for numbers of types that are not known.
 */
export async function openGguf(source: ByteSource, signal?: AbortSignal): Promise<GgufCheckpoint> {
  const { name, size } = source;
  const fail: Fail = (problem, code = 'invalid-file') => {
    throw new TilewrightError(code, `${name}: ${problem}`);
  };
  const cursor: Cursor = new Cursor(await source.slice(0, Math.min(FIRST, size), signal), size, fail);
  /** Reads a part of the header; where that lies beyond what is here, more is fetched and it is read again. */
  const whole = async <T>(read: () => T): Promise<T> => {
    for (;;) {
      const { at } = cursor;
      try {
        return read();
      } catch (error) {
        if (!(error instanceof Beyond)) throw error;
        cursor.at = at;
        const have = cursor.bytes.length;
        const end = Math.min(size, Math.max(error.end, 2 * have));
        cursor.append(await source.slice(have, end, signal));
      }
    }
  };

  const [tensorCount, fieldCount] = await whole(() => readStart(cursor, fail));
  const fields = new Map<string, GgufValue>();
  cursor.mayHold(fieldCount, 13, 'fields');
  for (let i = 0; i < fieldCount; i++) {
    const [key, value] = await whole(() => readField(cursor, fail));
    if (fields.has(key)) fail(`the field ${shown(key)} is there twice`);
    fields.set(key, value);
  }
  const alignment = fields.get('general.alignment') ?? 32;
  if (
    typeof alignment !== 'number' ||
    !(alignment >= 8 && alignment <= 2 ** 20 && Number.isInteger(Math.log2(alignment)))
  )
    fail(`general.alignment: expected a power of 2 from 8 on, got ${shown(alignment)}`);
  const infos = new Map<string, Info>();
  cursor.mayHold(tensorCount, 24, 'tensors');
  for (let i = 0; i < tensorCount; i++) {
    const info = await whole(() => readInfo(cursor, fail));
    if (infos.has(info.name)) fail(`the tensor ${shown(info.name)} is there twice`);
    infos.set(info.name, info);
  }

  const up = (at: number): number => Math.ceil(at / (alignment as number)) * (alignment as number);
  const start = up(cursor.at);
  let end = 0;
  for (const { name, offset, bytes } of infos.values()) {
    if (offset !== up(end))
      fail(`tensor ${shown(name)}: expected to begin at byte ${up(end)} after the header, got ${offset}`);
    end = offset + bytes;
  }
  if (infos.size && start + end > size) fail(`expected a file of ${start + end} bytes, got ${size}: it is cut short`);
  if (size > up(start + end)) fail(`expected a file of ${up(start + end)} bytes, got ${size}: bytes are left over`);
  return {
    fields,
    metadata: new Map([...fields].map(([key, value]) => [key, inWords(value)])),
    tensors: new Map([...infos.values()].map((info) => [info.name, fileTensor(source, info, start + info.offset)])),
    byteLength: end,
  };
}

type Fail = (problem: string, code?: 'invalid-file' | 'unsupported-type') => never;

/** What is asked for lies beyond the bytes that are here, and ends at `end`. */
class Beyond extends Error {
  constructor(readonly end: number) {
    super();
  }
}

/** Reads the first bytes of a file, and fails where they say that there is more than the file has. */
class Cursor {
  at = 0;
  #view: DataView;
  readonly #text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

  constructor(
    public bytes: Uint8Array,
    private readonly size: number,
    private readonly fail: Fail,
  ) {
    this.#view = viewOf(bytes);
  }

  append(more: Uint8Array): void {
    const joined = new Uint8Array(this.bytes.length + more.length);
    joined.set(this.bytes);
    joined.set(more, this.bytes.length);
    this.bytes = joined;
    this.#view = viewOf(joined);
  }

  /** Fails where the rest of the file cannot hold so many of them, of so many bytes each at least. */
  mayHold(count: number | bigint, least: number, what: string): asserts count is number {
    const left = this.size - this.at;
    if (typeof count === 'bigint' || count * least > left)
      this.fail(`${count} ${what} are said to follow byte ${this.at}, where ${left} bytes are left: it is cut short`);
  }

  #take(bytes: number): number {
    const { at } = this;
    const end = at + bytes;
    if (end > this.size) this.fail(`expected ${bytes} bytes at byte ${at}, the file has ${this.size}: it is cut short`);
    if (end > MAX_HEADER) this.fail(`expected a header of at most ${MAX_HEADER} bytes, got one of ${end} and more`);
    if (end > this.bytes.length) throw new Beyond(end);
    this.at = end;
    return at;
  }

  scalar(type: number): GgufScalar {
    if (type === STRING) return this.string();
    const [bytes, read] = SCALARS[type] ?? this.fail(`there is no type of values ${type}`);
    return read(this.#view, this.#take(bytes));
  }

  u32(): number {
    return this.scalar(4) as number;
  }

  u64(): number | bigint {
    return this.scalar(10) as number | bigint;
  }

  string(): string {
    const length = this.u64();
    this.mayHold(length, 1, 'bytes of a text');
    const at = this.#take(length);
    try {
      return this.#text.decode(this.bytes.subarray(at, at + length));
    } catch {
      return this.fail(`the text at byte ${at} is not UTF-8`);
    }
  }

  list(): GgufScalar[] {
    const type = this.u32();
    const count = this.u64();
    if (type === LIST) this.fail('it has a list of lists, which is not read');
    const [least] = type === STRING ? [8] : (SCALARS[type] ?? this.fail(`there is no type of values ${type}`));
    this.mayHold(count, least, 'values of a list');
    const { at } = this;
    this.#take(count * least); // before anything is made of them
    this.at = at;
    const values: GgufScalar[] = [];
    for (let i = 0; i < count; i++) values.push(this.scalar(type));
    return values;
  }
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Counts of tensors and fields. */
function readStart(cursor: Cursor, fail: Fail): [tensors: number | bigint, fields: number | bigint] {
  const magic = GGUF.map(() => cursor.scalar(0));
  if (`${magic}` !== `${GGUF}`) fail('expected GGUF as its first bytes');
  const version = cursor.u32();
  if (version !== 2 && version !== 3) {
    const what = version > 0xffff ? 'big-endian' : `of the version ${version}`;
    fail(`expected GGUF of the version 2 or 3, little-endian, got one ${what}`);
  }
  return [cursor.u64(), cursor.u64()];
}

function readField(cursor: Cursor, fail: Fail): [key: string, value: GgufValue] {
  const key = cursor.string();
  const type = cursor.u32();
  const inField: Fail = (problem, code) => fail(`the field ${shown(key)}: ${problem}`, code);
  if (type !== STRING && type !== LIST && !SCALARS[type]) inField(`there is no type of values ${type}`);
  return [key, type === LIST ? cursor.list() : cursor.scalar(type)];
}

function readInfo(cursor: Cursor, fail: Fail): Info {
  const name = cursor.string();
  const refuse: Fail = (problem, code) => fail(`tensor ${shown(name)}: ${problem}`, code);
  const rank = cursor.u32();
  if (rank > MAX_RANK) refuse(`expected at most ${MAX_RANK} dimensions, got ${rank}`);
  const sizes = Array.from({ length: rank }, () => cursor.u64());
  const number = cursor.u32();
  const offset = cursor.u64();
  const [type, block, width] =
    TYPES[number] ?? refuse(`has the type ${number}, which is not known`, 'unsupported-type');
  const countable = sizes.every((size) => typeof size === 'number') && typeof offset === 'number';
  const shape = sizes.map(Number).reverse();
  const elements = elementCount(shape);
  const bytes = (elements / block) * width;
  if (!countable || !Number.isSafeInteger(elements) || !Number.isSafeInteger(Number(offset) + Math.ceil(bytes)))
    refuse(`${type}${formatShape(shape)} at ${offset} takes no countable number of bytes`);
  if ((shape.at(-1) ?? 1) % block) refuse(`rows of ${type}${formatShape(shape)} are no whole blocks of ${block}`);
  return { name, type, shape, offset: Number(offset), bytes };
}

/** The tensor at a byte of the file. Blocks are float32 to who reads their numbers. */
function fileTensor(source: ByteSource, { name, type, shape, bytes }: Info, at: number): CheckpointTensor {
  const place = { name, shape, order: at };
  const raw = (signal?: AbortSignal, from = 0, to = bytes): AsyncIterable<Uint8Array> =>
    source.stream(at + from, at + to, signal);
  const about = { ...place, typeName: type, byteLength: bytes, file: source.name };
  if (!isBlockType(type)) {
    const storedType = (): StoredType => {
      if (isStoredType(type)) return type;
      throw new TilewrightError('unsupported-type', `${source.name}: tensor ${shown(name)} is of the type ${type}`, {
        hint: `Quantise it as one of ${Object.keys(BLOCKS).join(', ')}.`,
      });
    };
    return {
      ...about,
      get storedType() {
        return storedType();
      },
      chunks(signal, from, to) {
        storedType();
        return raw(signal, from, to);
      },
    };
  }
  const { size, bytes: width } = BLOCKS[type];
  const inFile = (floats: number): number => (floats / (4 * size)) * width;
  return {
    ...about,
    storedType: 'F32',
    blocks: { type, source: { ...place, shape: [bytes], storedType: 'U8', chunks: raw } },
    chunks: (signal, from = 0, to = inChunks(shape)) => floatsOf(type, raw(signal, inFile(from), inFile(to))),
  };
}

const inChunks = (shape: readonly number[]): number => 4 * elementCount(shape);
const isBlockType = (type: string): type is BlockType => Object.hasOwn(BLOCKS, type);
const isStoredType = (type: string): type is StoredType => Object.hasOwn(STORED_BYTES, type);

/** A value in a line: of a long list its length. */
function inWords(value: GgufValue): string {
  if (typeof value === 'string' || !Array.isArray(value)) return String(value);
  return value.length > 16 ? `${value.length} values` : value.map(String).join(', ');
}
