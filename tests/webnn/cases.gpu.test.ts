import { afterAll, describe, expect, it } from 'vitest';
import type { HostData } from '../../src/tensor/types.ts';
import {
  createML,
  type MLContext,
  MLGraphBuilder,
  type MLOperand,
  type MLOperandDescriptor,
  type MLTensor,
} from '../../src/webnn/ml.ts';
import { loadCases, type WebnnCase, type WebnnTensor, WRONG } from '../conformance/cases.ts';
import { aFewAtATime, argumentsOf, compare, tensorData, type Verdict, verdictOf } from '../conformance/webnn.ts';
import { testEngine } from '../support/engine.ts';

/** What runs where another adapter than Chrome's computes: its kernels are tried there without this API. */
const FEW = ['cast', 'conv2d', 'dequantizeLinear', 'gather', 'lstm', 'split', 'where'];

const inChrome = 'document' in globalThis;
const files = [...(await loadCases())].filter(([file]) => inChrome || FEW.includes(file));
const table: string[] = [];

const descriptorOf = ({ descriptor: { dataType, shape } }: WebnnTensor): MLOperandDescriptor => ({
  dataType: dataType as MLOperandDescriptor['dataType'],
  shape,
});

const ARRAYS: Readonly<Record<string, new (buffer: ArrayBuffer) => HostData>> = {
  float32: Float32Array,
  float16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  int8: Int8Array,
};

type Method = (...args: unknown[]) => MLOperand | MLOperand[];

/** Runs one case as the W3C's own tests do. */
async function runThrough(context: MLContext, test: WebnnCase): Promise<Verdict> {
  if (WRONG.has(test.name)) return { verdict: 'outside', why: 'expects what WebNN does not define' };
  const tensors: MLTensor[] = [];
  const { graph } = test;
  try {
    const builder = new MLGraphBuilder(context);
    const operands = new Map<string, MLOperand>();
    const inputs: Record<string, MLTensor> = {};
    for (const [name, tensor] of Object.entries(graph.inputs)) {
      const descriptor = descriptorOf(tensor);
      const data = tensorData(tensor);
      operands.set(name, tensor.constant ? builder.constant(descriptor, data) : builder.input(name, descriptor));
      if (tensor.constant) continue;
      inputs[name] = await context.createTensor({ ...descriptor, writable: true });
      tensors.push(inputs[name]);
      context.writeTensor(inputs[name], data);
    }
    for (const operator of graph.operators) {
      const method = (builder as unknown as Record<string, Method>)[operator.name]!;
      const made = [method.apply(builder, argumentsOf(operator, operands))].flat();
      const names = [operator.outputs].flat();
      for (const [i, operand] of made.entries()) operands.set(names[i]!, operand);
    }
    const wanted = Object.entries(graph.expectedOutputs);
    const built = await builder.build(Object.fromEntries(wanted.map(([name]) => [name, operands.get(name)!])));
    try {
      const outputs: Record<string, MLTensor> = {};
      for (const [name, tensor] of wanted) {
        outputs[name] = await context.createTensor({ ...descriptorOf(tensor), readable: true });
        tensors.push(outputs[name]);
      }
      context.dispatch(built, inputs, outputs);
      for (const [name, tensor] of wanted) {
        const { dataType } = tensor.descriptor;
        const data = new (ARRAYS[dataType] ?? Uint8Array)(await context.readTensor(outputs[name]!));
        const why = compare(name, data, operands.get(name)!, tensor, test.tolerance);
        if (why) return { verdict: 'fail', why };
      }
      return { verdict: 'pass' };
    } finally {
      built.destroy();
    }
  } catch (error) {
    return verdictOf(error);
  } finally {
    for (const tensor of tensors) tensor.destroy();
  }
}

describe.skipIf(files.length === 0)('WebNN operator cases through navigator.ml', () => {
  for (const [file, cases] of files) {
    it(file, async () => {
      const { device } = await testEngine(); // whose kernels the context shares
      const context = await createML().createContext(device);
      const results = await aFewAtATime(cases, (test) => runThrough(context, test));
      context.destroy();
      const why = (verdict: Verdict['verdict']): string[] =>
        results.flatMap((result, i) =>
          result.verdict === verdict && result.verdict !== 'pass' ? [`${cases[i]!.name}: ${result.why}`] : [],
        );
      const passed = results.filter(({ verdict }) => verdict === 'pass').length;
      const left = why('outside').length + why('unsupported').length;
      table.push(
        `${file.padEnd(30)}${String(passed).padStart(5)}${String(why('fail').length).padStart(7)}${String(left).padStart(14)}`,
      );
      expect(why('fail')).toEqual([]);
      expect(passed).toBeGreaterThan(0);
    });
  }
  afterAll(() => {
    console.log([`${'navigator.ml'.padEnd(30)} pass   fail not supported`, ...table].join('\n'));
  });
});
