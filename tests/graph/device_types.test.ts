import { describe, expect, it } from 'vitest';
import '../support/ops.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { type ConstantOptions, type Graph, type Operand, topological } from '../../src/graph/ir.ts';
import { toDeviceTypes } from '../../src/graph/passes/device_types.ts';
import { optimise } from '../../src/graph/passes/index.ts';
import { fromDevice, toDevice } from '../../src/tensor/logical.ts';
import { type DataType, formatTensor } from '../../src/tensor/types.ts';

const b = new GraphBuilder();
let names = 0;
const input = (dataType: DataType, ...shape: number[]): Operand => b.input(`x${names++}`, { dataType, shape });
const only = (y: Operand): Graph => b.outputs({ y });
/** The ops of a graph with what they give, after the pass. */
const lowered = (y: Operand): string[] =>
  topological(toDeviceTypes(only(y))).map((node) => `${node.op} ${node.results.map(formatTensor).join()}`);

describe('types that the device has not', () => {
  it('int64 and uint64 become int32 and uint32: in inputs, states, results and options', () => {
    const sum = b.add(input('int64', 3), b.cast(input('float32', 3), 'int64'));
    expect(formatTensor(sum)).toBe('int64[3]');
    expect(lowered(sum)).toEqual(['input int32[3]', 'input float32[3]', 'cast int32[3]', 'add int32[3]']);
    expect(lowered(b.state('ids', { dataType: 'uint64', shape: [2] }))).toEqual(['state uint32[2]']);
    const best = b.argMax(input('float32', 2, 5), 1, { outputDataType: 'int64' });
    expect(formatTensor(best)).toBe('int64[2]');
    expect(lowered(best)).toEqual(['input float32[2,5]', 'argMax int32[2]']);
    expect(lowered(b.split(input('int64', 4), 2)[1]!)).toEqual(['input int32[4]', 'split int32[2],int32[2]']);
  });

  it('constants are narrowed, and what does not fit is refused by name and value', () => {
    const constant = (data: BigInt64Array, label?: string) =>
      b.identity(b.constant({ dataType: 'int64', shape: [data.length] }, data), { ...(label && { label }) });
    const data = new BigInt64Array([-5n, 2147483647n, -2147483648n]);
    const leafOf = (graph: Graph): ConstantOptions => topological(toDeviceTypes(graph))[0]!.options;
    const graph = only(constant(data));
    expect(leafOf(graph).data).toEqual(new Int32Array([-5, 2147483647, -2147483648]));
    // Sessions that share a store know a constant by its array.
    expect(leafOf(only(constant(data))).data).toBe(leafOf(graph).data);
    expect(() => toDeviceTypes(only(constant(new BigInt64Array([1n, 2147483648n]))))).toThrow(
      /constant: the int64 value 2147483648 does not fit int32/,
    );
    const unsigned = b.constant({ dataType: 'uint64', shape: [1] }, new BigUint64Array([2n ** 40n]));
    expect(() => toDeviceTypes(only(unsigned))).toThrow(/the uint64 value 1099511627776 does not fit uint32/);
  });

  it('what has none of them stays as it is', () => {
    const graph = only(b.relu(input('float32', 3)));
    expect(toDeviceTypes(graph).outputs['y']!.inputs['input']).toBe(graph.outputs['y']!.inputs['input']);
  });

  it('products of 64 bits are refused: they would wrap around unseen', () => {
    const x = input('int64', 3);
    expect(() => b.mul(x, x)).toThrow(/mul: a is int64, expected/);
    expect(() => b.prelu(x, x)).toThrow(/prelu: input is int64/);
    expect(() => b.pow(x, x)).toThrow(/pow: a is int64/);
    expect(() => b.reduceSum(x)).toThrow(/reduceSum: input is int64/);
    expect(() => b.cumulativeSum(x, 0)).toThrow(/cumulativeSum: input is int64/);
    const unsigned = input('uint64', 3);
    expect(() => b.shiftLeft(unsigned, unsigned)).toThrow(/shiftLeft: a is uint64/);
    expect(() => b.bitwiseNot(unsigned)).toThrow(/bitwiseNot: input is uint64/);
    const index = b.input('index', { dataType: 'uint64', shape: [1] });
    expect(() => b.gather(x, index)).toThrow(/gather: indices is uint64/);
  });

  it('what 32 bits decide is computed in 32', () => {
    const x = input('int64', 2, 3);
    expect(lowered(b.reduceMax(x, { axes: [1] }))).toEqual(['input int32[2,3]', 'reduceMax int32[2]']);
    expect(lowered(b.argMin(x, 1))).toEqual(['input int32[2,3]', 'argMin int32[2]']);
    expect(lowered(b.topK(x, 2)[0])).toEqual(['input int32[2,3]', 'topK int32[2,2],int32[2,2]']);
    expect(lowered(b.bitwiseXor(x, x))).toEqual(['input int32[2,3]', 'bitwiseXor int32[2,3]']);
    const counts = input('uint64', 3);
    expect(lowered(b.shiftRight(counts, counts))).toEqual(['input uint32[3]', 'shiftRight uint32[3]']);
  });

  it('argMax and argMin give int32 or int64, and nothing else', () => {
    for (const name of ['argMax', 'argMin'] as const)
      expect(() => b[name](input('float32', 3), 0, { outputDataType: 'uint8' as 'int32' })).toThrow(
        /outputDataType is uint8, expected int32 or int64/,
      );
  });

  it('int4 weights of a product stay int4; what is not symmetric is int8', () => {
    const weights = (zeroPoint: number | undefined, rows: number) => {
      const w = b.constant({ dataType: 'int4', shape: [rows, 8] }, new Uint8Array(rows * 4).fill(0x1f));
      const scale = b.constant({ dataType: 'float32', shape: [1, 8] }, new Float32Array(8).fill(0.5));
      const zero =
        zeroPoint === undefined
          ? undefined
          : b.constant({ dataType: 'int4', shape: [1, 8] }, new Uint8Array(4).fill(zeroPoint * 17));
      return b.matmul(input('float32', 2, rows), b.dequantizeLinear(w, scale, zero));
    };
    const typeOf = (y: Operand): string => optimise(toDeviceTypes(only(y))).outputs['y']!.inputs['b']!.dataType;
    expect(typeOf(weights(undefined, 16))).toBe('int4x8');
    expect(typeOf(weights(0, 16))).toBe('int4x8');
    expect(typeOf(weights(1, 16))).toBe('float32');
  });

  it('4 bits are made by quantizeLinear alone, and clamped to those', () => {
    const [x, scale] = [input('float32', 4), b.constant({ dataType: 'float32', shape: [1] }, new Float32Array([1]))];
    const y = b.quantizeLinear(x, scale, undefined, { dataType: 'uint4' });
    expect(formatTensor(y)).toBe('uint4[4]');
    expect(lowered(y).slice(-2)).toEqual(['quantizeLinear uint8[4]', 'clamp uint8[4]']);
    expect(() => toDeviceTypes(only(b.cast(x, 'int4')))).toThrow(/cast: to is int4: quantizeLinear makes that/);
  });
});

describe('numbers at the border', () => {
  const of = (dataType: DataType, count: number) => ({ dataType, shape: [count] });

  it('go there and back', () => {
    const wide = new BigInt64Array([0n, -1n, 2147483647n]);
    expect(fromDevice('int64', toDevice('x', of('int64', 3), wide))).toEqual(wide);
    const bytes = new Uint8Array([0x8f, 0x07]);
    expect(toDevice('x', of('int4', 3), bytes)).toEqual(new Int8Array([-1, -8, 7]));
    expect(toDevice('x', of('uint4', 3), bytes)).toEqual(new Uint8Array([15, 8, 7]));
    for (const type of ['int4', 'uint4'] as const)
      expect(fromDevice(type, toDevice('x', of(type, 3), bytes))).toEqual(bytes);
  });

  it('may be plain, and are refused where they are others', () => {
    expect(toDevice('x', of('uint64', 2), [1, 4294967295])).toEqual(new Uint32Array([1, 4294967295]));
    expect(toDevice('x', of('int4', 2), [-8, 7])).toEqual(new Int8Array([-8, 7]));
    const refused = (dataType: DataType, count: number, data: Parameters<typeof toDevice>[2], message: RegExp) =>
      expect(() => toDevice('input x', of(dataType, count), data)).toThrow(message);
    refused('int64', 1, [1.5], /input x: the int64 value 1.5 does not fit int32/);
    refused('uint64', 1, [-1n], /input x: the uint64 value -1 does not fit uint32/);
    refused('int4', 1, [8], /input x: 8 is not int4: a whole number from -8 to 7/);
    refused('int64', 2, new BigInt64Array(3), /input x: expected 2 elements for int64\[2\], got 3/);
    refused('uint4', 3, new Uint8Array(3), /input x: expected 2 bytes for uint4\[3\], got 3/);
    refused('int64', 1, new Int32Array(1), /input x: expected BigInt64Array for int64\[1\], got Int32Array/);
    refused('int64', 1, new BigUint64Array(1), /expected BigInt64Array/);
  });
});
