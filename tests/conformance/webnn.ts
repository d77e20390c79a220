import type { Engine } from '../../src/engine.ts';
import { TilewrightError } from '../../src/errors.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import type { Operand } from '../../src/graph/ir.ts';
import { fromHalf, toHalf } from '../../src/tensor/half.ts';
import { fromDevice, logical, toDevice } from '../../src/tensor/logical.ts';
import { elementCount, type HostData, type TensorDescriptor, typedArray } from '../../src/tensor/types.ts';
import { valuesOf, type WebnnCase, type WebnnTensor, WRONG } from './cases.ts';

/** `outside`: about an op or numbers that the engine does not have. `unsupported`: more than this adapter can do. */
export type Verdict = { verdict: 'pass' } | { verdict: 'fail' | 'outside' | 'unsupported'; why: string };

/** Which op the engine does not have. */
class Outside extends Error {}

/** Numbers as a caller has them. */
export function tensorData({ descriptor, ...rest }: WebnnTensor): HostData {
  const { dataType } = descriptor;
  const values = valuesOf({ descriptor, ...rest });
  if (dataType === 'int64') return BigInt64Array.from(values, BigInt);
  if (dataType === 'uint64') return BigUint64Array.from(values, BigInt);
  const data = typedArray(dataType, values.length);
  data.set(dataType === 'float16' ? values.map(toHalf) : values);
  return dataType.endsWith('t4') ? fromDevice(dataType, data) : data;
}

/** The numbers of an output. */
function numbersOf({ dataType, shape }: TensorDescriptor, data: HostData): ArrayLike<number> {
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return Float64Array.from(data, Number);
  if (dataType === 'float16') return Float64Array.from(data, fromHalf);
  return logical(dataType) ? toDevice('output', { dataType, shape }, data) : data;
}

/** The distance in units in the last place, as WebNN's tests measure it: through the ordered bits of the numbers. */
function ulpDistance(a: number, b: number, dataType: string): number {
  if (a === b) return 0;
  if (dataType === 'float32' || dataType === 'float16') {
    const ordered = (x: number): number => {
      const bits = dataType === 'float32' ? new Int32Array(new Float32Array([x]).buffer)[0]! : (toHalf(x) << 16) >> 16;
      const lowest = dataType === 'float32' ? -2147483648 : -32768;
      return bits < 0 ? lowest - bits : bits;
    };
    return Math.abs(ordered(a) - ordered(b));
  }
  return Math.abs(a - b);
}

type Method = (...args: unknown[]) => Operand | Operand[];

/** The arguments of a call, with operands for their names. */
export function argumentsOf(
  { arguments: given }: WebnnCase['graph']['operators'][number],
  operands: ReadonlyMap<string, unknown>,
): unknown[] {
  const resolve = (value: unknown): unknown => {
    if (typeof value === 'string' && operands.has(value)) return operands.get(value);
    if (Array.isArray(value)) return value.map(resolve);
    if (typeof value === 'string' && /^-?(Infinity|NaN)$/.test(value)) return Number(value);
    return value;
  };
  return given
    .flatMap((argument) => Object.entries<unknown>(argument ?? {}))
    .map(([key, value]) => {
      if (key !== 'options') return resolve(value);
      return Object.fromEntries(Object.entries(value as object).map(([option, v]) => [option, resolve(v)]));
    });
}

/** Runs one case on an engine. */
export async function runCase(engine: Engine, test: WebnnCase): Promise<Verdict> {
  if (WRONG.has(test.name)) return { verdict: 'outside', why: 'expects what WebNN does not define' };
  try {
    const builder = new GraphBuilder();
    const operands = new Map<string, Operand>();
    const inputs: Record<string, HostData> = {};
    for (const [name, tensor] of Object.entries(test.graph.inputs)) {
      const data = tensorData(tensor);
      const descriptor = { dataType: tensor.descriptor.dataType, shape: tensor.descriptor.shape };
      operands.set(name, tensor.constant ? builder.constant(descriptor, data) : builder.input(name, descriptor));
      if (!tensor.constant) inputs[name] = data;
    }
    const outputs: Record<string, Operand> = {};
    for (const operator of test.graph.operators) {
      const args = argumentsOf(operator, operands);
      const method = (builder as unknown as Record<string, Method | undefined>)[operator.name];
      if (!method) throw new Outside('op');
      const result = method.apply(builder, args);
      const names = Array.isArray(operator.outputs) ? operator.outputs : [operator.outputs];
      for (const [i, operand] of (Array.isArray(result) ? result : [result]).entries())
        operands.set(names[i]!, operand);
    }
    for (const name of Object.keys(test.graph.expectedOutputs)) outputs[name] = operands.get(name)!;
    const session = await engine.build(builder.outputs(outputs));
    try {
      const results = await session.run<HostData>(
        Object.fromEntries(Object.entries(inputs).filter(([name]) => session.plan.inputs.has(name))),
      );
      for (const [name, expected] of Object.entries(test.graph.expectedOutputs)) {
        const why = compare(name, results[name]!, outputs[name]!, expected, test.tolerance);
        if (why) return { verdict: 'fail', why };
      }
      return { verdict: 'pass' };
    } finally {
      session.dispose();
    }
  } catch (error) {
    return verdictOf(error);
  }
}

/** What an error of a case says: of the engine, or of the standard with the engine's as its cause. */
export function verdictOf(error: unknown): Verdict {
  const { cause = error, message } = error as Error;
  if (error instanceof Outside) return { verdict: 'outside', why: message };
  if (cause instanceof TilewrightError && / value \d+ does not fit u?int32$/.test(message))
    return { verdict: 'outside', why: 'of a number beyond 32 bits' };
  if (cause instanceof TilewrightError && cause.code === 'limit-exceeded')
    return { verdict: 'unsupported', why: 'larger than a binding of this adapter' };
  return { verdict: 'fail', why: message };
}

export function compare(
  name: string,
  data: HostData,
  operand: TensorDescriptor,
  expected: WebnnTensor,
  tolerance: WebnnCase['tolerance'],
): string | undefined {
  const want = valuesOf(expected);
  const got = numbersOf(operand, data);
  const { dataType, shape } = expected.descriptor;
  if (
    operand.dataType !== dataType ||
    elementCount(operand.shape) !== elementCount(shape) ||
    String(operand.shape) !== String(shape)
  ) {
    return `${name} is ${operand.dataType}[${operand.shape}], expected ${dataType}[${shape}]`;
  }
  // A few chains of ops come without a tolerance; the tests they were taken from sum up those of the ops, 50 ULP and more.
  const { metricType, value: allowed } = tolerance ?? { metricType: 'ULP', value: 50 };
  const limit = Number(String(allowed).replace(/n$/, ''));
  for (let i = 0; i < want.length; i++) {
    const value = got[i]!;
    if (Object.is(value, want[i]) || (Number.isNaN(value) && Number.isNaN(want[i]))) continue;
    const distance = metricType === 'ULP' ? ulpDistance(value, want[i]!, dataType) : Math.abs(value - want[i]!);
    if (!(distance <= limit))
      return `${name}[${i}] is ${value}, expected ${want[i]}: ${distance} ${metricType}, ${limit} allowed`;
  }
  return undefined;
}

/** One session runs while others are built. */
export async function aFewAtATime<T, R>(list: readonly T[], work: (item: T) => Promise<R>, atATime = 4): Promise<R[]> {
  const results: R[] = [];
  const queue = list.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: atATime }, worker));
  return results;
}
