import { isFloat } from '../../tensor/types.ts';
import { at, build, type Element, held, moved, placeOf, type RefInputs, type RefTensor } from './tensor.ts';

interface ResizeOptions {
  axes?: readonly number[];
  sizes?: readonly number[];
  scales?: readonly number[];
  roi?: readonly number[];
  mode?: 'nearest' | 'linear' | 'cubic';
  coordinateTransformation?: string;
  nearestMode?: string;
  cubicCoefficient?: number;
  excludeOutside?: boolean;
  extrapolationValue?: number;
  antialias?: boolean;
}

/** An element of an axis of the input, and its share. */
interface Tap {
  readonly place: number;
  readonly weight: number;
}

/** The elements along an axis that element x of the output comes from; undefined beyond the region of interest. */
function tapsOf(
  x: number,
  extent: number,
  size: number,
  scale: number,
  roi: readonly [number, number],
  options: ResizeOptions,
): Tap[] | undefined {
  const { mode = 'nearest', coordinateTransformation = 'half_pixel', nearestMode = 'round_prefer_floor' } = options;
  const { cubicCoefficient: a = -0.75, excludeOutside = false, antialias = false } = options;
  const length = scale * extent;
  let from = (x + 0.5) / scale - 0.5;
  if (coordinateTransformation === 'half_pixel_symmetric') from += (extent / 2) * (1 - size / length);
  if (coordinateTransformation === 'pytorch_half_pixel' && size === 1) from = 0;
  if (coordinateTransformation === 'align_corners') from = length === 1 ? 0 : (x * (extent - 1)) / (length - 1);
  if (coordinateTransformation === 'asymmetric') from = x / scale;
  if (coordinateTransformation === 'tf_crop_and_resize') {
    const along = size > 1 ? (x * (roi[1] - roi[0])) / (size - 1) : (roi[1] - roi[0]) / 2;
    from = (roi[0] + along) * (extent - 1);
    if (from < 0 || from > extent - 1) return undefined;
  }
  // Halves of a quotient may be a rounding off.
  if (Math.abs(2 * from - Math.round(2 * from)) < 1e-9) from = Math.round(2 * from) / 2;
  const edge = (place: number): number => Math.min(Math.max(place, 0), extent - 1);
  if (mode === 'nearest') {
    const below = Math.floor(from);
    const rest = from - below;
    const up = {
      round_prefer_floor: rest > 0.5,
      round_prefer_ceil: rest >= 0.5,
      floor: false,
      ceil: rest > 0,
    }[nearestMode];
    return [{ place: edge(up ? below + 1 : below), weight: 1 }];
  }
  const squeeze = antialias && scale < 1 ? scale : 1;
  const weightAt = (distance: number): number => {
    const d = Math.abs(distance);
    if (mode === 'linear') return d < 1 ? 1 - d : 0;
    if (d <= 1) return (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1;
    return d < 2 ? a * d ** 3 - 5 * a * d ** 2 + 8 * a * d - 4 * a : 0;
  };
  const reach = Math.ceil((mode === 'linear' ? 1 : 2) / squeeze);
  const taps: Tap[] = [];
  for (let place = Math.floor(from) - reach; place <= Math.floor(from) + reach + 1; place++) {
    if (excludeOutside && edge(place) !== place) continue;
    taps.push({ place: edge(place), weight: weightAt((place - from) * squeeze) });
  }
  const total = taps.reduce((sum, { weight }) => sum + weight, 0);
  return taps.map(({ place, weight }) => ({ place, weight: weight / total })).filter(({ weight }) => weight !== 0);
}

/** Fractions are dropped; where the sum may be on either side of an integer, either is right. */
function whole(dataType: RefTensor['dataType'], value: number): Element {
  const [low, high] = { int8: [-128, 127], uint8: [0, 255] }[dataType as string] ?? [-Infinity, Infinity];
  const kept = (x: number): number => held(dataType, Math.min(Math.max(x, low!), high!));
  const [less, more] = [kept(value - 1e-4), kept(value + 1e-4)];
  return { value: less, either: more };
}

export function resize({ input }: RefInputs, options: ResizeOptions): RefTensor {
  const { dataType, shape } = input!;
  const { mode = 'nearest', extrapolationValue = 0 } = options;
  const axes = (options.axes ?? shape.map((_, d) => d)).map((axis) => (axis < 0 ? axis + shape.length : axis));
  const rois = axes.map((_, i): [number, number] =>
    options.coordinateTransformation === 'tf_crop_and_resize'
      ? [options.roi![i]!, options.roi![axes.length + i]!]
      : [0, 1],
  );
  const sizes = axes.map(
    (axis, i) => options.sizes?.[i] ?? Math.floor(shape[axis]! * (rois[i]![1] - rois[i]![0]) * options.scales![i]!),
  );
  const tables = axes.map((axis, i) =>
    Array.from({ length: sizes[i]! }, (_, x) =>
      tapsOf(x, shape[axis]!, sizes[i]!, options.scales?.[i] ?? sizes[i]! / shape[axis]!, rois[i]!, options),
    ),
  );
  const terms = tables.reduce((all, table) => all * Math.max(...table.map((taps) => taps?.length ?? 1)), 1);
  return build(
    dataType,
    moved(shape, axes, sizes),
    (index) => {
      const lists = axes.map((axis, i) => tables[i]![index[axis]!]);
      if (lists.some((taps) => !taps)) return held(dataType, extrapolationValue);
      let value = 0;
      let mass = 0;
      const add = (i: number, place: readonly number[], weight: number): void => {
        if (i < axes.length) {
          for (const tap of lists[i]!) add(i + 1, moved(place, [axes[i]!], [tap.place]), weight * tap.weight);
          return;
        }
        value += weight * at(input!, place);
        mass += Math.abs(weight * at(input!, place));
      };
      add(0, index, 1);
      return isFloat(dataType) || mode === 'nearest' ? { value, mass } : whole(dataType, value);
    },
    terms,
  );
}

function resample2d(
  inputs: RefInputs,
  {
    mode,
    scales = [1, 1],
    sizes,
    axes = [2, 3],
  }: { mode?: string; axes?: number[]; scales?: number[]; sizes?: number[] },
): RefTensor {
  const own = sizes ?? axes.map((axis, i) => Math.floor(inputs['input']!.shape[axis]! * scales[i]!));
  return resize(inputs, { axes, sizes: own, mode: mode === 'linear' ? 'linear' : 'nearest' });
}

/** Entries stand in the tables axis by axis, element by element. */
function resample(
  { input, places, weights }: RefInputs,
  { sizes, starts, taps, fill = 0 }: { sizes: number[]; starts: number[]; taps: number[]; fill?: number },
): RefTensor {
  const axes = starts.flatMap((start, axis) => (start < 0 ? [] : [axis]));
  return build(
    input!.dataType,
    sizes,
    (index) => {
      const first = axes.map((axis) => starts[axis]! + index[axis]! * taps[axis]!);
      if (first.some((entry) => places!.data[entry]! < 0)) return held(input!.dataType, fill);
      let value = 0;
      let mass = 0;
      const add = (i: number, place: readonly number[], weight: number): void => {
        if (i < axes.length) {
          for (let entry = first[i]!; entry < first[i]! + taps[axes[i]!]!; entry++)
            add(i + 1, moved(place, [axes[i]!], [places!.data[entry]!]), weight * (weights?.data[entry] ?? 1));
          return;
        }
        const term = weight * input!.data[placeOf(input!.shape, place)]!;
        value += term;
        mass += Math.abs(term);
      };
      add(0, index, 1);
      return { value, mass };
    },
    axes.reduce((all, axis) => all * taps[axis]!, 1),
  );
}

export const references = { resample, resample2d, resize };
