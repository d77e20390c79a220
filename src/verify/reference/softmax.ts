import { at, build, moved, type RefInputs, type RefTensor } from './tensor.ts';

/** exp(x) / Σ exp(x) along an axis. x and the maximum are rounded before exp: their size counts in the mass. */
export function softmax({ input }: RefInputs, { axis = -1 }: { axis?: number }): RefTensor {
  const { shape, dataType } = input!;
  const d = axis < 0 ? axis + shape.length : axis;
  return build(
    dataType,
    shape,
    (index) => {
      const line = Array.from({ length: shape[d]! }, (_, i) => at(input!, moved(index, [d], [i])));
      const top = Math.max(...line);
      const x = line[index[d]!]!;
      const value = Math.exp(x - top) / line.reduce((sum, y) => sum + Math.exp(y - top), 0);
      return { value, mass: value * (1 + Math.abs(x) + Math.abs(top)) };
    },
    shape[d]!,
  );
}

export const references = { softmax };
