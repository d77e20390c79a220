import { TilewrightError } from '../errors.ts';
import { type NpyType, npyData } from '../formats/npy.ts';
import type { OnnxType } from '../formats/onnx-model.ts';
import { fromHalf } from '../tensor/half.ts';
import { elementCount } from '../tensor/types.ts';
import { randomNumbers } from '../verify/values.ts';
import type { GraphValue } from './nodes.ts';
import type { GraphNumbers, GraphOutput, GraphTensor } from './run-tensors.ts';
import { isFloating } from './values.ts';

/** What a .npy file has for ONNX's types. */
export const NPY: Partial<Record<OnnxType, NpyType>> = {
  float: 'f4',
  double: 'f8',
  float16: 'f2',
  bfloat16: 'f4',
  int64: 'i8',
  uint64: 'u8',
  int32: 'i4',
  uint32: 'u4',
  int16: 'i2',
  uint16: 'u2',
  int8: 'i1',
  uint8: 'u1',
  bool: 'b1',
  int4: 'i1',
  uint4: 'u1',
};

/** The tensors of an output, by name. A sequence is an output for each of its items: `name.0`; nothing is none. */
export function tensorsOf(name: string, output: GraphOutput): [string, GraphTensor][] {
  if (output === undefined) return [];
  if ('data' in output) return [[name, output]];
  return output.flatMap((item, i) => tensorsOf(`${name}.${i}`, item));
}

/** The numbers of a .npy file for an input. Floats of any length are taken for floats. Error: `wrong-type`. */
export function fromNpy(
  { name, type: wanted }: Pick<GraphValue, 'name' | 'type'>,
  type: NpyType,
  bytes: Uint8Array,
): GraphNumbers['data'] {
  const data = npyData(type, bytes);
  const expected = NPY[wanted as OnnxType];
  if (expected === type) return data;
  if (isFloating(wanted as OnnxType) && type === 'f2') return Float32Array.from(data as Uint16Array, fromHalf);
  if (isFloating(wanted as OnnxType) && type.startsWith('f')) return data;
  throw new TilewrightError('wrong-type', `input ${name}: expected ${wanted} (${expected ?? 'JSON'}), got ${type}`);
}

/** What the numbers of a tensor are, in short. */
export interface Summary {
  /** Of the numbers that are no NaN; absent where there is none. */
  readonly least?: number;
  readonly largest?: number;
  readonly mean?: number;
  readonly nan: number;
  readonly first: readonly number[];
}

/** Summary of numbers as a run gives them; float16 is its bits. `first`: how many are listed. */
export function summaryOf(type: OnnxType, data: ArrayLike<number | bigint>, first: number): Summary {
  const at = (i: number): number => (type === 'float16' ? fromHalf(Number(data[i])) : Number(data[i]));
  let [least, largest, sum, nan] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0];
  for (let i = 0; i < data.length; i++) {
    const value = at(i);
    if (Number.isNaN(value)) {
      nan++;
      continue;
    }
    least = Math.min(least, value);
    largest = Math.max(largest, value);
    sum += value;
  }
  const count = data.length - nan;
  return {
    ...(count && { least, largest, mean: sum / count }),
    nan,
    first: Array.from({ length: Math.min(first, data.length) }, (_, i) => at(i)),
  };
}

/** Numbers for the symbols among dimensions: those given, then those of inputs that are there. */
export function symbolsFrom(
  inputs: readonly GraphValue[],
  given: readonly { readonly name: string; readonly dims: readonly number[] }[],
  dims: Readonly<Record<string, number>>,
): Map<string, number> {
  const symbols = new Map(Object.entries(dims));
  for (const { name, dims: own } of given)
    inputs
      .find((one) => one.name === name)
      ?.dims?.forEach((size, d) => {
        if (typeof size === 'string' && size) symbols.set(size, own[d]!);
      });
  return symbols;
}

/**
 * A made-up input: floats from -1 to 1, integers 0 and 1, which most indices and masks may be; the same for a seed.
 * Error: `invalid-argument` for a type or a dimension that is not known.
 */
export function madeUp(
  { name, type, dims }: GraphValue,
  symbols: ReadonlyMap<string, number>,
  seed: number,
): GraphNumbers {
  const fail = (problem: string, hint?: string): never => {
    throw new TilewrightError('invalid-argument', `the input '${name}' ${problem}`, hint === undefined ? {} : { hint });
  };
  if (!dims || !NPY[type as OnnxType])
    return fail(`is ${type}${dims ? '' : ' of any dimensions'}: give it with --input`);
  const shape = dims.map((size) => {
    if (typeof size === 'number') return size;
    return (
      symbols.get(size) ?? fail(`has the dimension ${size || '?'}, which is not known`, `Give --dims ${size || '?'}=N.`)
    );
  });
  const random = randomNumbers(`${seed} ${name}`);
  const next = isFloating(type as OnnxType) ? () => 2 * random() - 1 : () => Math.floor(2 * random());
  return { dims: shape, data: Array.from({ length: elementCount(shape) }, next) };
}
