import { isFloat } from '../../tensor/types.ts';
import { at, build, held, moved, type RefInputs, type RefTensor } from './tensor.ts';

interface CumulativeOptions {
  axis: number;
  exclusive?: boolean;
  reversed?: boolean;
}

const numbersTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** The total of the elements before each along the axis and, unless it is exclusive, of itself. */
const cumulative =
  (total: (list: readonly number[], float: boolean) => { value: number; mass: number }) =>
  ({ input }: RefInputs, { axis, exclusive = false, reversed = false }: CumulativeOptions): RefTensor => {
    const { dataType, shape } = input!;
    const d = axis < 0 ? axis + shape.length : axis;
    const size = shape[d]!;
    return build(
      dataType,
      shape,
      (index) => {
        const own = reversed ? size - 1 - index[d]! : index[d]!;
        const before = numbersTo(exclusive ? own : own + 1).map((i) => (reversed ? size - 1 - i : i));
        const made = total(
          before.map((i) => at(input!, moved(index, [d], [i]))),
          isFloat(dataType),
        );
        return { ...made, value: held(dataType, made.value) };
      },
      size,
    );
  };

export const references = {
  cumulativeSum: cumulative((list) => ({
    value: list.reduce((a, b) => a + b, 0),
    mass: list.reduce((a, b) => a + Math.abs(b), 0),
  })),
  // Each factor rounds: errors grow with their number, not with its root. Integers wrap around at 32 bits.
  cumulativeProduct: cumulative((list, float) => {
    const value = float ? list.reduce((a, b) => a * b, 1) : list.reduce(Math.imul, 1);
    return { value, mass: Math.abs(value) * Math.sqrt(list.length) };
  }),
};
