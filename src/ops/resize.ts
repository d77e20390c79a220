import { type DataType, formatShape, isFloat, type TensorDescriptor } from '../tensor/types.ts';
import {
  defineOp,
  type Inputs,
  type Labelled,
  NUMBERS,
  needAxis,
  needOneOf,
  type Operand,
  opError,
  type Rewriter,
  SUM,
} from './define.ts';
import { MOST_AXES } from './resample.ts';
import { needIntegers } from './window.ts';

const MODES = ['nearest', 'linear', 'cubic'] as const;
const TRANSFORMATIONS = [
  'half_pixel',
  'half_pixel_symmetric',
  'pytorch_half_pixel',
  'align_corners',
  'asymmetric',
  'tf_crop_and_resize',
] as const;
const NEAREST_MODES = ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'] as const;

export interface ResizeOptions {
  /** The axes that `sizes`, `scales` and `roi` have numbers for; all where absent. */
  axes?: readonly number[];
  /** Sizes in the output. */
  sizes?: readonly number[];
  /** Output by input, as coordinates are computed; of the sizes where absent. Without `sizes`, they follow, rounded down. */
  scales?: readonly number[];
  /** `tf_crop_and_resize`: the starts of all axes, then the ends; 0 and 1 are the first and the last element. */
  roi?: readonly number[];
  mode?: (typeof MODES)[number];
  coordinateTransformation?: (typeof TRANSFORMATIONS)[number];
  nearestMode?: (typeof NEAREST_MODES)[number];
  /** The parameter of the cubic: -0.75 where absent. */
  cubicCoefficient?: number;
  /** Weights of places beyond the edges are 0, and those of the others sum to 1. */
  excludeOutside?: boolean;
  /** `tf_crop_and_resize`: the value of elements from beyond the edges. */
  extrapolationValue?: number;
  /** Where the output is smaller, linear and cubic reach over as many more elements. */
  antialias?: boolean;
}

/** How an axis is resized. */
interface Axis {
  readonly axis: number;
  readonly extent: number;
  readonly size: number;
  /** Undefined: size / extent. */
  readonly scale: number | undefined;
  readonly start: number;
  readonly end: number;
}

/** Of each element along an axis of the output: the places that it comes from, and their weights. */
interface Table {
  readonly taps: number;
  readonly places: readonly number[];
  readonly weights: readonly number[];
}

function needNumbers(name: string, list: readonly number[] | undefined, length: number, positive = false): void {
  const right = (value: number): boolean => Number.isFinite(value) && (!positive || value > 0);
  if (list && (list.length !== length || !list.every(right)))
    throw opError(
      'invalid-argument',
      'resize',
      `${name} needs ${length} ${positive ? 'positive ' : ''}numbers, got [${list.join(',')}]`,
    );
}

function axesOf({ input }: Inputs, options: ResizeOptions): Axis[] {
  const { shape } = input!;
  const { sizes, scales, roi, coordinateTransformation } = options;
  const axes = (options.axes ?? shape.map((_, d) => d)).map((axis) => needAxis('resize', axis, shape.length));
  if (new Set(axes).size < axes.length)
    throw opError('invalid-argument', 'resize', `axes [${axes.join(',')}] name one twice`);
  const count = axes.length;
  if (sizes) needIntegers('resize', 'sizes', sizes, count, 1);
  else if (!scales) throw opError('invalid-argument', 'resize', 'neither sizes nor scales are given');
  needNumbers('scales', scales, count, true);
  const crops = coordinateTransformation === 'tf_crop_and_resize';
  if (crops && !roi) throw opError('invalid-argument', 'resize', 'tf_crop_and_resize needs roi');
  if (crops) needNumbers('roi', roi, 2 * count);
  return axes.map((axis, i) => {
    const extent = shape[axis]!;
    const scale = scales?.[i];
    const [start, end] = crops ? [roi![i]!, roi![count + i]!] : [0, 1];
    const size = sizes?.[i] ?? Math.floor(extent * (end - start) * scale!);
    if (size < 1 || extent < 1)
      throw opError('wrong-shape', 'resize', `axis ${axis} of ${formatShape(shape)} becomes ${size} long`);
    return { axis, extent, size, scale, start, end };
  });
}

/** The coordinate in the input of each element along an axis, as ONNX defines it. */
function coordinatesOf(
  { extent, size, scale, start, end }: Axis,
  { coordinateTransformation: kind = 'half_pixel' }: ResizeOptions,
): number[] {
  // Of the sizes where there is no scale: the quotient is rounded once, so that halves are halves.
  const back = (x: number): number => (scale === undefined ? (x * extent) / size : x / scale);
  const length = scale === undefined ? size : scale * extent;
  const last = extent - 1;
  const coordinate = {
    half_pixel: (x: number) => back(x + 0.5) - 0.5,
    half_pixel_symmetric: (x: number) => (extent / 2) * (1 - size / length) + back(x + 0.5) - 0.5,
    pytorch_half_pixel: (x: number) => (size > 1 ? back(x + 0.5) - 0.5 : 0),
    align_corners: (x: number) => (length === 1 ? 0 : (x * last) / (length - 1)),
    asymmetric: back,
    tf_crop_and_resize: (x: number) =>
      size > 1 ? start * last + (x * (end - start) * last) / (size - 1) : 0.5 * (start + end) * last,
  }[kind];
  return Array.from({ length: size }, (_, x) => coordinate(x));
}

/** The kernel of an interpolation, at a distance from the coordinate. It is 0 from `reach` on. */
function weightBy({ mode, cubicCoefficient: a = -0.75 }: ResizeOptions): { reach: number; weight(x: number): number } {
  if (mode === 'linear') return { reach: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) };
  const cubic = (x: number): number => {
    if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
  };
  return { reach: 2, weight: (x) => cubic(Math.abs(x)) };
}

function tableOf(axis: Axis, options: ResizeOptions): Table {
  const { extent } = axis;
  const { mode = 'nearest', nearestMode = 'round_prefer_floor', coordinateTransformation } = options;
  const coordinates = coordinatesOf(axis, options);
  const inside = (x: number): boolean => x >= 0 && x <= extent - 1;
  const clamped = (place: number): number => Math.min(Math.max(place, 0), extent - 1);
  const filled = (x: number): boolean => coordinateTransformation === 'tf_crop_and_resize' && !inside(x);
  if (mode === 'nearest') {
    const rounded = {
      round_prefer_floor: (x: number) => Math.ceil(x - 0.5),
      round_prefer_ceil: (x: number) => Math.floor(x + 0.5),
      floor: Math.floor,
      ceil: Math.ceil,
    }[nearestMode];
    const places = coordinates.map((x) => (filled(x) ? -1 : clamped(rounded(x))));
    return { taps: 1, places, weights: places.map(() => 1) };
  }
  const { reach, weight } = weightBy(options);
  const shrink = options.antialias ? Math.min(1, axis.scale ?? axis.size / extent) : 1;
  // Places `before` to `after` from the one below the coordinate, or from the one before that where the coordinate is whole.
  const before = Math.floor(-reach / shrink) + 1;
  const taps = 2 - 2 * before;
  const table = coordinates.map((x) => {
    const first = Math.ceil(x) - 1 + before;
    const reached = Array.from({ length: taps }, (_, i) => first + i);
    const raw = reached.map((place) =>
      options.excludeOutside && clamped(place) !== place ? 0 : weight((place - x) * shrink),
    );
    const total = raw.reduce((a, b) => a + b, 0);
    return { places: reached.map((place) => (filled(x) ? -1 : clamped(place))), weights: raw.map((w) => w / total) };
  });
  return { taps, places: table.flatMap(({ places }) => places), weights: table.flatMap(({ weights }) => weights) };
}

/** Whether a table leaves an axis as it is. */
const isIdentity = ({ extent, size }: Axis, { taps, places, weights }: Table): boolean =>
  size === extent && places.every((place, i) => place === Math.floor(i / taps) || (weights[i] === 0 && place >= 0));

/** Elements that are read for one of the output: where two axes would take more, they are resampled one by one. */
const MOST_TAPS = 16;

/** Axes that are resampled together: those that shrink most first, so that the others have less to do. */
function stepsOf<T extends { axis: Axis; table: Table }>(axes: readonly T[]): T[][] {
  const steps: T[][] = [];
  const growth = ({ axis: { size, extent } }: T): number => size / extent;
  for (const next of [...axes].sort((a, b) => growth(a) - growth(b))) {
    const step = steps.at(-1);
    const taps = next.table.taps * (step?.[0]?.table.taps ?? 1);
    if (step && step.length < MOST_AXES && taps <= MOST_TAPS) step.push(next);
    else steps.push([next]);
  }
  return steps;
}

/** Interpolates integers: in float32; fractions are dropped. */
function asFloats(input: Operand, options: ResizeOptions, { add }: Rewriter): Operand {
  const floats = add('resize', { input: add('cast', { input }, { to: 'float32' }) }, options);
  // A cubic goes beyond the numbers that it lies between.
  const range: Partial<Record<DataType, object>> = {
    int8: { alpha: -128, beta: 127 },
    uint8: { alpha: 0, beta: 255 },
  };
  const limits = range[input.dataType];
  return add('cast', { input: limits ? add('clamp', { input: floats }, limits) : floats }, { to: input.dataType });
}

type Resize = (input: Operand, options: ResizeOptions & Labelled) => Operand;

/**
 * resize (ONNX' Resize): axes get other lengths. Elements are the nearest ones, or interpolated along an axis after the
 * other.
 */
export const resize = defineOp<ResizeOptions, Resize>({
  name: 'resize',
  operands: { input: { types: NUMBERS } },
  options: [
    'axes',
    'sizes',
    'scales',
    'roi',
    'mode',
    'coordinateTransformation',
    'nearestMode',
    'cubicCoefficient',
    'excludeOutside',
    'extrapolationValue',
    'antialias',
  ],
  tolerance: SUM,
  infer(inputs, options): TensorDescriptor {
    const { mode = 'nearest', coordinateTransformation = 'half_pixel', nearestMode = 'round_prefer_floor' } = options;
    needOneOf('resize', 'mode', mode, MODES);
    needOneOf('resize', 'coordinateTransformation', coordinateTransformation, TRANSFORMATIONS);
    needOneOf('resize', 'nearestMode', nearestMode, NEAREST_MODES);
    const { dataType, shape } = inputs['input']!;
    const sizes = [...shape];
    for (const { axis, size } of axesOf(inputs, options)) sizes[axis] = size;
    return { dataType, shape: sizes };
  },
  decompose(inputs, options, rewriter) {
    let input = inputs['input']!;
    const { mode = 'nearest', extrapolationValue: fill = 0 } = options;
    if (mode !== 'nearest' && !isFloat(input.dataType)) return asFloats(input, options, rewriter);
    const axes = axesOf(inputs, options)
      .map((axis) => ({ axis, table: tableOf(axis, options) }))
      .filter(({ axis, table }) => !isIdentity(axis, table));
    if (!axes.length) return rewriter.add('identity', { input });
    for (const step of stepsOf(axes)) {
      const sizes = [...input.shape];
      const starts = sizes.map(() => -1);
      const taps = sizes.map(() => 1);
      // Entry 0 is for an axis that is not there.
      let places = [0];
      let weights = [1];
      for (const { axis, table } of step) {
        sizes[axis.axis] = axis.size;
        starts[axis.axis] = places.length;
        taps[axis.axis] = table.taps;
        places = places.concat(table.places);
        weights = weights.concat(table.weights);
      }
      const tableShape = [...sizes.slice(1).map(() => 1), places.length];
      const operands = {
        input,
        places: rewriter.constant('int32', tableShape, places),
        ...(mode !== 'nearest' && { weights: rewriter.constant('float32', tableShape, weights) }),
      };
      input = rewriter.add('resample', operands, { sizes, starts, taps, fill });
    }
    return input;
  },
});

export interface Resample2dOptions {
  mode?: 'nearest-neighbor' | 'linear';
  /** Output by input along `axes`; 1 where absent. */
  scales?: readonly number[];
  /** Of the output along `axes`. */
  sizes?: readonly number[];
  /** [2, 3] where absent. */
  axes?: readonly number[];
}

type Resample2d = (input: Operand, options?: Resample2dOptions & Labelled) => Operand;

/** resample2d: two axes of an image get other lengths. Centres of pixels lie on centres. */
export const resample2d = defineOp<Resample2dOptions, Resample2d>({
  name: 'resample2d',
  operands: { input: { types: NUMBERS, rank: [4, 4] } },
  options: ['mode', 'scales', 'sizes', 'axes'],
  tolerance: SUM,
  infer(inputs, { mode = 'nearest-neighbor', scales = [1, 1], sizes, axes = [2, 3] }) {
    needOneOf('resample2d', 'mode', mode, ['nearest-neighbor', 'linear']);
    if (axes.length !== 2) throw opError('invalid-argument', 'resample2d', `axes [${axes.join(',')}], expected two`);
    const { dataType, shape } = inputs['input']!;
    const own = [...shape];
    for (const { axis, size } of axesOf(inputs, { axes, scales, ...(sizes && { sizes }) })) own[axis] = size;
    return { dataType, shape: own };
  },
  decompose(inputs, { mode, scales = [1, 1], sizes, axes = [2, 3] }, { add }) {
    const own = axesOf(inputs, { axes, scales, ...(sizes && { sizes }) }).map(({ size }) => size);
    return add('resize', { input: inputs['input'] }, { axes, sizes: own, mode: mode === 'linear' ? mode : 'nearest' });
  },
});
