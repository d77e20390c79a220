import { at, build, moved, type RefInputs, type RefTensor } from './tensor.ts';

/** Places along the axis, best first: of equals the first, and NaN is the largest of all. */
function topK(
  { input }: RefInputs,
  { k, axis = -1, largest = true }: { k: number; axis?: number; largest?: boolean },
): readonly RefTensor[] {
  const { dataType, shape } = input!;
  const d = axis < 0 ? axis + shape.length : axis;
  const sign = largest ? 1 : -1;
  const rank = (x: number): number => (Number.isNaN(x) ? Number.POSITIVE_INFINITY : x);
  const order = (x: number, y: number): number =>
    x === y || (Number.isNaN(x) && Number.isNaN(y)) ? 0 : Number.isNaN(x) || rank(x) > rank(y) ? 1 : -1;
  const placeOf = (index: readonly number[]): number => {
    const value = (i: number): number => at(input!, moved(index, [d], [i]));
    const places = Array.from({ length: shape[d]! }, (_, i) => i);
    return places.sort((i, j) => -sign * order(value(i), value(j)) || i - j)[index[d]!]!;
  };
  const own = shape.map((size, i) => (i === d ? k : size));
  return [
    build(dataType, own, (index) => at(input!, moved(index, [d], [placeOf(index)]))),
    build('int32', own, placeOf),
  ];
}

export const references = { topK };
