import type { Engine } from '../../src/engine.ts';
import { TilewrightError } from '../../src/errors.ts';
import { openOnnxTensor } from '../../src/formats/onnx.ts';
import { bytesSource } from '../../src/hub/source.ts';
import type { GraphModel } from '../../src/onnx/graph-model.ts';
import type { GraphInput, GraphOutput, GraphTensor } from '../../src/onnx/run-tensors.ts';
import { fromBytes, type Scalar } from '../../src/onnx/values.ts';
import { fromHalf } from '../../src/tensor/half.ts';
import { elementCount } from '../../src/tensor/types.ts';
import { readShared } from '../support/shared.ts';
import { untar } from '../support/tar.ts';

/** What onnxruntime's CPU provider does with a case of ONNX's own tests, its ops and its types. */
export interface Verdict {
  readonly onnxruntime: 'pass' | 'refused' | 'differs';
  readonly ops: readonly string[];
  readonly types: readonly string[];
}

export interface BackendCase extends Verdict {
  readonly name: string;
  readonly files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

/** Types of the cases that have to pass. */
const TYPES = 'FLOAT FLOAT16 BOOL UINT8 INT8 UINT16 INT16 UINT32 INT32 UINT64 INT64 DOUBLE INT4 UINT4'.split(' ');
const ARCHIVES = ['node', 'simple', 'pytorch-converted', 'pytorch-operator'];

/** The cases of ../shared/conformance/onnx that onnxruntime passes, of the types that are computed here. */
export async function loadBackendCases(): Promise<BackendCase[]> {
  const read = async (name: string) => new Uint8Array(await readShared(`conformance/onnx/${name}`));
  const verdicts = JSON.parse(new TextDecoder().decode(await read('verdicts.json'))) as Record<string, Verdict>;
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const name of ARCHIVES)
    for (const [path, bytes] of await untar(await read(`${name}.tar.gz`))) files.set(path.replace(/^\.\//, ''), bytes);
  const wanted = ({ onnxruntime, types }: Verdict): boolean =>
    onnxruntime === 'pass' && types.every((type) => TYPES.includes(type));
  const there = new Set([...files.keys()].map((path) => path.split('/').slice(0, 2).join('/')));
  return Object.entries(verdicts)
    .filter(([name, verdict]) => wanted(verdict) && there.has(name))
    .map(([name, verdict]) => {
      const own = [...files].filter(([path]) => path.startsWith(`${name}/`));
      return { name, ...verdict, files: new Map(own.map(([path, bytes]) => [path.slice(name.length + 1), bytes])) };
    });
}

/** The tensor of a file of test data. */
async function tensorIn(
  bytes: Uint8Array<ArrayBuffer>,
  name: string,
): Promise<{ name: string; dims: readonly number[]; values: readonly Scalar[]; type: string }> {
  const tensor = await openOnnxTensor(bytesSource(name, bytes));
  const { type, dims } = tensor;
  const values = type === 'string' ? await tensor.strings() : fromBytes(type, elementCount(dims), await tensor.bytes());
  return { name: tensor.name, dims, values, type };
}

/** Runs one case. Returns what is wrong; undefined where all its outputs are right. */
export async function runBackendCase(engine: Engine, { files }: BackendCase): Promise<string | undefined> {
  let model: GraphModel | undefined;
  try {
    const others = [...files].filter(([path]) => !path.includes('/'));
    model = (await engine.load(Object.fromEntries(others))) as GraphModel;
    for (let set = 0; files.has(`test_data_set_${set}/output_0.pb`); set++) {
      const inputs: Record<string, GraphInput> = {};
      const all = model.model.graph.inputs;
      for (const [i, { name }] of all.entries()) {
        const bytes = files.get(`test_data_set_${set}/input_${i}.pb`);
        if (!bytes) continue;
        const { dims, values } = await tensorIn(bytes, `input ${i}`);
        inputs[name] = { dims, data: values };
      }
      const outputs = await model.run(inputs);
      for (const [i, { name }] of model.outputs.entries()) {
        const want = await tensorIn(files.get(`test_data_set_${set}/output_${i}.pb`)!, `output ${i}`);
        const why = difference(outputs[name], want);
        if (why) return `${name}: ${why}`;
      }
    }
    return undefined;
  } catch (error) {
    if (error instanceof TilewrightError) return `${error.code}: ${error.message}`;
    return (error as Error).stack ?? String(error);
  } finally {
    model?.dispose();
  }
}

/** As ONNX's own runner compares: 1e-3 of the value, and what float32 and float16 have of it. */
const TOLERANCE: Record<string, readonly [relative: number, absolute: number]> = {
  float: [1e-3, 1e-5],
  double: [1e-3, 1e-5],
  float16: [1e-2, 1e-3],
};

function difference(
  got: GraphOutput,
  want: { dims: readonly number[]; values: readonly Scalar[]; type: string },
): string | undefined {
  if (got === undefined || !('data' in got)) return 'is no tensor';
  const { type, dims, data } = got as GraphTensor;
  if (type !== want.type) return `is ${type}, expected ${want.type}`;
  if (dims.join() !== want.dims.join()) return `is [${dims}], expected [${want.dims}]`;
  const [relative, absolute] = TOLERANCE[type] ?? [0, 0];
  const bits = type === 'float16' && data instanceof Uint16Array;
  for (let i = 0; i < want.values.length; i++) {
    const [value, expected] = [bits ? fromHalf(Number(data[i])) : data[i]!, want.values[i]!];
    if (value === expected || Object.is(value, expected)) continue;
    const off = Math.abs(Number(value) - Number(expected));
    if (!(off <= absolute + relative * Math.abs(Number(expected))))
      return `element ${i} is ${value}, expected ${expected}`;
  }
  return undefined;
}
