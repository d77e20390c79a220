import fc from 'fast-check';
import { expect, it } from 'vitest';
import { batchesOf, bucketOf } from '../../src/models/encoder/batches.ts';

it('texts are padded to a power of two, or to all that a model takes', () => {
  expect([0, 1, 16, 17, 33, 64, 100, 512].map((count) => bucketOf(count, 512))).toEqual([
    16, 16, 16, 32, 64, 64, 128, 512,
  ]);
  expect(bucketOf(100, 120)).toBe(120);
  expect(bucketOf(3, 5)).toBe(5);
});

it('32 texts of 64 tokens are one batch; a few more are few', () => {
  expect(batchesOf(new Array(32).fill(64), 512)).toEqual([
    { tokens: 64, texts: 32, indices: Array.from({ length: 32 }, (_, i) => i) },
  ]);
  expect(batchesOf(new Array(7).fill(10), 512).map(({ texts }) => texts)).toEqual([8]);
  expect(batchesOf(new Array(5).fill(10), 512).map(({ texts }) => texts)).toEqual([4, 1]);
});

it('each text is in one batch, fits into it, and at most a quarter of a batch is empty', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 80 }), (lengths) => {
      const batches = batchesOf(lengths, 300);
      expect(batches.flatMap(({ indices }) => indices).sort((a, b) => a - b)).toEqual(lengths.map((_, i) => i));
      for (const { tokens, texts, indices } of batches) {
        for (const index of indices) expect(lengths[index]!).toBeLessThanOrEqual(tokens);
        expect(indices.length).toBeGreaterThanOrEqual((3 * texts) / 4);
        expect(texts * tokens).toBeLessThanOrEqual(2048);
      }
      expect(batches.map(({ tokens }) => tokens)).toEqual(batches.map(({ tokens }) => tokens).sort((a, b) => b - a));
    }),
  );
});
