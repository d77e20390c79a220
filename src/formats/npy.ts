import { TilewrightError } from '../errors.ts';
import { elementCount } from '../tensor/types.ts';

/** Types of elements as .npy files name them, without the order of bytes: `f4` is float32. */
const ARRAYS = {
  f4: Float32Array,
  f2: Uint16Array, // bits
  f8: Float64Array,
  i1: Int8Array,
  u1: Uint8Array,
  i2: Int16Array,
  u2: Uint16Array,
  i4: Int32Array,
  u4: Uint32Array,
  i8: BigInt64Array,
  u8: BigUint64Array,
  b1: Uint8Array,
} as const;

export type NpyType = keyof typeof ARRAYS;

/** An array as a .npy file has it. float16 is its bits, bool is 0 and 1. */
export interface Npy {
  readonly type: NpyType;
  readonly dims: readonly number[];
  /** Little-endian, the last dimension first. */
  readonly bytes: Uint8Array;
}

/** A typed array of the numbers. */
export const npyData = (type: NpyType, bytes: Uint8Array): InstanceType<(typeof ARRAYS)[NpyType]> =>
  new ARRAYS[type](new Uint8Array(bytes).buffer); // a Buffer's own slice is no copy

const MAGIC = '\x93NUMPY';
/** The header ends at a multiple of this, so that the numbers are aligned. */
const ALIGNED = 64;

/**
 * Reads a .npy file of the format 1.0, 2.0 or 3.0 (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).
 * Errors: `invalid-file`; `unsupported-type` for other types, Fortran's order and the order of bytes of large machines.
 */
export function readNpy(name: string, file: Uint8Array): Npy {
  const fail = (problem: string): never => {
    throw new TilewrightError('invalid-file', `${name}: ${problem}`);
  };
  const refuse = (what: string, hint: string): never => {
    throw new TilewrightError('unsupported-type', `${name}: ${what}`, { hint });
  };
  const text = (from: number, to: number): string => String.fromCharCode(...file.subarray(from, to));
  if (text(0, 6) !== MAGIC) fail('expected the format of NumPy (.npy), got something else');
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const start = file[6] === 1 ? 10 : 12;
  if (file.length < start) fail('it ends within its header');
  const end = start + (start === 10 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (file.length < end) fail('it ends within its header');
  const header = new TextDecoder().decode(file.subarray(start, end));
  const [, descr] = /'descr': *'([^']*)'/.exec(header) ?? [];
  const [, fortran] = /'fortran_order': *(True|False)/.exec(header) ?? [];
  const [, shape] = /'shape': *\(([\d, ]*)\)/.exec(header) ?? [];
  if (fortran === undefined || shape === undefined) return fail(`its header is ${header.trim()}`);
  const [, order = '', type = ''] = /^([<>|=]?)(.*)$/.exec(descr ?? '') ?? [];
  if (!Object.hasOwn(ARRAYS, type))
    return refuse(
      `elements of ${descr ?? 'several fields'} are not read`,
      `Types are ${Object.keys(ARRAYS).join(', ')}.`,
    );
  if (order === '>') return refuse('its bytes are in the order of large machines (>)', "Save it with astype('<...').");
  if (fortran === 'True') return refuse("it is in Fortran's order", 'Save np.ascontiguousarray(...) of it.');
  const dims = shape.split(',').flatMap((size) => (size.trim() ? [Number(size)] : []));
  const bytes = file.subarray(end);
  const expected = elementCount(dims) * ARRAYS[type as NpyType].BYTES_PER_ELEMENT;
  if (bytes.length !== expected) fail(`[${dims}] of ${type} takes ${expected} bytes, ${bytes.length} are there`);
  return { type: type as NpyType, dims, bytes };
}

/** Writes a .npy file of the format 1.0. */
export function writeNpy({ type, dims, bytes }: Npy): Uint8Array<ArrayBuffer> {
  const order = ARRAYS[type].BYTES_PER_ELEMENT === 1 ? '|' : '<';
  const shape = dims.length === 1 ? `${dims[0]},` : dims.join(', ');
  const header = `{'descr': '${order}${type}', 'fortran_order': False, 'shape': (${shape}), }`;
  const start = Math.ceil((10 + header.length + 1) / ALIGNED) * ALIGNED;
  const file = new Uint8Array(start + bytes.length);
  const padded = `${header.padEnd(start - 11)}\n`;
  file.set(Array.from(`${MAGIC}\x01\x00`, (letter) => letter.charCodeAt(0)));
  new DataView(file.buffer).setUint16(8, padded.length, true);
  file.set(new TextEncoder().encode(padded), 10);
  file.set(bytes, start);
  return file;
}
