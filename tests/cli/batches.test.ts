import { describe, expect, it } from 'vitest';
import type { Dataset } from '../../src/cli/datasets.ts';
import { rankOf } from '../../src/cli/jobs/rank.ts';
import { batchSize, labelledBatches } from '../../src/cli/labelled-batches.ts';
import { packPictures, unpackPictures } from '../../src/cli/picture-batch.ts';
import { Lending } from '../../src/cli/runtime.ts';

/** A picture of one value, as wide as that. */
const picture = (value: number) => ({ width: value, height: 2, data: new Uint8Array(8 * value).fill(value) });

function dataset(labels: readonly number[]): Dataset {
  return {
    count: labels.length,
    total: labels.length,
    labels: undefined,
    async *[Symbol.asyncIterator]() {
      for (const [n, label] of labels.entries()) yield { picture: picture(n + 1), label, name: `picture ${n}` };
    },
  };
}

describe('pictures in one piece', () => {
  it('come out as they went in, whatever their sizes', () => {
    const batch = [3, 1, 2].map((value, label) => ({ picture: picture(value), label }));
    expect(unpackPictures(packPictures(batch))).toEqual(batch);
    expect(unpackPictures(packPictures([]))).toEqual([]);
  });

  it('come out of bytes that do not start on a word', () => {
    const batch = [{ picture: picture(5), label: 7 }];
    const packed = packPictures(batch);
    const shifted = new Uint8Array(packed.length + 1);
    shifted.set(packed, 1);
    expect(unpackPictures(shifted.subarray(1))).toEqual(batch);
  });
});

describe('batches', () => {
  it('are all of one size, the last of what is left', async () => {
    const sizes: number[][] = [];
    for await (const bytes of labelledBatches(dataset([0, 1, 2, 0, 1]), 3, 2)) {
      sizes.push(unpackPictures(bytes).map(({ label }) => label));
    }
    expect(sizes).toEqual([[0, 1], [2, 0], [1]]);
  });

  it('refuse a label that the model has not got, by name', async () => {
    const all = async () => {
      for await (const _ of labelledBatches(dataset([0, 9]), 3, 1));
    };
    await expect(all()).rejects.toMatchObject({ code: 'invalid-argument', message: /picture 1 is of class 9/ });
  });

  it('are smaller for larger pictures', () => {
    expect([32, 96, 224, 1024].map((side) => batchSize({ size: [side, side] }))).toEqual([100, 28, 5, 1]);
  });
});

describe('lending', () => {
  it('gives chunk after chunk to each reader, then nothing', async () => {
    const lending = new Lending();
    const [a, b] = [lending.add([Uint8Array.of(1), Uint8Array.of(2)]), lending.add([Uint8Array.of(3)])];
    expect(await lending.next(a)).toEqual(Uint8Array.of(1));
    expect(await lending.next(b)).toEqual(Uint8Array.of(3));
    expect(await lending.next(a)).toEqual(Uint8Array.of(2));
    expect(await lending.next(a)).toBeUndefined();
  });
});

describe('rank of a label', () => {
  const logits = Float32Array.of(0.5, 2, 2, -1);

  it('counts the classes before it; of equal ones the lower index comes first', () => {
    expect([0, 1, 2, 3].map((label) => rankOf(logits, label).rank)).toEqual([2, 0, 1, 3]);
    expect(rankOf(logits, 0).best).toBe(1);
  });

  it('takes NaN for wrong', () => {
    expect(rankOf(Float32Array.of(Number.NaN, 1, 2), 0).rank).toBe(2);
    expect(rankOf(Float32Array.of(Number.NaN, 1, 2), 2).rank).toBe(1);
  });
});
