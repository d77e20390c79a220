import { EXACT } from '../../ops/define.ts';
import { int8, int32, type OpCase, special, type TensorSpec, test, uint32, valued } from '../case.ts';

/** Forwards, from the end, beyond both ends, and some twice. */
const INDICES = [0, 3, -1, 2, -4, 9, -9, 1, -2, 0, 4, -2147483648, 2147483647, 1, 1];
const UNSIGNED = [0, 4, 3, 7, 4294967295, 2147483648, 2, 4294967294];

const uint8 = (...shape: number[]): TensorSpec => ({ shape, dataType: 'uint8' });

const gathers: OpCase[] = [
  test('gatherElements', { input: [5, 3], indices: int32([7, 3], INDICES) }),
  test('gatherElements', { input: [5, 7], indices: int32([4, 3], INDICES) }, { axis: 1 }),
  test('gatherElements', { input: [2, 5, 4], indices: int32([2, 2, 3], INDICES) }, { axis: -2 }),
  test('gatherElements', { input: [9], indices: int32([5], (run) => (run ? [8, -9, 3, 3, 0] : [1, -1, -2, 7, 20])) }),
  test(
    'gatherElements',
    { input: [2, 1, 3, 2, 1, 2, 2, 3], indices: int32([2, 1, 2, 2, 1, 2, 5, 3], INDICES) },
    { axis: 6 },
  ),
  test('gatherElements', { input: [4, 5], indices: uint32([4, 2], UNSIGNED) }, { axis: 1 }),
  test('gatherElements', { input: int8(5, 7), indices: int32([3, 5], INDICES) }),
  test('gatherElements', { input: uint8(3, 5), indices: int32([3, 3], INDICES) }, { axis: -1 }),
  test('gatherElements', { input: int32([3, 5]), indices: int32([2, 6], INDICES) }, { axis: 1 }),
  test('gatherElements', { input: special(40, 3), indices: int32([40, 3], { low: -40, high: 39 }) }),
];

const exact = { tolerance: EXACT };

/** Both, where an update takes the place of what it hits. */
const overwrites: OpCase[] = [
  test('scatterElements', { input: [5, 3], indices: int32([7, 3], INDICES), updates: [7, 3] }, {}, exact),
  test('scatterElements', { input: [5, 7], indices: int32([4, 3], INDICES), updates: [4, 3] }, { axis: 1 }, exact),
  test(
    'scatterElements',
    { input: [2, 5, 3], indices: int32([2, 4, 3], INDICES), updates: [2, 4, 3] },
    { axis: -2 },
    exact,
  ),
  test(
    'scatterElements',
    { input: [9], indices: int32([3], (run) => (run ? [8, -9, 3] : [1, -8, 4])), updates: [3] },
    {},
    exact,
  ),
  test(
    'scatterElements',
    {
      input: [2, 1, 3, 2, 1, 2, 2, 3],
      indices: int32([2, 1, 2, 2, 1, 2, 5, 3], INDICES),
      updates: [2, 1, 2, 2, 1, 2, 5, 3],
    },
    { axis: 6 },
    exact,
  ),
  test('scatterElements', { input: [4, 5], indices: uint32([4, 2], UNSIGNED), updates: [4, 2] }, { axis: 1 }, exact),
  test('scatterElements', { input: special(7, 5), indices: int32([7, 5], INDICES), updates: special(7, 5) }, {}, exact),
  test('scatterElements', { input: int8(5, 7), indices: int32([3, 5], INDICES), updates: int8(3, 5) }, { axis: 0 }),
  test('scatterElements', { input: uint8(3, 5), indices: int32([3, 3], INDICES), updates: uint8(3, 3) }, { axis: 1 }),
  test('scatterElements', { input: [3, 5], indices: int32([0, 5]), updates: [0, 5] }, {}, exact),
  test('scatterND', { input: [4, 5, 3], indices: int32([6, 2], INDICES), updates: [6, 3] }, {}, exact),
  test('scatterND', { input: [3, 4, 5], indices: int32([4, 3], INDICES), updates: [4] }, {}, exact),
  test('scatterND', { input: [5, 3, 2], indices: int32([2, 3, 1], INDICES), updates: [2, 3, 3, 2] }, {}, exact),
  test('scatterND', { input: [5, 4], indices: int32([1], (run) => (run ? [3] : [-5])), updates: [4] }, {}, exact),
  test('scatterND', { input: [2, 3, 2, 3, 2, 3, 2, 2], indices: int32([2, 8], INDICES), updates: [2] }, {}, exact),
  test('scatterND', { input: [4, 5, 3], indices: uint32([4, 2], UNSIGNED), updates: [4, 3] }, {}, exact),
  test('scatterND', { input: int8(3, 5, 7), indices: int32([6, 2], INDICES), updates: int8(6, 7) }),
  test('scatterND', { input: uint8(5, 3), indices: int32([7, 1], INDICES), updates: uint8(7, 3) }),
  test('scatterND', { input: [5, 3], indices: int32([0, 2]), updates: [0] }, {}, exact),
];

/** Both operands reach the ends of the type: sums and products wrap around. */
const ENDS = {
  int32: [2147483647, -2147483648, 65537, -3, 1000, 46341],
  uint32: [4294967295, 65537, 3, 2147483648, 1000],
  int8: [127, -128, 3, -5, 17],
  uint8: [255, 3, 17, 128],
} as const;
type Ends = keyof typeof ENDS;

/** Every reduction, and two types that each op tries it on. */
const REDUCTIONS: readonly (readonly [reduction: string, elements: Ends, nd: Ends])[] = [
  ['none', 'int32', 'uint32'],
  ['add', 'int32', 'uint8'],
  ['mul', 'uint32', 'int8'],
  ['max', 'int8', 'uint32'],
  ['min', 'uint8', 'int32'],
];

const ends = (dataType: Ends, ...shape: number[]): TensorSpec => ({ shape, dataType, values: ENDS[dataType] });

const reductions: OpCase[] = REDUCTIONS.flatMap(([reduction, elements, nd]) => [
  test(
    'scatterElements',
    { input: ends(elements, 5, 3), indices: int32([7, 3], INDICES), updates: ends(elements, 7, 3) },
    { reduction },
  ),
  test('scatterND', { input: ends(nd, 5, 3), indices: int32([7, 1], INDICES), updates: ends(nd, 7, 3) }, { reduction }),
  // Of sums and products the order is seen in what they round.
  ...(reduction === 'none'
    ? []
    : [
        test(
          'scatterElements',
          { input: [5, 7], indices: int32([5, 9], INDICES), updates: [5, 9] },
          { axis: 1, reduction },
        ),
        test('scatterND', { input: [4, 5, 3], indices: int32([9, 2], INDICES), updates: [9, 3] }, { reduction }),
        test(
          'scatterElements',
          { input: valued([9, 5], 'few'), indices: int32([4, 5], INDICES), updates: special(4, 5) },
          { reduction },
        ),
        test(
          'scatterND',
          { input: special(9, 5), indices: int32([4, 1], INDICES), updates: special(4, 5) },
          { reduction },
        ),
      ]),
]);

export const cases: readonly OpCase[] = [...gathers, ...overwrites, ...reductions];
