import { fromHalf, toHalf } from '../tensor/half.ts';
import { packInt4, unpackInt4 } from '../tensor/int4.ts';
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

/** NaN, infinities, zeros: of either sign. */
const SPECIAL: readonly number[] = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0];

const LARGEST: Partial<Record<DataType, number>> = { int4x8: 7, int8: 127, uint8: 255, int32: 1000, uint32: 1000 };

function drawer(values: Values, dataType: DataType, random: () => number): () => number {
  const signed = !dataType.startsWith('u');
  const whole = (from: number, to: number): number => from + Math.floor(random() * (to - from + 1));
  const sign = (): number => (signed && random() < 0.5 ? -1 : 1);
  if (values === 'mask') return () => whole(0, 2);
  if (values === 'few') return () => sign() * whole(1, 3);
  if (values === 'special') {
    const other = drawer('random', dataType, random);
    return () => (random() < 1 / 48 ? SPECIAL[Math.floor(SPECIAL.length * random())]! : other());
  }
  if (values === 'random')
    return isFloat(dataType) ? () => sign() * (0.1 + 0.9 * random()) : () => sign() * whole(1, LARGEST[dataType]!);
  if (values === 'positive') return isFloat(dataType) ? () => 0.1 + 1.9 * random() : () => whole(1, LARGEST[dataType]!);
  const { low, high } = values as { low: number; high: number };
  return isFloat(dataType) ? () => low + (high - low) * random() : () => whole(low, high) || high;
}

/**
 * Numbers drawn for a tensor at the most. A larger tensor repeats them, so the host does not hold it whole. Eight times
 * a prime: rows start at different numbers whatever their length, and int4 fills whole words.
 */
export const PERIOD = 8 * 131_071;

/** The data of an input for the GPU and for the reference: the same numbers, rounded to the type. */
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
  const numbers = Float64Array.from({ length: Math.min(count, period) }, (_, i) =>
    draw ? draw() : listed![i % listed!.length]!,
  );
  const data = asData(numbers, dataType);
  const reference = { dataType, shape, data: repeated(asNumbers(data, dataType, numbers.length), count) };
  return { data, reference };
}

/** `count` numbers: these, repeated. */
function repeated(numbers: Float64Array, count: number): ArrayLike<number> {
  if (numbers.length === count) return numbers;
  const get = (_: object, key: string | symbol): number =>
    key === 'length' ? count : numbers[Number(key) % numbers.length]!;
  return new Proxy<ArrayLike<number>>({ length: count }, { get });
}

/** Numbers in the form of the GPU: float16 as bits, int4x8 packed. */
function asData(numbers: Float64Array, dataType: DataType): TensorData {
  if (dataType === 'int4x8') return packInt4(numbers);
  const data = typedArray(dataType, numbers.length);
  data.set(dataType === 'float16' ? numbers.map(toHalf) : numbers);
  return data;
}

/** `count` numbers of a typed array, or those at `places`. float16 is bits there, int4 packed. */
export function asNumbers(data: TensorData, dataType: DataType, count: number, places?: Uint32Array): Float64Array {
  const whole = dataType === 'int4x8' ? unpackInt4(data as Uint8Array, count) : data;
  const numbers = places ? Float64Array.from(places, (place) => whole[place]!) : Float64Array.from(whole);
  return dataType === 'float16' ? numbers.map(fromHalf) : numbers;
}
