import { type InputSpec, inFloat32, int32, type OpCase, test, uint32 } from '../case.ts';

const turned = (
  input: readonly number[],
  angles: readonly number[],
  options: object = {},
  more: OpCase['inputs'] = {},
) => test('rotaryEmbedding', { input, cos: angles, sin: angles, ...more }, options);

/** Rows of a table of 6, from the end, and beyond both ends. */
const POSITIONS = int32([2, 3], (run) => (run ? [5, -1, 0, -6, 9, -9] : [3, 4, 5, 0, 1, 2]));

/** Rows of 7 places; the last run has one beyond the cache of 9. */
const PLACES = uint32([3], (run) => (run ? [8, 99, 3] : [4, 5, 6]));

/** Rows [queries, keys, values] before attention: two or three queries share keys and values. */
const cached = (
  [rows, heads, kvHeads, headSize, half]: readonly [number, number, number, number, number],
  positions: InputSpec,
  normed = false,
): OpCase =>
  test(
    'rotaryCache',
    {
      state: { shape: [9, 2 * kvHeads * headSize], role: 'state' },
      input: [rows, (heads + 2 * kvHeads) * headSize],
      cos: [7, half],
      sin: [7, half],
      positions,
      ...(normed && { queryScale: [headSize], keyScale: [headSize] }),
    },
    { heads, kvHeads, ...(normed && { epsilon: 1e-3 }) },
  );

export const cases: readonly OpCase[] = [
  // With the write into the cache: whole heads, a part of them; normalised by head; no whole vec4.
  cached([3, 4, 2, 16, 8], PLACES),
  cached(
    [1, 3, 1, 24, 8],
    uint32([1], (run) => [run ? 8 : 2]),
  ),
  cached([3, 3, 1, 16, 8], PLACES, true),
  ...inFloat32([cached([3, 2, 1, 10, 5], PLACES), cached([3, 4, 2, 9, 3], PLACES, true)]),
  // Halves of heads that hold tokens, and of rows that hold heads: angles of a pair, of an element, of each batch.
  turned([2, 3, 5, 16], [1, 5, 8]),
  turned([2, 3, 5, 16], [2, 5, 16]),
  turned([2, 5, 48], [2, 5, 8], { heads: 3 }),
  turned([1, 3, 24], [1, 3, 8], { heads: 3 }),
  // Neighbours.
  turned([2, 5, 36], [2, 5, 6], { heads: 3, interleaved: true }),
  turned([2, 3, 5, 12], [1, 5, 12], { interleaved: true }),
  // Some elements of a head only.
  turned([1, 2, 3, 24], [1, 3, 8], { rotaryEmbeddingDim: 16 }),
  turned([1, 3, 32], [1, 3, 4], { heads: 2, rotaryEmbeddingDim: 8, interleaved: true }),
  // No whole vec4.
  turned([2, 3, 5, 10], [2, 5, 5]),
  turned([2, 5, 36], [1, 5, 12], { heads: 3 }),
  turned([2, 5, 30], [2, 5, 5], { heads: 3, interleaved: true }),
  turned([1, 2, 3, 9], [1, 3, 6], { rotaryEmbeddingDim: 6, interleaved: true }),
  turned([1, 2, 3, 13], [1, 3, 3], { rotaryEmbeddingDim: 6 }),
  // Some heads only.
  turned([2, 3, 40], [1, 3, 4], { heads: 5, rotaryHeads: 3 }),
  turned([2, 3, 5, 10], [2, 5, 3], { rotaryHeads: 2, rotaryEmbeddingDim: 6 }),
  // Tables, of which positions name rows.
  turned([2, 3, 3, 16], [6, 8], {}, { positions: POSITIONS }),
  turned([2, 3, 24], [6, 4], { heads: 3, interleaved: true }, { positions: int32([1, 3], [4, 0, 2]) }),
  ...inFloat32([turned([1, 2, 48], [9, 12], { heads: 2 }, { positions: uint32([1, 2], [7, 4294967295]) })]),
];
