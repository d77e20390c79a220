import { TilewrightError } from '../errors.ts';
import type { ByteSource } from '../hub/source.ts';

/** Bytes from `start` up to `end` of the file: what is large is not read with the message. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/**
 * How the value of a field is read. `bytes`, `floats`, `doubles` and `varints` stay in the file as a list of ranges, one
 * a chunk. Another message is given by its schema.
 */
export type Kind = 'int' | 'bigint' | 'float' | 'string' | 'bytes' | 'floats' | 'doubles' | 'varints' | (() => Schema);

/** Fields of a message by number. `repeated`: a list; twice is an error elsewhere. */
export interface Schema {
  readonly name: string;
  readonly fields: Readonly<Record<number, Field>>;
}

export interface Field {
  readonly name: string;
  readonly kind: Kind;
  readonly repeated?: true;
}

export type Message = Record<string, unknown>;

/** Messages inside messages, as protobuf's own readers allow. */
const MAX_DEPTH = 100;
/** Bytes of a window, which is what is read of the file at a time: after a leap, and at the most. */
const [LEAST_WINDOW, WINDOW] = [4 * 1024, 256 * 1024];
/** The largest text. Names of tensors are short. */
const MAX_TEXT = 1 << 24;
const KEY_BYTES = 20; // two varints: a key, and a length or a number

const [VARINT, FIXED64, LENGTH, FIXED32] = [0, 1, 2, 5];
const TEXT = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads messages of protobuf's wire format from a file, of which a window is in memory at a time. Fields that a schema
 * does not name are skipped. Errors: `invalid-file`, with the message, the field and the byte.
 * Source: protobuf.dev, "Encoding".
 */
export class ProtobufReader {
  #window: Uint8Array = new Uint8Array(0);
  #view = new DataView(this.#window.buffer);
  #from = 0;
  #step = WINDOW / 4;
  #at = 0;
  #where = '';

  constructor(
    private readonly source: ByteSource,
    private readonly signal?: AbortSignal,
  ) {}

  /** Reads the message that is the whole file. */
  read(schema: Schema): Promise<Message> {
    return this.#message(schema, this.source.size, 0);
  }

  /** The fields of a message as they lie in the file, unread: the number, the first byte of the key, the value. */
  async *fields({ start, end }: Range): AsyncGenerator<{ number: number; start: number; value: Range }> {
    for (let at = start; at < end; ) {
      this.#at = at; // another message may have been read meanwhile
      this.#where = 'a message';
      if (this.#lacks(KEY_BYTES, end)) await this.#load(KEY_BYTES, end);
      const key = this.#number(end);
      const stop = this.#extent(key % 8, end);
      const value = { start: this.#at, end: stop };
      yield { number: Math.floor(key / 8), start: at, value };
      at = stop;
    }
  }

  async #message({ name, fields }: Schema, end: number, depth: number): Promise<Message> {
    if (depth > MAX_DEPTH) this.#fail(`messages are nested deeper than ${MAX_DEPTH} levels`);
    const message: Message = {};
    while (this.#at < end) {
      this.#where = name;
      if (this.#lacks(KEY_BYTES, end)) await this.#load(KEY_BYTES, end);
      const key = this.#number(end);
      const [number, wire] = [Math.floor(key / 8), key % 8];
      const field = fields[number];
      if (number === 0) this.#fail('there is no field 0');
      if (field) this.#where = `${name}.${field.name}`;
      const stop = this.#extent(wire, end);
      if (field) await this.#value(message, field, wire, stop, depth);
      this.#at = stop;
    }
    return message;
  }

  /** Where the value ends that begins here; of a varint, where its last byte may lie. Steps over a length. */
  #extent(wire: number, end: number): number {
    let length = 0;
    if (wire === LENGTH) length = this.#number(end);
    else if (wire === FIXED32) length = 4;
    else if (wire === FIXED64) length = 8;
    else if (wire === VARINT) {
      const start = this.#at;
      this.#varint(end);
      length = this.#at - start;
      this.#at = start;
    } else this.#fail(`the wire type ${wire} is not known`);
    if (this.#at + length > end) this.#fail(`${length} bytes are promised, ${end - this.#at} are there`);
    return this.#at + length;
  }

  async #value(message: Message, field: Field, wire: number, stop: number, depth: number): Promise<void> {
    const { name, kind, repeated } = field;
    const range = { start: this.#at, end: stop };
    if (kind === 'bytes' || kind === 'floats' || kind === 'doubles' || kind === 'varints') {
      const single = { bytes: LENGTH, floats: FIXED32, doubles: FIXED64, varints: VARINT }[kind];
      if (wire !== LENGTH && wire !== single) this.#fail(`the wire type ${wire} is not that of ${kind}`);
      listOf<Range>(message, name).push(...(stop > range.start || kind === 'bytes' ? [range] : []));
      return;
    }
    const scalar = { int: VARINT, bigint: VARINT, float: FIXED32, string: LENGTH }[kind as string] ?? LENGTH;
    const packed = repeated === true && wire === LENGTH && scalar !== LENGTH;
    if (wire !== scalar && !packed) this.#fail(`the wire type ${wire} is not that of its type`);
    if (!repeated && name in message) this.#fail('the field is there twice');
    const take = (value: unknown): void => {
      if (repeated) listOf(message, name).push(value);
      else message[name] = value;
    };
    if (typeof kind === 'function') return take(await this.#message(kind(), stop, depth + 1));
    if (kind === 'string' && stop - this.#at > MAX_TEXT) this.#fail(`a text of ${stop - this.#at} bytes`);
    if (packed) listOf(message, name);
    for (let more = !packed || this.#at < stop; more; more = packed && this.#at < stop) {
      const least = kind === 'string' ? stop - this.#at : 10;
      if (this.#lacks(least, stop)) await this.#load(least, stop);
      if (kind === 'string') take(this.#text(stop));
      else if (kind === 'float') take(this.#float(stop));
      else {
        const value = this.#varint(stop);
        take(kind === 'bigint' ? BigInt.asIntN(64, value) : Number(BigInt.asIntN(32, value)));
      }
    }
  }

  #text(stop: number): string {
    const start = this.#at - this.#from;
    this.#at = stop;
    try {
      return TEXT.decode(this.#window.subarray(start, start + stop - this.#from - start));
    } catch {
      return this.#fail('the text is not UTF-8');
    }
  }

  #float(stop: number): number {
    if (this.#at + 4 > stop) this.#fail('a number is cut off');
    const value = this.#view.getFloat32(this.#at - this.#from, true);
    this.#at += 4;
    return value;
  }

  /** A varint that is a length or a key. */
  #number(end: number): number {
    const value = this.#varint(end);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) this.#fail(`a length of ${value}`);
    return Number(value);
  }

  /** At most ten bytes of seven bits, the lowest first. They are in the window. */
  #varint(end: number): bigint {
    let [low, high] = [0, 0]; // 28 and 36 bits: both are exact
    for (let i = 0; i < 10; i++) {
      if (this.#at >= end) this.#fail('a number is cut off');
      const byte = this.#window[this.#at++ - this.#from]!;
      if (i < 4) low += (byte & 127) * 2 ** (7 * i);
      else high += (byte & 127) * 2 ** (7 * (i - 4));
      if (byte < 128) return high ? BigInt.asUintN(64, BigInt(low) + (BigInt(high) << 28n)) : BigInt(low);
    }
    return this.#fail('a number has more than ten bytes');
  }

  /** Whether fewer than `count` of the bytes from here up to `end` are in the window. */
  #lacks(count: number, end: number): boolean {
    const have = this.#from + this.#window.length;
    return this.#at < this.#from || (have < this.#at + count && have < end);
  }

  async #load(count: number, end: number): Promise<void> {
    const { size } = this.source;
    const leaps = this.#at < this.#from || this.#at > this.#from + this.#window.length;
    this.#step = leaps ? LEAST_WINDOW : Math.min(4 * this.#step, WINDOW);
    const to = Math.min(Math.max(Math.min(this.#at + count, end), this.#at + this.#step), size);
    this.#window = await this.source.slice(this.#at, to, this.signal);
    this.#view = new DataView(this.#window.buffer, this.#window.byteOffset, this.#window.byteLength);
    this.#from = this.#at;
  }

  #fail(problem: string): never {
    throw new TilewrightError('invalid-file', `${this.source.name}: byte ${this.#at}: ${this.#where}: ${problem}`);
  }
}

/** The list of a field, empty at first. */
function listOf<T>(message: Message, name: string): T[] {
  message[name] ??= [];
  return message[name] as T[];
}

/** The numbers of packed varints, as 64-bit integers with a sign. Error: `invalid-file`. */
export function* varints(bytes: Uint8Array, name: string): Generator<bigint> {
  for (let at = 0; at < bytes.length; ) {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined || shift > 63n)
        throw new TilewrightError('invalid-file', `${name}: a number of its data is cut off or too long`);
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) break;
    }
    yield BigInt.asIntN(64, value);
  }
}
