import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TilewrightError } from '../../src/errors.ts';
import { openSafetensors } from '../../src/formats/safetensors.ts';
import { encodeSafetensors, type TensorToWrite } from '../../src/formats/safetensors-write.ts';
import { bytesSource } from '../../src/hub/source.ts';
import { STORED_BYTES, type StoredType } from '../../src/tensor/source.ts';
import { elementCount } from '../../src/tensor/types.ts';
import { bytesOf, fileOf } from './files.ts';

const name = fc.string({ unit: 'grapheme' }).filter((text) => text !== '__metadata__');

const tensor: fc.Arbitrary<TensorToWrite> = fc
  .record({
    name,
    storedType: fc.constantFrom(...(Object.keys(STORED_BYTES) as StoredType[])),
    shape: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }),
  })
  .chain((described) => {
    const length = elementCount(described.shape) * STORED_BYTES[described.storedType];
    return fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => ({ ...described, bytes }));
  });

const tensors = fc.uniqueArray(tensor, { selector: (each) => each.name, maxLength: 6 });
const metadata = fc.option(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.string()), { nil: undefined });

async function read(file: Uint8Array): Promise<Map<string, TensorToWrite>> {
  const checkpoint = await openSafetensors(bytesSource('random', file));
  const read = new Map<string, TensorToWrite>();
  for (const { name, storedType, shape, chunks } of checkpoint.tensors.values()) {
    read.set(name, { name, storedType, shape, bytes: await bytesOf(chunks()) });
  }
  return read;
}

/** The file is read, or refused by name: nothing else may come out. */
async function readOrRefuse(file: Uint8Array): Promise<void> {
  const error = await read(file).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error !== undefined) {
    expect(error).toBeInstanceOf(TilewrightError);
    expect(['invalid-file', 'unsupported-type']).toContain((error as TilewrightError).code);
  }
}

it('what is written is read again', () =>
  fc.assert(
    fc.asyncProperty(tensors, metadata, async (written, extra) => {
      const file = encodeSafetensors(written, extra);
      const checkpoint = await openSafetensors(bytesSource('random', file));
      expect(Object.fromEntries(checkpoint.metadata)).toEqual({ ...extra });
      expect(checkpoint.byteLength).toBe(written.reduce((sum, { bytes }) => sum + bytes.length, 0));
      expect(await read(file)).toEqual(new Map(written.map((each) => [each.name, each])));
    }),
  ));

it('a file cut short anywhere is refused', () =>
  fc.assert(
    fc.asyncProperty(tensors, fc.nat(), async (written, cut) => {
      const file = encodeSafetensors(written);
      const opened = openSafetensors(bytesSource('cut', file.subarray(0, cut % file.length)));
      await expect(opened).rejects.toMatchObject({ name: 'TilewrightError', code: 'invalid-file' });
    }),
  ));

it('a byte changed anywhere in the header is read or refused by name', () =>
  fc.assert(
    fc.asyncProperty(tensors, fc.nat(), fc.integer({ min: 1, max: 255 }), async (written, at, flip) => {
      const file = encodeSafetensors(written);
      const header = 8 + Number(new DataView(file.buffer).getBigUint64(0, true));
      file[at % header]! ^= flip;
      await readOrRefuse(file);
    }),
    { numRuns: 1000 },
  ));

it('any bytes and any JSON are read or refused by name', () =>
  fc.assert(
    fc.asyncProperty(fc.oneof(fc.uint8Array(), fc.json(), fc.object()), (header) => readOrRefuse(fileOf(header))),
    { numRuns: 500 },
  ));
