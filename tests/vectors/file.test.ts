import { describe, expect, it } from 'vitest';
import { encodeSafetensors, type TensorToWrite } from '../../src/formats/safetensors-write.ts';
import { list, remove } from '../../src/hub/cache/index.ts';
import { bytesSource } from '../../src/hub/source.ts';
import { encodeIndex, readIndex } from '../../src/vectors/file.ts';
import { save, saved } from '../../src/vectors/saved.ts';
import { type VectorDataType, VectorTable } from '../../src/vectors/table.ts';
import { ownCacheFolder } from '../hub/cache-folder.ts';
import { codeOf } from '../support/errors.ts';

const bytesOf = async (blob: Blob): Promise<Uint8Array> => new Uint8Array(await blob.arrayBuffer());
const read = (bytes: Uint8Array) => readIndex(bytesSource('index', bytes), undefined);

function tableOf(dataType: VectorDataType, count: number, dimension: number): VectorTable {
  const table = new VectorTable(dataType, dimension, 1);
  for (let row = 0; row < count; row++)
    table.append(Float32Array.from({ length: dimension }, (_, i) => Math.sin(row * 3.7 + i) * (1 + row)));
  return table;
}

const rowsOf = (table: VectorTable): Float32Array[] =>
  Array.from({ length: table.count }, (_, row) => {
    const vector = new Float32Array(table.dimension);
    table.read(row, vector);
    return vector;
  });

describe('a table', () => {
  it.each<[VectorDataType, number, number]>([
    ['float32', 5, 0],
    ['float16', 5, 2 ** -11],
    ['int8', 5, 0.51 / 127],
    ['int8', 12, 0.51 / 127],
    ['int8', 96, 0.51 / 127],
  ])('of %s keeps vectors of %i numbers within their largest times %d', (dataType, dimension, error) => {
    const [small, exact] = [tableOf(dataType, 1500, dimension), tableOf('float32', 1500, dimension)];
    const rows = rowsOf(exact);
    let worst = 0;
    for (const [i, row] of rowsOf(small).entries()) {
      const most = Math.max(...rows[i]!.map(Math.abs));
      worst = Math.max(worst, ...row.map((x, j) => Math.abs(x - rows[i]![j]!) / most));
    }
    expect(worst).toBeLessThanOrEqual(error);
    expect(worst).toBeGreaterThanOrEqual(error / 2);
  });

  it('of int8 keeps zeros', () => {
    const table = new VectorTable('int8', 8);
    table.append(new Float32Array(8));
    expect(rowsOf(table)).toEqual([new Float32Array(8)]);
  });
});

describe('the file of an index', () => {
  it.each<VectorDataType>(['float32', 'float16', 'int8'])('of %s is read as it was written', async (dataType) => {
    const table = tableOf(dataType, 7, 40);
    const facts = { metric: 'dot', model: 'org/model' } as const;
    const got = await read(await bytesOf(encodeIndex(table, facts)));
    expect(got.facts).toEqual(facts);
    expect(got.table).toMatchObject({ dataType, dimension: 40, count: 7 });
    expect(rowsOf(got.table)).toEqual(rowsOf(table));
  });

  const tensor = (
    name: string,
    storedType: 'F32' | 'F16' | 'I8' | 'I32',
    shape: number[],
    bytes?: Uint8Array,
  ): TensorToWrite => ({
    name,
    storedType,
    shape,
    bytes: bytes ?? new Uint8Array(shape.reduce((a, b) => a * b, { F32: 4, I32: 4, F16: 2, I8: 1 }[storedType])),
  });
  const METADATA = { format: 'tilewright.index', metric: 'cosine' };
  const NAN = new Uint8Array(Float32Array.of(1, Number.NaN).buffer);
  it.each<[string, string, TensorToWrite[], Record<string, string> | undefined]>([
    ['invalid-file', 'no metadata', [tensor('vectors', 'F32', [2, 2])], undefined],
    ['invalid-file', 'another metric', [tensor('vectors', 'F32', [2, 2])], { ...METADATA, metric: 'euclidean' }],
    ['missing-tensor', 'no vectors', [tensor('x', 'F32', [2, 2])], METADATA],
    ['wrong-shape', 'vectors of another type', [tensor('vectors', 'I32', [2, 2])], METADATA],
    ['wrong-shape', 'vectors of three dimensions', [tensor('vectors', 'F32', [2, 2, 2])], METADATA],
    ['wrong-shape', 'no vector', [tensor('vectors', 'F32', [0, 2])], METADATA],
    ['missing-tensor', 'no scales', [tensor('vectors', 'I8', [2, 32])], METADATA],
    ['wrong-shape', 'too few scales', [tensor('vectors', 'I8', [2, 64]), tensor('scales', 'F32', [2, 1])], METADATA],
    ['unused-tensor', 'one more', [tensor('vectors', 'F32', [2, 2]), tensor('scales', 'F32', [2, 1])], METADATA],
    ['invalid-file', 'NaN', [tensor('vectors', 'F32', [1, 2], NAN)], METADATA],
    ['invalid-file', 'infinity of float16', [tensor('vectors', 'F16', [1, 1], Uint8Array.of(0, 0x7c))], METADATA],
    [
      'invalid-file',
      'NaN among scales',
      [tensor('vectors', 'I8', [2, 4]), tensor('scales', 'F32', [2, 1], NAN)],
      METADATA,
    ],
  ])('%s: %s', async (code, _, tensors, metadata) => {
    expect(await codeOf(read(encodeSafetensors(tensors, metadata)))).toBe(code);
  });

  it('is refused where it is cut', async () => {
    const whole = await bytesOf(encodeIndex(tableOf('int8', 4, 32), { metric: 'cosine', model: undefined }));
    for (let length = 0; length < whole.length; length += 7)
      expect(await codeOf(read(whole.subarray(0, length)))).toBe('invalid-file');
  });
});

describe('the cache', () => {
  ownCacheFolder();

  it('keeps an index under its name, lists it and removes it', async () => {
    expect(await codeOf(saved('notes'))).toBe('not-found');
    const bytes = Uint8Array.from({ length: 2 ** 20 * 2 + 77 }, (_, i) => i % 251);
    await save('notes', new Blob([bytes.subarray(5)]));
    await save('notes', new Blob([bytes])); // in its place
    const source = await saved('notes');
    expect(source.size).toBe(bytes.length);
    expect(Buffer.compare(await source.slice(0, bytes.length), bytes)).toBe(0);
    expect(await source.slice(2 ** 20 - 2, 2 ** 20 + 2)).toEqual(bytes.slice(2 ** 20 - 2, 2 ** 20 + 2));
    expect(await list()).toMatchObject([{ name: 'notes', from: 'index', bytes: bytes.length, complete: true }]);
    expect(await remove('notes')).toBe(1);
    expect(await codeOf(saved('notes'))).toBe('not-found');
  });
});
