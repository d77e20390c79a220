import { TilewrightError } from '../../errors.ts';
import type { OnnxType } from '../../formats/onnx.ts';
import type { GraphModel, GraphValue } from '../../onnx/graph-model.ts';
import type { GraphInput, GraphOutput, GraphTensor } from '../../onnx/run-tensors.ts';
import { isFloating } from '../../onnx/values.ts';
import { fromHalf } from '../../tensor/half.ts';
import { elementCount } from '../../tensor/types.ts';
import { randomNumbers } from '../../verify/values.ts';
import { type NpyType, npyData } from '../npy.ts';
import { type Job, type JobContext, readAll } from './job.ts';
import { loadGraph, type ModelArgs } from './load.ts';

/** An input: bytes that are lent, as a .npy file has them, or numbers and texts. */
export type GivenInput = { readonly name: string; readonly dims: readonly number[] } & (
  | { readonly type: NpyType; readonly lent: string }
  | { readonly data: readonly (number | boolean | string)[] }
);

export interface RunGraphArgs extends ModelArgs {
  readonly inputs: readonly GivenInput[];
  /** Makes up the inputs that are not given. */
  readonly seed?: number;
  /** Where the bytes of outputs go: each output of numbers in a piece, in their order. */
  readonly sink: string;
}

/** An output. A sequence is an output for each of its items: `name.0`. */
export interface RanOutput {
  readonly name: string;
  readonly type: OnnxType;
  readonly dims: readonly number[];
  /** What its numbers are, or all its texts. */
  readonly data: NpyType | readonly string[];
}

/** What a .npy file has for ONNX's types. */
const NPY: Partial<Record<OnnxType, NpyType>> = {
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

/** Runs an ONNX model once. Errors: those of its run; `wrong-type` for a file of another type. */
export const runGraph: Job<RunGraphArgs, RanOutput[]> = async ({ inputs: given, seed, sink, ...args }, context) => {
  const model = await loadGraph(args, context);
  const inputs: Record<string, GraphInput> = {};
  for (const input of given) inputs[input.name] = { dims: input.dims, data: await dataOf(input, model, context) };
  if (seed !== undefined) Object.assign(inputs, madeUp(model, given, args.load?.dims ?? {}, seed));
  const results = await model.run(inputs, { signal: context.signal });
  const outputs: RanOutput[] = [];
  for (const [name, { type, dims, data }] of model.outputs.flatMap(({ name }) => tensorsOf(name, results[name]))) {
    const texts = type === 'string';
    outputs.push({ name, type, dims, data: texts ? (data as readonly string[]) : NPY[type]! });
    if (texts) continue;
    const { buffer, byteOffset, byteLength } = data as Uint8Array;
    await context.write(sink, new Uint8Array(buffer, byteOffset, byteLength));
  }
  return outputs;
};

/** The tensors of an output, by name. An optional one that is not there has none. */
function tensorsOf(name: string, output: GraphOutput): [string, GraphTensor][] {
  if (output === undefined) return [];
  if ('data' in output) return [[name, output]];
  return output.flatMap((item, i) => tensorsOf(`${name}.${i}`, item));
}

/** The numbers of an input. Floats of any length are taken for floats. */
async function dataOf(
  input: GivenInput,
  model: GraphModel,
  context: JobContext,
): Promise<Extract<GraphInput, { data: unknown }>['data']> {
  if ('data' in input) return input.data;
  const { name, type, lent } = input;
  const data = npyData(type, await readAll(context, lent));
  const wanted = model.inputs.find((one) => one.name === name)?.type as OnnxType | undefined;
  if (wanted === undefined || NPY[wanted] === type) return data; // a name that is not known: the run says so
  if (isFloating(wanted) && type === 'f2') return Float32Array.from(data as Uint16Array, fromHalf);
  if (isFloating(wanted) && type.startsWith('f')) return data;
  throw new TilewrightError('wrong-type', `input ${name}: expected ${wanted} (${NPY[wanted] ?? 'JSON'}), got ${type}`);
}

/** Inputs that were not given: floats from -1 to 1, integers 0 and 1, which most indices and masks may be. */
function madeUp(
  model: GraphModel,
  given: readonly GivenInput[],
  dims: Readonly<Record<string, number>>,
  seed: number,
): Record<string, GraphInput> {
  const symbols = new Map(Object.entries(dims));
  for (const { name, dims: own } of given)
    model.inputs
      .find((one) => one.name === name)
      ?.dims?.forEach((size, d) => {
        if (typeof size === 'string' && size) symbols.set(size, own[d]!);
      });
  const missing = model.inputs.filter(({ name }) => !given.some((one) => one.name === name));
  return Object.fromEntries(missing.map((input) => [input.name, randomTensor(input, symbols, seed)]));
}

function randomTensor(
  { name, type, dims }: GraphValue,
  symbols: ReadonlyMap<string, number>,
  seed: number,
): GraphInput {
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
