import { TilewrightError } from '../src/errors.ts';
import { openFolder } from '../src/hub/folder.ts';
import type { GraphModel } from '../src/onnx/graph-model.ts';
import type { GraphOutput } from '../src/onnx/run-tensors.ts';
import { ONNX_CASES, type OnnxCase } from './cases.ts';
import { modelWork, randomData } from './graphs.ts';
import type { Work } from './report.ts';

/** An input of a run, as the engine and onnxruntime-web take it. */
export interface OnnxInput {
  readonly type: 'float32' | 'int32' | 'int64';
  readonly dims: readonly number[];
  readonly data: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | BigInt64Array<ArrayBuffer>;
}

/** A file in memory with its inputs, ready for any engine. */
export interface OnnxTask extends Pick<OnnxCase, 'name' | 'shape'> {
  readonly model: Uint8Array<ArrayBuffer>;
  readonly inputs: Readonly<Record<string, OnnxInput>>;
}

/** An input of random numbers. */
const floats = (dims: readonly number[]): OnnxInput => ({
  type: 'float32',
  dims,
  data: randomData('float32', dims, 1) as Float32Array<ArrayBuffer>,
});

const integer = (value: bigint): OnnxInput => ({ type: 'int64', dims: [], data: BigInt64Array.of(value) });

/** Where each file of the cases is, by its path below `node_modules`: a URL, in Node a path. A file may be missing. */
export type OnnxFiles = Readonly<Record<string, string>>;

/** The places of all files, undefined where there is none. */
export async function onnxFiles(
  place: (path: string) => string | undefined | Promise<string | undefined>,
): Promise<OnnxFiles> {
  const files: Record<string, string> = {};
  for (const { path } of ONNX_CASES) {
    const found = await place(path);
    if (found !== undefined) files[path] = found;
  }
  return files;
}

/** Reads the files of cases. Those that are not there get a note with the reason. */
export async function onnxTasks(
  cases: readonly OnnxCase[],
  files: OnnxFiles,
): Promise<{ tasks: OnnxTask[]; notes: string[] }> {
  const [tasks, notes]: [OnnxTask[], string[]] = [[], []];
  for (const { path, name, shape, inputs } of cases) {
    const leave = (reason: string): void => void notes.push(`${name} ${shape} was left out: ${reason}`);
    const file = files[path];
    if (file === undefined) {
      leave(`node_modules has no ${path}`);
      continue;
    }
    try {
      const folder = await openFolder(file);
      const source = await folder.open(folder.onnx!);
      const made = Object.entries(inputs).map(([input, given]): [string, OnnxInput] => [
        input,
        typeof given === 'bigint' ? integer(given) : floats(given),
      ]);
      const model = new Uint8Array(await source.slice(0, source.size));
      tasks.push({ name, shape, model, inputs: Object.fromEntries(made) });
    } catch (error) {
      if (!(error instanceof TilewrightError)) throw error;
      leave(error.message);
    }
  }
  return { tasks, notes };
}

/** Runs a model once. All outputs are on the host then, one after the other in one array. */
export async function runOnnx(model: GraphModel, inputs: OnnxTask['inputs']): Promise<Float32Array<ArrayBuffer>> {
  const outputs = await model.run(inputs);
  return flat(model.outputs.map(({ name }) => numbersOf(outputs[name])));
}

function numbersOf(output: GraphOutput): Float32Array {
  if (output && 'data' in output && output.data instanceof Float32Array) return output.data;
  throw new TypeError('the cases have outputs of float32 only');
}

/** Arrays one after the other. */
export function flat(parts: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** What a run computes, in the shapes that the model has run in. */
export async function onnxWork(model: GraphModel): Promise<Work> {
  const parts = await Promise.all(Object.values(model.graphs()).map((graph) => modelWork(model, graph)));
  return parts.reduce((sum, { flops, bytes }) => ({ flops: sum.flops + flops, bytes: sum.bytes + bytes }));
}
