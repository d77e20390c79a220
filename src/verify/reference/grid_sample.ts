import { at, build, type RefInputs, type RefTensor } from './tensor.ts';

interface GridSampleOptions {
  mode?: 'linear' | 'nearest' | 'cubic';
  paddingMode?: 'zeros' | 'border' | 'reflection';
  alignCorners?: boolean;
}

interface Tap {
  readonly place: number;
  readonly weight: number;
}

/** Mirrored at both ends until it is between them. */
function reflected(x: number, low: number, high: number): number {
  if (low === high) return low;
  let y = x;
  while (y < low || y > high) y = y < low ? 2 * low - y : 2 * high - y;
  return y;
}

const toEven = (x: number): number => {
  const up = Math.round(x);
  return up - x === 0.5 && up % 2 !== 0 ? up - 1 : up;
};

export function gridSample({ input, grid }: RefInputs, options: GridSampleOptions): RefTensor {
  const { mode = 'linear', paddingMode = 'zeros', alignCorners = false } = options;
  const extents = input!.shape.slice(2);
  const bordered = (x: number, extent: number): number => {
    if (paddingMode === 'border') return Math.min(Math.max(x, 0), extent - 1);
    if (paddingMode === 'zeros') return x;
    const y = alignCorners ? reflected(x, 0, extent - 1) : reflected(x, -0.5, extent - 0.5);
    // Between an edge and its centre is the centre.
    return x === y ? y : Math.min(Math.max(y, 0), extent - 1);
  };
  const cubic = (x: number): number => {
    const d = Math.abs(x);
    return d <= 1 ? 1.25 * d ** 3 - 2.25 * d ** 2 + 1 : -0.75 * d ** 3 + 3.75 * d ** 2 - 6 * d + 3;
  };
  const tapsOf = (n: number, extent: number): Tap[] => {
    const x = alignCorners ? ((n + 1) / 2) * (extent - 1) : ((n + 1) * extent - 1) / 2;
    if (mode === 'nearest') return [{ place: toEven(x), weight: 1 }];
    const y = bordered(x, extent);
    const first = Math.floor(y);
    if (mode === 'linear')
      return [
        { place: first, weight: 1 - (y - first) },
        { place: first + 1, weight: y - first },
      ];
    return [-1, 0, 1, 2].map((d) => ({ place: first + d, weight: cubic(first + d - y) }));
  };
  const taps = { nearest: 1, linear: 2, cubic: 4 }[mode] ** extents.length;
  return build(
    input!.dataType,
    [...input!.shape.slice(0, 2), ...grid!.shape.slice(1, -1)],
    ([n, c, ...pixel]) => {
      const lists = extents.map((extent, d) => tapsOf(at(grid!, [n!, ...pixel, extents.length - 1 - d]), extent));
      let value = 0;
      let mass = 0;
      const add = (place: readonly number[], weight: number): void => {
        const d = place.length;
        if (d < extents.length) {
          for (const tap of lists[d]!) {
            const inside = bordered(tap.place, extents[d]!);
            if (inside >= 0 && inside < extents[d]!) add([...place, inside], weight * tap.weight);
          }
          return;
        }
        const term = weight * at(input!, [n!, c!, ...place]);
        value += term;
        mass += Math.abs(term);
      };
      add([], 1);
      return { value, mass };
    },
    taps,
  );
}

export const references = { gridSample };
