import { TilewrightError } from '../errors.ts';
import type { OnnxType } from '../formats/onnx-model.ts';
import { shown } from '../options.ts';
import { fromHalf } from '../tensor/half.ts';
import { type DataType, elementCount, formatShape, type TensorData, typedArray } from '../tensor/types.ts';
import { isFloating, known, type Scalar, toDevice, type Value } from './values.ts';

/** A tensor that a run gives: its type under ONNX's name, its dimensions, its numbers (bool: 0 and 1; float16: bits). */
export interface GraphTensor {
  readonly type: OnnxType;
  readonly dims: readonly number[];
  /** Empty where they were copied into a buffer on the device. */
  readonly data: GraphData;
}

/**
 * A tensor on the engine's device, in a buffer with the usage COPY_SRC. int64, uint64, int16 and uint16 have 32 bits an
 * element there, double and bfloat16 are float32, bool is a byte; types of less than 32 bits are packed. The buffer may
 * be larger.
 */
export interface GraphBuffer {
  readonly dims: readonly number[];
  /** On the engine's device. */
  readonly buffer: GPUBuffer;
}

/** Numbers or texts of a tensor of ONNX, by its type: int64 is a BigInt64Array, float16 its bits in a Uint16Array. */
export type GraphData = TensorData | Int16Array | Float64Array | BigInt64Array | BigUint64Array | readonly string[];

/** Numbers with their dimensions. */
export interface GraphNumbers {
  readonly dims: readonly number[];
  readonly data: GraphData | readonly (number | bigint | boolean | string)[];
}

/** What a run takes: numbers alone where the dimensions follow from the model and their count, else with dimensions. */
export type GraphInput = GraphData | readonly (number | bigint | boolean)[] | GraphNumbers | GraphBuffer;

/** What a run takes, by name. */
export type GraphInputs = Readonly<Record<string, GraphInput>>;

/** What a run gives under a name: a tensor, a sequence of them, or nothing for an optional value that is absent. */
export type GraphOutput = GraphTensor | readonly GraphOutput[] | undefined;

/** Whether an input is in a buffer of the caller's. */
export const isOnDevice = (input: GraphInput): input is GraphBuffer =>
  !ArrayBuffer.isView(input) && typeof (input as Partial<GraphBuffer> | null)?.buffer?.size === 'number';

/** An input of a run: its numbers, of its type. */
export interface Given {
  readonly type: OnnxType;
  readonly dims: readonly number[];
  /** Undefined where it is on the device: in `buffer`, or where `feedback` has it, zeros at first. */
  readonly values: ArrayLike<Scalar> | undefined;
  readonly buffer?: GPUBuffer | undefined;
}

/** The numbers of an input as the device takes them. */
export function numbersFor(
  name: string,
  type: OnnxType,
  dims: readonly number[],
  values: ArrayLike<Scalar>,
  device: DataType,
): TensorData {
  const right = typedArray(device, 0).constructor;
  if (device !== 'float16' && values.constructor === right) return values as TensorData;
  return toDevice(`input ${name}`, { type, shape: dims }, Array.from(values), device);
}

/** A value of the graph, with what the device computed of it by its place among the outputs. */
export function resultOf(value: Value, name: string, results: Readonly<Record<string, TensorData>>): GraphOutput {
  if (value.kind === 'nothing') return undefined;
  if (value.kind === 'sequence') return value.items.map((item, i) => resultOf(item, `${name}.${i}`, results));
  const { type, shape, known } = value;
  return { type, dims: shape, data: known ? arrayOf(type, known) : taken(type, results[name]!) };
}

const ARRAYS = {
  float: Float32Array,
  double: Float64Array,
  float16: Uint16Array,
  bfloat16: Float32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
  int4: Int8Array,
  uint4: Uint8Array,
} as const;

/** Numbers in the array of their type. */
export function arrayOf(type: OnnxType, values: readonly Scalar[]): GraphData {
  if (type === 'string') return values as readonly string[];
  if (type === 'float16')
    return toDevice('an output', { type, shape: [values.length] }, values, 'float16') as Uint16Array;
  const Type = ARRAYS[type as keyof typeof ARRAYS] as unknown as { from(values: readonly Scalar[]): GraphData };
  return Type.from(values);
}

/** What the device gives, in the array of its type. */
function taken(type: OnnxType, data: TensorData): GraphData {
  if (type === 'float16' && data instanceof Uint16Array) return data;
  if (type !== 'float16' && isFloating(type) && data instanceof Uint16Array) return Float32Array.from(data, fromHalf);
  const Type = ARRAYS[type as keyof typeof ARRAYS];
  if (data.constructor === Type) return data;
  return arrayOf(
    type,
    Array.from(data, (value) => fromDevice(type, value)),
  );
}

export const fromDevice = (type: OnnxType, value: number): Scalar =>
  type === 'int64' || type === 'uint64' ? BigInt(value) : value;

/** An input of a run, checked. Symbols take their number from the first input that has them. */
export function bind(
  name: string,
  type: OnnxType,
  declared: readonly (number | string)[] | undefined,
  input: GraphInput,
  symbols: Map<string, number>,
): Given {
  const isList = (value: unknown): value is ArrayLike<number | bigint | boolean | string> =>
    Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
  const { dims, data, buffer } = (isList(input) ? { dims: undefined, data: input } : (input ?? {})) as {
    dims: readonly number[] | undefined;
    data: unknown;
    buffer?: GPUBuffer;
  };
  const isBuffer = isOnDevice(input) && data === undefined;
  if (!isList(data) && !isBuffer)
    throw new TilewrightError(
      'invalid-argument',
      `input ${name}: expected an array, { dims, data } or { dims, buffer }`,
    );
  if (isBuffer && !dims) throw new TilewrightError('invalid-argument', `input ${name}: a buffer needs its dims`);
  if (dims !== undefined && !(isList(dims) && dims.every((size) => Number.isSafeInteger(size) && size >= 0)))
    throw new TilewrightError(
      'invalid-argument',
      `input ${name}: dims: expected integers from 0 on, got ${shown(dims)}`,
    );
  const shape = dims ?? guessed(name, declared, (data as ArrayLike<unknown>).length, symbols);
  if (
    declared &&
    (declared.length !== shape.length || declared.some((size, d) => typeof size === 'number' && size !== shape[d]))
  )
    throw new TilewrightError(
      'wrong-shape',
      `input ${name}: expected [${declared.map((size) => size || '?')}], got ${formatShape(shape)}`,
    );
  declared?.forEach((symbol, d) => {
    if (typeof symbol !== 'string' || !symbol) return;
    const size = symbols.get(symbol) ?? shape[d]!;
    if (size !== shape[d])
      throw new TilewrightError(
        'wrong-shape',
        `input ${name}: dimension ${d} is ${symbol}, which is ${size} already, got ${shape[d]}`,
      );
    symbols.set(symbol, size);
  });
  if (!isList(data)) return { type, dims: shape, values: undefined, buffer };
  if (elementCount(shape) !== data.length)
    throw new TilewrightError(
      'wrong-shape',
      `input ${name}: ${formatShape(shape)} has ${elementCount(shape)} elements, the array ${data.length}`,
    );
  return { type, dims: shape, values: scalars(name, type, data) };
}

/** The dimensions, where all but one are known. */
function guessed(
  name: string,
  declared: readonly (number | string)[] | undefined,
  length: number,
  symbols: ReadonlyMap<string, number>,
): number[] {
  const fail = (): never => {
    throw new TilewrightError(
      'wrong-shape',
      `input ${name}: its dimensions [${declared ?? '?'}] do not follow from ${length} elements`,
      {
        hint: 'Give { dims, data }.',
      },
    );
  };
  if (!declared) return fail();
  const dims = declared.map((size) => (typeof size === 'number' ? size : symbols.get(size)));
  const open = dims.flatMap((size, d) => (size === undefined ? [d] : []));
  if (open.length > 1) return fail();
  const others = dims.reduce<number>((product, size) => product * (size ?? 1), 1);
  if (open.length === 1) dims[open[0]!] = others ? length / others : 0;
  return dims.every((size) => Number.isInteger(size)) ? (dims as number[]) : fail();
}

/** The numbers of an array that a caller gave for a type. Error: `wrong-type`. */
function scalars(name: string, type: OnnxType, data: ArrayLike<number | bigint | boolean | string>): ArrayLike<Scalar> {
  if (ArrayBuffer.isView(data)) {
    const expected = ARRAYS[type as keyof typeof ARRAYS] ?? Array;
    const floats = isFloating(type) && (data instanceof Float32Array || data instanceof Float64Array);
    if (!(data instanceof expected) && !floats && !(type === 'float16' && data instanceof Uint16Array))
      throw new TilewrightError(
        'wrong-type',
        `input ${name}: expected ${expected.name} for ${type}, got ${data.constructor.name}`,
      );
    return type === 'float16' && data instanceof Uint16Array
      ? Array.from(data, fromHalf)
      : (data as unknown as ArrayLike<Scalar>);
  }
  const given = Array.from(data, (value) => (typeof value === 'boolean' ? Number(value) : value));
  const kinds = type === 'string' ? ['string'] : ['number', 'bigint'];
  const exact = type === 'string' || isFloating(type) ? undefined : known;
  const stray = given.findIndex((value) => !kinds.includes(typeof value));
  const held = stray < 0 ? exact?.(type, [data.length], given).known : undefined;
  const lost = held ? given.findIndex((value, i) => Number(held[i]) !== Number(value)) : stray;
  if (lost >= 0)
    throw new TilewrightError('wrong-type', `input ${name}: element ${lost} is ${data[lost]}, which is no ${type}`);
  return held ?? known(type, [data.length], given).known!;
}
