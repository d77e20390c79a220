import { BINARY, UNARY } from '../../ops/elementwise.ts';
import '../../ops/logic.ts';
import '../../ops/math.ts';
import '../../ops/trigonometry.ts';
import { type DataType, isFloat } from '../../tensor/types.ts';
import {
  float32,
  inFloat32,
  int32,
  type OpCase,
  special,
  type TensorSpec,
  test,
  uint32,
  type Values,
  valued,
} from '../case.ts';

/** Options that are not those the table fills in. */
const SETTINGS: Readonly<Record<string, { alpha?: number; beta?: number }>> = {
  clamp: { alpha: -1, beta: 2 },
  leakyRelu: { alpha: 0.25 },
  elu: { alpha: 0.5 },
  hardSigmoid: { alpha: 0.25, beta: 0.375 },
  linear: { alpha: -1.5, beta: 0.25 },
};

const typed = (shape: readonly number[], dataType: DataType, values: Values): TensorSpec =>
  dataType === 'float32' ? { shape, values } : { shape, dataType, values };

const FLOATS: readonly DataType[] = ['float32', 'float16'];

/** Without float16, the second type of every float case, and without those that are 32 bits on the device. */
const tried = (types: readonly DataType[]): DataType[] => types.filter((dataType) => !/16|64/.test(dataType));

const unaries = [...UNARY].flatMap(
  ([
    name,
    {
      row: { types = FLOATS, values: own },
    },
  ]) =>
    tried(types).flatMap((dataType) => {
      const values = own ?? (isFloat(dataType) ? { low: -6, high: 6 } : 'random');
      const settings = SETTINGS[name] && (dataType.startsWith('u') ? { alpha: 3, beta: 100 } : SETTINGS[name]);
      return [
        test(name, { input: typed([5, 7], dataType, values) }),
        test(name, { input: typed([2, 3, 4], dataType, values) }),
        ...(settings ? [test(name, { input: typed([3, 5], dataType, values) }, settings)] : []),
      ];
    }),
);

const FAR = [-30000, -1000, -88.5, -20, -10.5, 10.5, 20, 88.5, 1000, 30000];
const saturating =
  'tanh sigmoid erf gelu gelu_tanh softplus softsign hardSigmoid hardSwish swish relu leakyRelu elu atan asinh'.split(
    ' ',
  );
const extremes = saturating.map((name) => test(name, { input: valued([FAR.length], FAR) }, {}, { note: 'extremes' }));

/** What is no number or the end of them, and a few that are. */
const ODD = [Number.NaN, Infinity, -Infinity, 0, -0, 1, -1, 2.5, -2.5, 3, -3, 0.5, -0.5, 2, -2];
const odd = (...shape: number[]): TensorSpec => valued(shape, ODD);

const specials = [
  ...[...UNARY]
    .filter(
      ([
        ,
        {
          row: { types = FLOATS },
        },
      ]) => types.includes('float32'),
    )
    .flatMap(([name]) => [
      test(name, { input: odd(ODD.length) }, {}, { note: 'special' }),
      ...(SETTINGS[name] ? [test(name, { input: odd(ODD.length) }, SETTINGS[name], { note: 'special' })] : []),
    ]),
  ...[{ alpha: 0 }, { beta: 1 }, { alpha: 2, beta: -1 }].map((limits) =>
    test('clamp', { input: odd(ODD.length) }, limits),
  ),
  ...[...BINARY]
    .filter(([, { types }]) => types.includes('float32'))
    .map(([name, { operands: [a, b] = ['a', 'b'] }]) =>
      test(name, { [a]: odd(ODD.length, 1), [b]: odd(1, ODD.length) }, {}, { note: 'special' }),
    ),
  test('where', {
    condition: { shape: [3, 5], dataType: 'uint8', values: 'mask' },
    trueValue: odd(3, 5),
    falseValue: odd(5),
  }),
];

const SHAPES = {
  same: [
    [3, 5],
    [3, 5],
  ],
  whole: [
    [2, 8],
    [2, 8],
  ],
  row: [[2, 3, 8], [8]],
  leftRow: [
    [1, 8],
    [2, 3, 8],
  ],
  matrix: [
    [2, 3, 4],
    [1, 3, 4],
  ],
  scalar: [[3, 5], []],
  leftScalar: [[1], [2, 6]],
  raggedRow: [[4, 5], [5]],
  column: [
    [3, 1],
    [1, 7],
  ],
  strided: [[2, 3, 1], [5]],
  axes: [
    [2, 1, 3, 1, 2, 1, 2],
    [1, 4, 1, 3, 1, 2, 1],
  ],
} as const; // prettier-ignore

type ShapeName = keyof typeof SHAPES;

/** Bytes are read one way whatever the function: one function is tried on them in another shape. */
const shapesOf = (name: string, dataType: DataType): readonly ShapeName[] => {
  if (name === 'sub' && dataType === 'float32') return Object.keys(SHAPES) as ShapeName[];
  if (isFloat(dataType) || name.startsWith('logical')) return ['same', 'row', 'scalar', 'strided'];
  return name === 'sub' || dataType.endsWith('32') ? ['same', 'strided'] : ['same'];
};

const RANDOM = ['random', 'random'] as const;

const binaries = [...BINARY].flatMap(([name, { types, operands: [a, b] = ['a', 'b'], values = RANDOM }]) =>
  tried(types).flatMap((dataType) =>
    shapesOf(name, dataType).map((key) => {
      const [x, y] = SHAPES[key];
      return test(name, { [a]: typed(x, dataType, values[0]), [b]: typed(y, dataType, values[1]) });
    }),
  ),
);

const TYPES: readonly DataType[] = ['float32', 'float16', 'int32', 'uint32', 'int8', 'uint8'];

const choices = TYPES.filter((dataType) => dataType !== 'float16').flatMap((dataType) => [
  test('where', {
    condition: { shape: [3, 5], dataType: 'uint8', values: 'mask' },
    trueValue: typed([3, 5], dataType, 'random'),
    falseValue: typed([3, 5], dataType, 'random'),
  }),
  test('where', {
    condition: { shape: [2, 1, 4], dataType: 'uint8', values: 'mask' },
    trueValue: typed([3, 1], dataType, 'random'),
    falseValue: typed([], dataType, 'random'),
  }),
]);

/** Numbers that both types can hold. */
const common = (from: DataType, to: DataType): Values => {
  const low = from.startsWith('u') || to.startsWith('u') ? 1 : -120;
  return { low, high: 120 };
};

const casts = TYPES.flatMap((from) =>
  TYPES.filter((to) => to !== from).map((to) =>
    test('cast', { input: { shape: [5, 7], dataType: from, values: common(from, to) } }, { to }),
  ),
);

export const cases: readonly OpCase[] = [
  ...unaries,
  ...extremes,
  ...specials,
  ...binaries,
  test('pow', { a: valued([4, 6], 'few'), b: valued([4, 6], 'few') }, {}, { note: 'negative bases' }),
  test('pow', { a: valued([4], [-8, -2, 8, -8]), b: valued([4], [1 / 3, 0.5, 1 / 3, -1]) }),
  test('pow', {
    a: int32([7, 1], [-3, -1, 0, 1, 2, 7, 100000]),
    b: int32([1, 9], [0, 1, 2, 3, 11, 31, -1, -2, -2147483648]),
  }),
  test('roundEven', { input: valued([9], [0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 3.49, 4.75, -1e4]) }, {}, { note: 'ties' }),
  ...['sinh', 'cosh'].map((name) =>
    test(
      name,
      { input: float32([8], [89, -89, 88.9, -88, 1e-3, -20, 40, 1]) },
      {},
      { note: 'as far as float32', tolerance: { ulps: 400 } },
    ),
  ),
  ...['asin', 'atan', 'sinh', 'asinh', 'atanh'].map((name) =>
    test(
      name,
      { input: float32([6], [1e-3, -1e-5, 1e-8, 0.4, -0.41, 0.42]) },
      {},
      { note: 'near zero', tolerance: { ulps: 6 } },
    ),
  ),
  test(
    'acos',
    { input: float32([5], [0.9999999, 0.999, 0.51, -0.999, -0.51]) },
    {},
    { note: 'near the ends', tolerance: { ulps: 8 } },
  ),
  test('acosh', { input: float32([6], [1.0000001, 1.001, 1.49, 1.51, 2000, 3e38]) }, {}, { note: 'near 1, and far' }),
  test('atanh', { input: float32([4], [0.9999999, -0.9999999, 0.51, 0.99]) }, {}, { note: 'near the ends' }),
  test('asinh', { input: float32([4], [3e38, -3e38, 1499, 1501]) }, {}, { note: 'far' }),
  ...['mod', 'fmod'].flatMap((name) => [
    test(name, {
      a: float32([6, 1], [1e30, -1e30, 5.3, -5.3, 0.1, 16777215]),
      b: float32([5], [7, -7, 0.3, -2.25, 1e-20]),
    }),
    test(name, { a: int32([5, 1], [7, -7, 0, 2147483647, -2147483648]), b: int32([6], [3, -3, -1, 1, 2147483647, 0]) }),
    test(name, { a: uint32([3, 1], [7, 4294967295, 0]), b: uint32([4], [3, 4294967294, 1, 0]) }),
  ]),
  ...['shiftLeft', 'shiftRight'].flatMap((name) =>
    (['uint32', 'uint8'] as const).map((dataType) =>
      test(name, {
        a: { shape: [3, 1], dataType, values: [1, 171, 255] },
        b: { shape: [7], dataType, values: [0, 1, 7, 8, 31, 32, 255] },
      }),
    ),
  ),
  ...choices,
  ...casts,
  test('glu', { input: [3, 24] }, { activation: { name: 'swish' } }),
  test('glu', { input: valued([2, 5, 14], { low: -3, high: 3 }) }, { activation: { name: 'gelu_tanh' } }),
  ...inFloat32([test('glu', { input: special(9, 16) }, { activation: { name: 'swish', alpha: 1.7 } })]),
  test(
    'cast',
    { input: { shape: [3, 3], dataType: 'int32', values: { low: -1e6, high: 1e6 } } },
    { to: 'int8' },
    { note: 'wraps around' },
  ),
];
