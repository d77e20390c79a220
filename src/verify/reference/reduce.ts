import { elementCount, isFloat } from '../../tensor/types.ts';
import { at, build, type Element, everywhere, held, moved, type RefInputs, type RefTensor } from './tensor.ts';

interface ReduceOptions {
  axes?: readonly number[];
  keepDimensions?: boolean;
}

const sum = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);
const sizes = (list: readonly number[]): number => sum(list.map(Math.abs));
const squares = (list: readonly number[]): number => sum(list.map((x) => x * x));

/** A reduction of a list of numbers to one. */
export const REDUCTIONS: Readonly<Record<string, (list: readonly number[]) => Element>> = {
  reduceSum: (list) => ({ value: sum(list), mass: sizes(list) }),
  reduceMean: (list) => ({ value: sum(list) / list.length, mass: sizes(list) / list.length }),
  reduceMax: (list) => Math.max(...list),
  reduceMin: (list) => Math.min(...list),
  // Each factor rounds: errors grow with their number, not with its root.
  reduceProduct: (list) => {
    const value = list.reduce((a, b) => a * b, 1);
    return { value, mass: Math.abs(value) * Math.sqrt(list.length) };
  },
  reduceL1: sizes,
  reduceL2: (list) => Math.sqrt(squares(list)),
  reduceSumSquare: squares,
  // A relative error of the sum is an absolute error of its logarithm.
  reduceLogSum: (list) => ({
    value: Math.log(sum(list)),
    mass: sizes(list) / sum(list) + Math.abs(Math.log(sum(list))),
  }),
  reduceLogSumExp: (list) => {
    const top = Math.max(...list);
    const value = Math.abs(top) === Infinity ? top : top + Math.log(sum(list.map((x) => Math.exp(x - top))));
    return { value, mass: 1 + Math.abs(value) + Math.abs(top) };
  },
};

/** Of integers, where float64 would round: they wrap around at 32 bits. */
const OF_INTEGERS: Readonly<Record<string, (list: readonly number[]) => number>> = {
  reduceProduct: (list) => list.reduce(Math.imul, 1),
  reduceSumSquare: (list) => sum(list.map((x) => Math.imul(x, x))),
};

export const reduce =
  (name: string) =>
  ({ input }: RefInputs, { axes, keepDimensions = false }: ReduceOptions): RefTensor => {
    const { shape, dataType } = input!;
    const over = (axes ?? shape.map((_, d) => d)).map((axis) => (axis < 0 ? axis + shape.length : axis));
    const rest = shape.map((_, d) => d).filter((d) => !over.includes(d));
    const extents = over.map((d) => shape[d]!);
    const outShape = keepDimensions
      ? shape.map((size, d) => (over.includes(d) ? 1 : size))
      : rest.map((d) => shape[d]!);
    return build(
      dataType,
      outShape,
      (index) => {
        const kept = keepDimensions ? rest.map((d) => index[d]!) : index;
        const place = moved(new Array<number>(shape.length).fill(0), rest, kept);
        const list = everywhere(extents).map((to) => at(input!, moved(place, over, to)));
        const made = ((!isFloat(dataType) && OF_INTEGERS[name]) || REDUCTIONS[name]!)(list);
        return isFloat(dataType) ? made : held(dataType, typeof made === 'number' ? made : made.value);
      },
      elementCount(extents),
    );
  };

interface ArgOptions {
  axis: number;
  keepDimensions?: boolean;
  selectLastIndex?: boolean;
}

/** The first of equal elements, or the last; the first NaN where there is one, or the last. */
export const argExtremum =
  (better: (x: number, best: number) => boolean) =>
  ({ input }: RefInputs, { axis, keepDimensions = false, selectLastIndex = false }: ArgOptions): RefTensor => {
    const { shape } = input!;
    const d = axis < 0 ? axis + shape.length : axis;
    const outShape = keepDimensions ? shape.map((size, i) => (i === d ? 1 : size)) : shape.filter((_, i) => i !== d);
    return build('int32', outShape, (index) => {
      const place = keepDimensions ? [...index] : [...index.slice(0, d), 0, ...index.slice(d)];
      const nth = (i: number): number => (selectLastIndex ? shape[d]! - 1 - i : i);
      let best = 0;
      for (let i = 1; i < shape[d]!; i++) {
        const [x, top] = [i, best].map((j) => at(input!, moved(place, [d], [nth(j)]))) as [number, number];
        if (!Number.isNaN(top) && (Number.isNaN(x) || better(x, top))) best = i;
      }
      return nth(best);
    });
  };

export const references = {
  ...Object.fromEntries(Object.keys(REDUCTIONS).map((name) => [name, reduce(name)])),
  argMax: argExtremum((x, best) => x > best),
  argMin: argExtremum((x, best) => x < best),
};
