import { inFloat32, type OpCase, special, test, uint32, valued } from '../case.ts';

const NEVER = Number.NEGATIVE_INFINITY;
const LOWEST = -3.4028234663852886e38;

const self = (t: number, heads: number, headSize: number, options: object = {}): OpCase => {
  const shape = [t, heads * headSize];
  return test('attention', { query: shape, key: shape, value: shape }, { heads, headSize, ...options });
};

/** Query, key and value are columns of the same rows, as one product gives them. */
const packed = (rows: readonly number[], heads: number, headSize: number, options: object = {}): OpCase => {
  const width = heads * headSize;
  const columns = [0, width, 2 * width];
  return test(
    'attention',
    { query: [...rows, 3 * width], key: 'query', value: 'query' },
    { heads, headSize, columns, ...options },
  );
};

export const cases: readonly OpCase[] = [
  ...[6, 64].map((headSize) => self(5, 2, headSize, { causal: true })),
  // A workgroup's invocations divide a head among themselves in powers of two.
  ...inFloat32([4, 12, 16, 32, 80].map((headSize) => self(5, 2, headSize, { causal: true }))),
  ...inFloat32([self(7, 3, 4), self(9, 1, 20)]),
  // More queries and keys than a tile.
  ...inFloat32([self(67, 1, 64, { causal: true }), packed([2, 35], 2, 6, { causal: true })]),
  self(4, 2, 5, { scale: 0.3 }),
  self(1, 2, 8, { causal: true }),
  // A head too wide for the invocations of a workgroup.
  self(3, 1, 272),
  packed([6], 2, 8, { causal: true }),
  packed([2, 5], 3, 6, { causal: true }),
  test('attention', { query: [2, 4, 24], key: [2, 6, 24], value: [2, 6, 24] }, { heads: 3, headSize: 8 }),
  test(
    'attention',
    { query: [3, 32], key: [5, 16], value: [5, 16] },
    { heads: 4, kvHeads: 2, headSize: 8, causal: true },
  ),
  test('attention', { query: [4, 36], key: [4, 6], value: [4, 6] }, { heads: 6, kvHeads: 1, headSize: 6 }),
  test('attention', { query: [2, 16], key: [67, 16], value: [67, 16] }, { heads: 2, headSize: 8 }),
  test('attention', { query: [3, 16], key: [131, 16], value: [131, 16] }, { heads: 1, headSize: 16, causal: true }),
  test('attention', { query: [2, 12], key: [260, 12], value: [260, 12] }, { heads: 2, headSize: 6, causal: true }),
  // A KV cache: as many keys as there is room, of which a query sees those up to its position.
  test(
    'attention',
    {
      query: [3, 16],
      key: [70, 16],
      value: [70, 16],
      positions: uint32([3], (run) => (run ? [63, 64, 65] : [0, 1, 2])),
    },
    { heads: 2, headSize: 8, causal: true },
  ),
  // Keys enough for several workgroups, of which most have none to see in one run.
  test(
    'attention',
    { query: [1, 32], key: [300, 32], value: [300, 32], positions: uint32([1], (run) => [run ? 299 : 1]) },
    { heads: 2, headSize: 16, causal: true },
  ),
  test(
    'attention',
    { query: [1, 30], key: [9, 10], value: [9, 10], positions: uint32([1], (run) => [run ? 8 : 4]) },
    { heads: 2, headSize: 5, causal: true },
  ),
  // Heads that share keys, more than four of them or fewer; a part of the keys is seen.
  test(
    'attention',
    { query: [1, 60], key: [300, 40], value: [300, 40], positions: uint32([1], (run) => [run ? 299 : 66]) },
    { heads: 6, kvHeads: 2, headSize: 8, causal: true, columns: [4, 0, 20] },
  ),
  ...inFloat32([
    test(
      'attention',
      { query: [1, 112], key: [300, 16], value: [300, 16] },
      { heads: 7, kvHeads: 1, headSize: 16, causal: true, window: 270, softcap: 2 },
    ),
    test(
      'attention',
      { query: [2, 2, 24], key: [2, 260, 6], value: [2, 260, 6], bias: [2, 4, 2, 260] },
      { heads: 4, kvHeads: 1, headSize: 6 },
    ),
  ]),
  // A window of the keys before a query: within a tile, over several, as wide as all keys; with a KV cache.
  self(9, 2, 8, { causal: true, window: 3 }),
  self(6, 2, 5, { causal: true, window: 1 }),
  ...inFloat32([self(150, 1, 16, { causal: true, window: 70 }), self(70, 1, 12, { causal: true, window: 70 })]),
  test(
    'attention',
    {
      query: [5, 24],
      key: [90, 12],
      value: [90, 12],
      positions: uint32([5], (run) => (run ? [3, 4, 5, 6, 7] : [85, 86, 87, 88, 89])),
    },
    { heads: 4, kvHeads: 2, headSize: 6, causal: true, window: 6 },
  ),
  test(
    'attention',
    { query: [1, 32], key: [700, 32], value: [700, 32], positions: uint32([1], (run) => [run ? 699 : 1]) },
    { heads: 2, headSize: 16, causal: true, window: 300 },
  ),
  // Scores drawn towards zero.
  test(
    'attention',
    { query: valued([6, 16], { low: -6, high: 6 }), key: valued([6, 16], { low: -6, high: 6 }), value: [6, 16] },
    { heads: 2, headSize: 8, causal: true, softcap: 5 },
  ),
  test(
    'attention',
    { query: [2, 5, 12], key: [2, 9, 12], value: [2, 9, 12], bias: [2, 2, 5, 9] },
    { heads: 2, headSize: 6, softcap: 0.4 },
  ),
  self(40, 1, 16, { causal: true, window: 20, softcap: 0.5 }),
  // Heads of their own, [B, heads, T, headSize], for some of the operands or all.
  test('attention', { query: [2, 3, 5, 8], key: [2, 3, 9, 8], value: [2, 3, 9, 8] }, { heads: 3, headSize: 8 }),
  test(
    'attention',
    { query: [2, 5, 24], key: [2, 1, 70, 6], value: [2, 1, 70, 6] },
    { heads: 4, kvHeads: 1, headSize: 6, causal: true },
  ),
  test('attention', { query: [1, 2, 35, 16], key: [1, 35, 32], value: [1, 35, 32] }, { heads: 2, headSize: 16 }),
  test('attention', { query: [2, 2, 1, 16], key: [2, 2, 300, 16], value: [2, 2, 300, 16] }, { heads: 2, headSize: 16 }),
  // What is added to the scores, for each head and query, or alike for some.
  test(
    'attention',
    { query: [2, 5, 24], key: [2, 9, 24], value: [2, 9, 24], bias: [2, 3, 5, 9] },
    { heads: 3, headSize: 8 },
  ),
  test(
    'attention',
    { query: [2, 2, 35, 8], key: [2, 2, 67, 8], value: [2, 2, 67, 8], bias: [1, 2, 35, 67] },
    { heads: 2, headSize: 8, causal: true },
  ),
  test(
    'attention',
    { query: [3, 1, 12], key: [3, 260, 12], value: [3, 260, 12], bias: [3, 1, 1, 260] },
    { heads: 2, headSize: 6 },
  ),
  test(
    'attention',
    { query: [1, 4, 16], key: [1, 5, 16], value: [1, 5, 16], bias: [1, 2, 4, 1] },
    { heads: 2, headSize: 8 },
  ),
  // Masks: some keys never count; a query whose keys are all at the lowest number sees them alike, one that may see none gives NaN.
  ...inFloat32(
    [
      [0, NEVER, 0, NEVER, NEVER, NEVER, 0, 0],
      [LOWEST, 0, 0, LOWEST, LOWEST, LOWEST, LOWEST, LOWEST],
      [NEVER, NEVER, NEVER, NEVER, LOWEST, 0, LOWEST, NEVER],
    ].flatMap((mask, i) =>
      [false, true].map((blindToZero) =>
        test(
          'attention',
          { query: [1, 2, 16], key: [1, 4, 16], value: [1, 4, 16], bias: valued([1, 1, 2, 4], mask) },
          { heads: 2, headSize: 8, blindToZero },
          { note: `mask ${i}` },
        ),
      ),
    ),
  ),
  ...inFloat32([
    test(
      'attention',
      { query: special(9, 16), key: special(11, 16), value: special(11, 16) },
      { heads: 2, headSize: 8 },
    ),
  ]),
  test(
    'attention',
    { query: valued([4, 8], { low: -30, high: 30 }), key: [9, 8], value: [9, 8] },
    { heads: 1, headSize: 8 },
    { note: 'large scores' },
  ),
];
