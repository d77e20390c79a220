import { type NpyType, npyData } from '../../formats/npy.ts';
import type { OnnxType } from '../../formats/onnx-model.ts';
import { fromNpy, madeUp, NPY, symbolsFrom, tensorsOf } from '../../onnx/exchange.ts';
import type { GraphModel } from '../../onnx/graph-model.ts';
import type { GraphInput, GraphNumbers } from '../../onnx/run-tensors.ts';
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

/** Runs an ONNX model once. Errors: those of its run; `wrong-type` for a file of another type. */
export const runGraph: Job<RunGraphArgs, RanOutput[]> = async ({ inputs: given, seed, sink, ...args }, context) => {
  const model = await loadGraph(args, context);
  const inputs: Record<string, GraphInput> = {};
  for (const input of given) inputs[input.name] = { dims: input.dims, data: await dataOf(input, model, context) };
  if (seed !== undefined) {
    const symbols = symbolsFrom(model.inputs, given, args.load?.dims ?? {});
    for (const input of model.inputs) inputs[input.name] ??= madeUp(input, symbols, seed);
  }
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

/** The numbers of an input. A name that is not known the run refuses. */
async function dataOf(input: GivenInput, model: GraphModel, context: JobContext): Promise<GraphNumbers['data']> {
  if ('data' in input) return input.data;
  const bytes = await readAll(context, input.lent);
  const wanted = model.inputs.find(({ name }) => name === input.name);
  return wanted ? fromNpy(wanted, input.type, bytes) : npyData(input.type, bytes);
}
