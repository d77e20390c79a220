import { TilewrightError } from '../errors.ts';
import type { Folder } from '../hub/folder.ts';
import type { ByteSource } from '../hub/source.ts';
import { gathered } from '../tensor/convert.ts';
import type { StoredType, TensorSource } from '../tensor/source.ts';
import { elementCount } from '../tensor/types.ts';
import { ONNX_TYPES, type OnnxTensor, type OnnxType } from './onnx-model.ts';
import type { TensorMessage } from './onnx-schema.ts';
import { type Range, varints } from './protobuf.ts';

/** Bits an element takes in a file. */
const BITS: Partial<Record<OnnxType, number>> = {
  float: 32,
  uint8: 8,
  int8: 8,
  uint16: 16,
  int16: 16,
  int32: 32,
  int64: 64,
  bool: 8,
  float16: 16,
  double: 64,
  uint32: 32,
  uint64: 64,
  bfloat16: 16,
  uint4: 4,
  int4: 4,
  uint2: 2,
  int2: 2,
  complex64: 64,
  complex128: 128,
  float8e4m3fn: 8,
  float8e4m3fnuz: 8,
  float8e5m2: 8,
  float8e5m2fnuz: 8,
  float8e8m0: 8,
  float4e2m1: 4,
};

const STORED: Partial<Record<OnnxType, StoredType>> = {
  float: 'F32',
  uint8: 'U8',
  int8: 'I8',
  uint16: 'U16',
  int16: 'I16',
  int32: 'I32',
  int64: 'I64',
  bool: 'BOOL',
  float16: 'F16',
  double: 'F64',
  uint32: 'U32',
  uint64: 'U64',
  bfloat16: 'BF16',
  int4: 'I8',
  uint4: 'U8',
};

const READ_AT_ONCE = 1 << 20;

/** A byte for each of `count` numbers of four bits, of which two are in a byte, the first in its lower half. */
async function* nibbles(
  chunks: AsyncIterable<Uint8Array>,
  signed: boolean,
  count: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let left = count;
  for await (const chunk of chunks) {
    const wide = new Uint8Array(Math.min(left, 2 * chunk.length));
    for (let i = 0; i < wide.length; i++) {
      const nibble = (chunk[i >> 1]! >> (4 * (i & 1))) & 15;
      wide[i] = signed && nibble > 7 ? nibble - 16 : nibble;
    }
    left -= wide.length;
    yield wide;
  }
}

/** Tensors of a file, whose numbers stay where they are. External data comes from the files of its folder. */
export class OnnxTensors {
  readonly #opened = new Map<string, Promise<ByteSource>>();
  #order = 0;

  constructor(
    private readonly folder: Folder | undefined,
    private readonly source: ByteSource,
  ) {}

  readonly tensor = (message: TensorMessage): OnnxTensor => {
    const { name = '', dataType = 0, segment, location = 0, external = [], strings = [] } = message;
    const what = `tensor '${name}'`;
    const type = this.typeNamed(dataType, what);
    const dims = (message.dims ?? []).map(Number);
    const count = elementCount(dims);
    if (!dims.every((size) => Number.isSafeInteger(size) && size >= 0) || !Number.isSafeInteger(count))
      this.fail(`${what} has the dimensions [${brief(message.dims!)}]`);
    if (type === 'undefined') this.fail(`${what} has no type`);
    if (segment) this.fail(`${what} is cut into segments, which no writer does`);
    const bits = BITS[type];
    const bytes = bits === undefined ? 0 : Math.ceil((count * bits) / 8);
    const order = this.#order++;
    if (type === 'string') {
      if (strings.length !== count)
        this.fail(`${what} has ${strings.length} texts, its dimensions [${brief(dims)}] ${count}`);
      return {
        name,
        type,
        dims,
        byteLength: strings.reduce((sum, { start, end }) => sum + end - start, 0),
        strings: (signal) => this.#texts(strings, signal),
        bytes: noBytes,
        source: undefined,
      };
    }
    const chunks = this.#chunks(message, type, bytes, what, location === 1 ? external : undefined);
    const storedType = STORED[type];
    const wide = bits === 4 ? (signal?: AbortSignal) => nibbles(chunks(signal), type === 'int4', count) : chunks;
    const source: TensorSource | undefined = storedType && { name, storedType, shape: dims, order, chunks: wide };
    // External data may be shorter than the file says: nothing is made before its first chunk is there.
    const read = (signal?: AbortSignal): Promise<Uint8Array> => gathered(chunks(signal), bytes);
    return { name, type, dims, byteLength: bytes, strings: async () => [], bytes: read, source };
  };

  /** How the bytes of a tensor are read. Lengths are checked now. */
  #chunks(
    message: TensorMessage,
    type: OnnxType,
    bytes: number,
    what: string,
    external: TensorMessage['external'],
  ): TensorSource['chunks'] {
    const { source } = this;
    const wrong = (got: number): never =>
      this.fail(`${what} of ${type}[${brief(message.dims ?? [])}] takes ${bytes} bytes, ${got} are there`);
    if (external) {
      const given = new Map(external.map(({ key = '', value = '' }) => [key, value]));
      const number = (key: string, otherwise: number): number => {
        const value = Number(given.get(key) || otherwise);
        return Number.isSafeInteger(value) && value >= 0
          ? value
          : this.fail(`${what}: the ${key} of its external data is ${given.get(key)}`);
      };
      const offset = number('offset', 0);
      const length = number('length', bytes);
      if (length !== bytes) wrong(length);
      const open = this.#external(given.get('location') ?? '', what);
      return async function* (signal) {
        const file = await open();
        if (offset + length > file.size)
          throw new TilewrightError(
            'invalid-file',
            `${source.name}: ${what} lies in bytes ${offset} to ${offset + length} of ${file.name}, which has ${file.size}`,
          );
        yield* file.stream(offset, offset + length, signal);
      };
    }
    const { raw, floats, doubles, ints, longs, unsigned } = message;
    const plain = raw ?? (type === 'double' || type === 'complex128' ? doubles : floats);
    const whole = (type === 'float' || type === 'complex64' || type.endsWith('128') || type === 'double') && !raw;
    if (raw || whole) {
      const ranges = plain ?? [];
      const got = ranges.reduce((sum, { start, end }) => sum + end - start, 0);
      if (got !== bytes) wrong(got);
      return async function* (signal) {
        for (const { start, end } of ranges) yield* source.stream(start, end, signal);
      };
    }
    const numbers = (type === 'int64' ? longs : type === 'uint32' || type === 'uint64' ? unsigned : ints) ?? [];
    // A number takes one byte to ten.
    const most = numbers.reduce((sum, { start, end }) => sum + end - start, 0);
    const expected = (bytes * 8) / Math.max(8, BITS[type]!);
    if (expected > most)
      this.fail(`${what} of ${type}[${brief(message.dims ?? [])}] has ${expected} numbers, ${most} bytes are there`);
    return async function* (signal) {
      const packed: Uint8Array[] = [];
      for (const { start, end } of numbers) packed.push(await source.slice(start, end, signal));
      const made = fromVarints(packed, type, bytes, `${source.name}: ${what}`);
      for (let at = 0; at < bytes; at += READ_AT_ONCE) yield made.subarray(at, at + READ_AT_ONCE);
    };
  }

  async #texts(ranges: readonly Range[], signal?: AbortSignal): Promise<string[]> {
    const decoder = new TextDecoder();
    const texts: string[] = [];
    for (const { start, end } of ranges) texts.push(decoder.decode(await this.source.slice(start, end, signal)));
    return texts;
  }

  /** A file of external data. It is opened once, when it is first read. */
  #external(location: string, what: string): () => Promise<ByteSource> {
    const { folder } = this;
    const path = location.replace(/^(\.\/)+/, '');
    if (!folder || /^[a-z]+:|[\\\0]/i.test(path) || path.split('/').some((part) => ['', '.', '..'].includes(part)))
      this.fail(`${what}: its external data is "${location}", which names no file inside the folder`);
    return () => {
      const opened = this.#opened.get(path) ?? folder!.open(path);
      this.#opened.set(path, opened);
      opened.catch(() => this.#opened.delete(path)); // what failed is tried again
      return opened;
    };
  }

  typeNamed(type: number, what: string): OnnxType {
    return ONNX_TYPES[type] ?? this.fail(`${what} is of the type ${type}, which is not known`);
  }

  /** Error: `invalid-file`, which names the file. */
  fail(problem: string): never {
    throw new TilewrightError('invalid-file', `${this.source.name}: ${problem}`);
  }
}

/** A list in a message: its first numbers. */
const brief = (list: readonly (number | bigint)[]): string =>
  list.length > 16 ? `${list.slice(0, 16)},… of ${list.length}` : `${list}`;

const noBytes = async (): Promise<Uint8Array> => new Uint8Array(0);

/** Numbers that a file has as varints, as they lie in memory. */
function fromVarints(packed: readonly Uint8Array[], type: OnnxType, bytes: number, what: string): Uint8Array {
  const made = new Uint8Array(bytes);
  const view = new DataView(made.buffer);
  const bits = BITS[type]!;
  const count = bits < 8 ? bytes : bytes / (bits / 8); // 4 and 2 bits: a varint is a byte of several
  let i = 0;
  for (const bytes of packed)
    for (const value of varints(bytes, what)) {
      if (i >= count) throw new TilewrightError('invalid-file', `${what}: expected ${count} numbers, got more`);
      if (bits === 64) view.setBigInt64(8 * i, value, true);
      else if (bits === 32) view.setInt32(4 * i, Number(BigInt.asIntN(32, value)), true);
      else if (bits === 16) view.setInt16(2 * i, Number(BigInt.asIntN(16, value)), true);
      else view.setInt8(i, Number(BigInt.asIntN(8, value)));
      i++;
    }
  if (i !== count) throw new TilewrightError('invalid-file', `${what}: expected ${count} numbers, got ${i}`);
  return made;
}
