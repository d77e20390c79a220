import { describe, expect, it } from 'vitest';
import { readJsonTensor } from '../../src/formats/json-tensor.ts';
import { type NpyType, npyData, readNpy, writeNpy } from '../../src/formats/npy.ts';

/** A file of NumPy's with this header. */
function file(header: string, bytes: Uint8Array, version = 1): Uint8Array {
  const head = new TextEncoder().encode(header);
  const length = version === 1 ? [head.length & 255, head.length >> 8] : [head.length & 255, head.length >> 8, 0, 0];
  return Uint8Array.from([0x93, ...new TextEncoder().encode('NUMPY'), version, 0, ...length, ...head, ...bytes]);
}

const header = (descr: string, shape: string, fortran = 'False'): string =>
  `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }\n`;

describe('.npy', () => {
  it('is read in the types that it names, in the formats 1.0 and 2.0', () => {
    const floats = new Uint8Array(Float32Array.of(1.5, -2).buffer);
    for (const version of [1, 2]) {
      const { type, dims, bytes } = readNpy('x', file(header('<f4', '(2, 1)'), floats, version));
      expect([type, dims, [...npyData(type, bytes)]]).toEqual(['f4', [2, 1], [1.5, -2]]);
    }
    const long = new Uint8Array(BigInt64Array.of(-(2n ** 62n)).buffer);
    const scalar = readNpy('x', file(header('<i8', '()'), long));
    expect([scalar.dims, [...npyData('i8', scalar.bytes)]]).toEqual([[], [-(2n ** 62n)]]);
    expect(readNpy('x', file(header('|b1', '(3,)'), Uint8Array.of(1, 0, 1)))).toMatchObject({ type: 'b1', dims: [3] });
  });

  it('is written as np.save does: np.save(file, np.array([[1, 2, 3]], np.int16))', () => {
    const made = writeNpy({ type: 'i2', dims: [1, 3], bytes: new Uint8Array(Int16Array.of(1, 2, 3).buffer) });
    const text = "{'descr': '<i2', 'fortran_order': False, 'shape': (1, 3), }".padEnd(117);
    const saved = file(`${text}\n`, Uint8Array.of(1, 0, 2, 0, 3, 0));
    expect(made).toEqual(saved);
  });

  it('is read out of the middle of another buffer, as Node gives files', () => {
    const floats = new Uint8Array(Float32Array.of(1.5, -2).buffer);
    const saved = file(header('<f4', '(2,)'), floats);
    const { bytes } = readNpy('x', Buffer.concat([Buffer.alloc(3), saved]).subarray(3));
    expect([...npyData('f4', bytes)]).toEqual([1.5, -2]);
  });

  it.each<[NpyType, number]>([
    ['f4', 4],
    ['f2', 2],
    ['f8', 8],
    ['i1', 1],
    ['u1', 1],
    ['i2', 2],
    ['u2', 2],
    ['i4', 4],
    ['u4', 4],
    ['i8', 8],
    ['u8', 8],
    ['b1', 1],
  ])('%s comes back as it was written, of any rank', (type, size) => {
    for (const dims of [[], [3], [2, 3], [0, 4]]) {
      const count = dims.reduce((a, b) => a * b, 1);
      const bytes = Uint8Array.from({ length: count * size }, (_, i) => (37 * i + 11) % 256);
      const written = writeNpy({ type, dims, bytes });
      expect((written.length - bytes.length) % 64).toBe(0);
      expect(readNpy('x', written)).toEqual({ type, dims, bytes });
    }
  });

  it.each<[string, Uint8Array, string, RegExp]>([
    ["Fortran's order", file(header('<f4', '(1,)', 'True'), new Uint8Array(4)), 'unsupported-type', /Fortran/],
    ['bytes of large machines', file(header('>f4', '(1,)'), new Uint8Array(4)), 'unsupported-type', /large machines/],
    ['complex numbers', file(header('<c8', '(1,)'), new Uint8Array(8)), 'unsupported-type', /<c8/],
    ['texts', file(header('<U3', '(1,)'), new Uint8Array(12)), 'unsupported-type', /<U3/],
    ['objects', file(header('|O', '(1,)'), new Uint8Array(8)), 'unsupported-type', /\|O/],
    [
      'records',
      file("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }\n", new Uint8Array(4)),
      'unsupported-type',
      /several fields/,
    ],
    ['too few bytes', file(header('<f4', '(2,)'), new Uint8Array(7)), 'invalid-file', /takes 8 bytes, 7 are there/],
    [
      'another format',
      new TextEncoder().encode('PK\x03\x04 an archive'),
      'invalid-file',
      /expected the format of NumPy/,
    ],
    [
      'a header that ends early',
      file(header('<f4', '(2,)'), new Uint8Array(8)).subarray(0, 40),
      'invalid-file',
      /within its header/,
    ],
  ])('%s: is refused', (_, bytes, code, message) => {
    expect(() => readNpy('x.npy', bytes)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });
});

describe('tensors as JSON', () => {
  const read = (text: string) => readJsonTensor('x.json', new TextEncoder().encode(text));

  it('have dimensions of their own, or those of their lists', () => {
    expect(read('{"dims":[2,1],"data":[3,4]}')).toEqual({ dims: [2, 1], data: [3, 4] });
    expect(read('[[1,2,3],[4,5,6]]')).toEqual({ dims: [2, 3], data: [1, 2, 3, 4, 5, 6] });
    expect(read('["a","b"]')).toEqual({ dims: [2], data: ['a', 'b'] });
    expect(read('true')).toEqual({ dims: [], data: [true] });
  });

  it.each(['[[1,2],[3]]', '[[1],2]', '{"dims":[1]}', '{"dims":"1","data":[1]}', '[null]', '{"a":1}', '[1'])(
    '%s is refused',
    (text) => {
      expect(() => read(text)).toThrow(expect.objectContaining({ code: 'invalid-file' }));
    },
  );
});
