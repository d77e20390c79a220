import { fromHalf, toHalf } from '../tensor/half.ts';
import { type DataType, elementCount, isFloat, type TensorData, typedArray } from '../tensor/types.ts';
import type { TensorSpec, Values } from './case.ts';
import type { RefTensor } from './reference/tensor.ts';

/** Numbers from 0 to below 1, the same for the same seed (Mulberry32). */
export function randomNumbers(seed: string): () => number {
  let state = [...seed].reduce((hash, letter) => Math.imul(hash ^ letter.charCodeAt(0), 16777619), 2166136261);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const LARGEST: Partial<Record<DataType, number>> = { int8: 127, uint8: 255, int32: 1000, uint32: 1000 };

function drawer(values: Values, dataType: DataType, random: () => number): () => number {
  const signed = !dataType.startsWith('u');
  const whole = (from: number, to: number): number => from + Math.floor(random() * (to - from + 1));
  const sign = (): number => (signed && random() < 0.5 ? -1 : 1);
  if (values === 'mask') return () => whole(0, 2);
  if (values === 'few') return () => sign() * whole(1, 3);
  if (values === 'random')
    return isFloat(dataType) ? () => sign() * (0.1 + 0.9 * random()) : () => sign() * whole(1, LARGEST[dataType]!);
  if (values === 'positive') return isFloat(dataType) ? () => 0.1 + 1.9 * random() : () => whole(1, LARGEST[dataType]!);
  const { low, high } = values as { low: number; high: number };
  return isFloat(dataType) ? () => low + (high - low) * random() : () => whole(low, high) || high;
}

/**
 * So many numbers are drawn for a tensor at most, and repeated where it is larger: the host need not hold it whole. Four times a
 * prime: rows of no length start alike.
 */
export const PERIOD = 4 * 262_139;

/** The data of an input as the GPU gets it and as the reference does: the same numbers, rounded to the type. */
export function makeTensor(
  { shape, values = 'random' }: TensorSpec,
  dataType: DataType,
  run: number,
  seed: string,
  period = PERIOD,
): { data: TensorData; reference: RefTensor } {
  const listed =
    typeof values === 'function' ? values(run) : Array.isArray(values) ? (values as readonly number[]) : undefined;
  const draw = listed ? undefined : drawer(values as Values, dataType, randomNumbers(`${seed} ${run}`));
  const count = elementCount(shape);
  const data = typedArray(dataType, Math.min(count, period));
  for (let i = 0; i < data.length; i++) {
    const value = draw ? draw() : listed![i % listed!.length]!;
    data[i] = dataType === 'float16' ? toHalf(value) : value;
  }
  return { data, reference: { dataType, shape, data: repeated(asNumbers(data, dataType), count) } };
}

/** `count` numbers: these, again and again. */
function repeated(numbers: Float64Array, count: number): ArrayLike<number> {
  if (numbers.length === count) return numbers;
  const get = (_: object, key: string | symbol): number =>
    key === 'length' ? count : numbers[Number(key) % numbers.length]!;
  return new Proxy<ArrayLike<number>>({ length: count }, { get });
}

/** A typed array as numbers, at some places or at all: float16 is held as bits. */
export function asNumbers(data: TensorData, dataType: DataType, places?: Uint32Array): Float64Array {
  const numbers = places ? Float64Array.from(places, (place) => data[place]!) : Float64Array.from(data);
  return dataType === 'float16' ? numbers.map(fromHalf) : numbers;
}
