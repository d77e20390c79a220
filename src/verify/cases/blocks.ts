import { BLOCKS } from '../../tensor/blocks.ts';
import { elementCount } from '../../tensor/types.ts';
import { type OpCase, test, uint32 } from '../case.ts';

/** Pairs of float16 below 2 in every word: whichever of them is a scale, it is finite. */
const words =
  (count: number) =>
  (run: number): number[] =>
    Array.from({ length: count }, (_, i) => (Math.imul(i + 1 + 7919 * run, 0x9e3779b1) & 0xbfffbfff) >>> 0);

const KINDS = [
  ['Q4_K', 'floats', [3, 512]],
  ['Q6_K', 'floats', [3, 256]],
  ['Q8_0', 'integers', [3, 96]],
  ['Q8_0', 'scales', [3, 3]],
  ['Q4_0', 'integers', [5, 32]],
  ['Q4_0', 'scales', [1, 7]],
] as const;

export const cases: readonly OpCase[] = KINDS.map(([from, of, newShape]) => {
  const { size, bytes } = BLOCKS[from];
  const count = Math.ceil(((elementCount(newShape) / (of === 'scales' ? 1 : size)) * bytes) / 4);
  return test('unblock', { input: uint32([count], words(count)) }, { from, of, newShape });
});
