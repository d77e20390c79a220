import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { convertChunk } from '../../src/tensor/conversions.ts';
import { converted, toDataType } from '../../src/tensor/convert.ts';
import { STORED_BYTES, type StoredType, type TensorSource } from '../../src/tensor/source.ts';
import { BYTES } from '../../src/tensor/types.ts';
import { bytesOf, expectError } from './files.ts';

const bytes = (array: ArrayBufferView) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

describe('convertChunk', () => {
  it.each<[StoredType, ArrayBufferView, ArrayBufferView]>([
    [
      'F64',
      new Float64Array([0.1, -0, 3e38, 1e-300, -Infinity, NaN]),
      new Float32Array([0.1, -0, 3e38, 0, -Infinity, NaN]),
    ],
    ['I64', new BigInt64Array([0n, -1n, 2147483647n, -2147483648n]), new Int32Array([0, -1, 2147483647, -2147483648])],
    ['U64', new BigUint64Array([0n, 4294967295n]), new Uint32Array([0, 4294967295])],
    ['I16', new Int16Array([0, -1, 32767, -32768]), new Int32Array([0, -1, 32767, -32768])],
    ['U16', new Uint16Array([0, 65535]), new Uint32Array([0, 65535])],
  ])('%s', (stored, from, to) => {
    expect(convertChunk(stored, bytes(from))).toEqual(bytes(to));
    const unaligned = new Uint8Array(from.byteLength + 1);
    unaligned.set(bytes(from), 1);
    expect(convertChunk(stored, unaligned.subarray(1)), 'unaligned').toEqual(bytes(to));
  });

  it.each<StoredType>(['F32', 'F16', 'BF16', 'I32', 'U32', 'I8', 'U8', 'BOOL'])('%s stays as it is', (stored) => {
    const chunk = new Uint8Array([1, 2, 3, 4]);
    expect(convertChunk(stored, chunk)).toBe(chunk);
  });

  it.each<[StoredType, BigInt64Array | BigUint64Array | Float64Array, RegExp]>([
    ['I64', new BigInt64Array([1n, 2147483648n]), /ids: the I64 value 2147483648 does not fit int32/],
    ['I64', new BigInt64Array([-2147483649n]), /-2147483649 does not fit int32/],
    ['I64', new BigInt64Array([4294967296n]), /4294967296/],
    ['U64', new BigUint64Array([4294967296n]), /the U64 value 4294967296 does not fit uint32/],
    ['F64', new Float64Array([1, 1e39]), /ids: the F64 value 1e\+39 does not fit float32/],
    ['F64', new Float64Array([-1e300]), /-1e\+300 does not fit float32/],
  ])('%s refuses a value by name', async (stored, values, message) => {
    await expectError(() => convertChunk(stored, bytes(values), 'ids'), 'unsupported-type', message);
  });
});

describe('converted', () => {
  const sourceOf = (storedType: StoredType, data: Uint8Array, cuts: number[]): TensorSource => ({
    name: 'w',
    storedType,
    shape: [data.length / STORED_BYTES[storedType]],
    order: 0,
    async *chunks() {
      const ends = [...cuts.map((cut) => cut % (data.length + 1)).sort((a, b) => a - b), data.length];
      for (const [i, end] of ends.entries()) yield data.subarray(i ? ends[i - 1] : 0, end);
    },
  });

  it('gives whole elements, however the chunks are cut', () =>
    fc.assert(
      fc.asyncProperty(
        fc.constantFrom<StoredType>('F64', 'I16', 'U16', 'F32', 'BF16', 'U8'),
        fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 40 }),
        fc.array(fc.nat(), { maxLength: 6 }),
        async (stored, values, cuts) => {
          const size = STORED_BYTES[stored];
          const data = new Uint8Array(values).slice(0, values.length - (values.length % size));
          // A double of any bits seldom fits float32: the highest byte makes it small.
          if (stored === 'F64') for (let i = 7; i < data.length; i += 8) data[i] = 0x3f;
          const out = stored === 'BF16' ? 2 : BYTES[toDataType(stored)];
          for await (const chunk of converted(sourceOf(stored, data, cuts))) expect(chunk.length % out).toBe(0);
          expect(await bytesOf(converted(sourceOf(stored, data, cuts)))).toEqual(convertChunk(stored, data));
        },
      ),
    ));

  it('refuses half an element at the end', async () => {
    const work = () => bytesOf(converted(sourceOf('F64', new Uint8Array(12), [3])));
    await expectError(work, 'invalid-file', /expected 8 bytes of F64, got 4/);
  });
});
