import { at, build, type RefInputs, type RefTensor } from './tensor.ts';

interface VolumeOptions {
  padding?: readonly number[];
  strides?: readonly number[];
  dilations?: readonly number[];
  groups?: number;
  inputLayout?: string;
  filterLayout?: string;
  windowDimensions?: readonly number[];
  layout?: string;
  roundingType?: 'floor' | 'ceil';
  outputSizes?: readonly number[];
}

/** The geometry of a window over the axes d, h and w of a tensor whose axes have these letters. */
function windowOver(shape: readonly number[], layout: string, window: readonly number[], options: VolumeOptions) {
  const { padding = [0, 0, 0, 0, 0, 0], strides = [1, 1, 1], dilations = [1, 1, 1], roundingType = 'floor' } = options;
  const axes = [...'dhw'].map((axis) => layout.indexOf(axis));
  const sizes = axes.map((axis, i) => {
    const room = shape[axis]! + padding[2 * i]! + padding[2 * i + 1]! - (window[i]! - 1) * dilations[i]! - 1;
    return options.outputSizes?.[i] ?? Math[roundingType](room / strides[i]!) + 1;
  });
  /** The places of taps that are inside, for an element of the output. */
  const met = (index: readonly number[]): { tap: number[]; place: number[] }[] => {
    const found: { tap: number[]; place: number[] }[] = [];
    for (let z = 0; z < window[0]!; z++)
      for (let y = 0; y < window[1]!; y++)
        for (let x = 0; x < window[2]!; x++) {
          const tap = [z, y, x];
          const place = axes.map((axis, i) => index[axis]! * strides[i]! + tap[i]! * dilations[i]! - padding[2 * i]!);
          if (place.every((p, i) => p >= 0 && p < shape[axes[i]!]!)) found.push({ tap, place });
        }
    return found;
  };
  /** Coordinates by letter. */
  const indexOf = (by: Readonly<Record<string, number>>): number[] => [...layout].map((axis) => by[axis]!);
  return { sizes, met, indexOf };
}

function conv3d({ input, filter, bias }: RefInputs, options: VolumeOptions): RefTensor {
  const { groups = 1, inputLayout = 'ncdhw', filterLayout = 'oidhw' } = options;
  const extent = (axis: string): number => filter!.shape[filterLayout.indexOf(axis)]!;
  const { sizes, met, indexOf } = windowOver(input!.shape, inputLayout, [...'dhw'].map(extent), options);
  const [o, channels] = [extent('o'), extent('i')];
  const [d, h, w] = sizes as [number, number, number];
  return build(
    input!.dataType,
    indexOf({ n: input!.shape[0]!, c: o, d, h, w }),
    (index) => {
      const column = index[inputLayout.indexOf('c')]!;
      const group = Math.floor(column / (o / groups));
      let value = bias ? at(bias, [column]) : 0;
      let mass = Math.abs(value);
      for (const { tap, place } of met(index)) {
        for (let i = 0; i < channels; i++) {
          const by = { n: index[0]!, c: group * channels + i, d: place[0]!, h: place[1]!, w: place[2]! };
          const weight: Record<string, number> = { o: column, i, d: tap[0]!, h: tap[1]!, w: tap[2]! };
          const product =
            at(input!, indexOf(by)) *
            at(
              filter!,
              [...filterLayout].map((axis) => weight[axis]!),
            );
          value += product;
          mass += Math.abs(product);
        }
      }
      return { value, mass };
    },
    channels * extent('d') * extent('h') * extent('w'),
  );
}

const pool3d =
  (kind: 'max' | 'average') =>
  ({ input }: RefInputs, options: VolumeOptions): RefTensor => {
    const { layout = 'ncdhw' } = options;
    const extent = (axis: string): number => input!.shape[layout.indexOf(axis)]!;
    const window = options.windowDimensions ?? [...'dhw'].map(extent);
    const { sizes, met, indexOf } = windowOver(input!.shape, layout, window, options);
    const [d, h, w] = sizes as [number, number, number];
    return build(
      input!.dataType,
      indexOf({ n: extent('n'), c: extent('c'), d, h, w }),
      (index) => {
        const c = index[layout.indexOf('c')]!;
        const taken = met(index).map(({ place }) =>
          at(input!, indexOf({ n: index[0]!, c, d: place[0]!, h: place[1]!, w: place[2]! })),
        );
        if (kind === 'max') return Math.max(...taken);
        const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / taken.length;
        return { value: mean(taken), mass: mean(taken.map(Math.abs)) };
      },
      window.reduce((a, b) => a * b, 1),
    );
  };

export const references = { conv3d, maxPool3d: pool3d('max'), averagePool3d: pool3d('average') };
