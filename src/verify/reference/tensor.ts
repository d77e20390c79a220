import { type DataType, elementCount, isFloat, stridesOf, typedArray } from '../../tensor/types.ts';

/** A tensor of a reference: float64 numbers, whatever type they stand for. */
export interface RefTensor {
  readonly dataType: DataType;
  readonly shape: readonly number[];
  readonly data: Float64Array;
  /** How large the numbers were that each element was made of: what rounding errors scale with. |element| where absent. */
  readonly mass?: Float64Array;
  /** How many terms were summed for an element: rounding errors grow with its root. */
  readonly terms?: number;
  /** What each element may be as well, where rounding decides between two integers. */
  readonly either?: Float64Array;
}

export type RefInputs = Readonly<Record<string, RefTensor>>;

/** An element, and its mass where it has one. */
export type Element = number | { readonly value: number; readonly mass: number };

/** Coordinates of element `flat`. */
export function coordinates(shape: readonly number[], flat: number): number[] {
  const index = new Array<number>(shape.length).fill(0);
  for (let d = shape.length - 1, rest = flat; d >= 0; d--) {
    index[d] = rest % shape[d]!;
    rest = Math.floor(rest / shape[d]!);
  }
  return index;
}

/** A tensor made element by element, from its coordinates. */
export function build(
  dataType: DataType,
  shape: readonly number[],
  element: (index: readonly number[]) => Element,
  terms = 1,
): RefTensor {
  const data = new Float64Array(elementCount(shape));
  const mass = new Float64Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const made = element(coordinates(shape, i));
    const { value, mass: size } = typeof made === 'number' ? { value: made, mass: Math.abs(made) } : made;
    data[i] = value;
    mass[i] = size;
  }
  return { dataType, shape, data, mass, terms };
}

/** The element at these coordinates. */
export const at = ({ shape, data }: RefTensor, index: readonly number[]): number =>
  data[stridesOf(shape).reduce((sum, stride, d) => sum + stride * index[d]!, 0)]!;

/** The element that broadcasts to these coordinates of a larger shape. */
export const spread = (tensor: RefTensor, index: readonly number[]): number =>
  at(
    tensor,
    tensor.shape.map((size, d) => (size === 1 ? 0 : index[index.length - tensor.shape.length + d]!)),
  );

/** The number as a data type holds it: integers drop their fraction and wrap around. */
export function held(dataType: DataType, value: number): number {
  if (isFloat(dataType)) return value;
  const cell = typedArray(dataType, 1);
  cell[0] = Math.trunc(value);
  return cell[0]!;
}

/** All coordinates of a shape, in order. */
export const everywhere = (shape: readonly number[]): number[][] =>
  Array.from({ length: elementCount(shape) }, (_, i) => coordinates(shape, i));

/** The same coordinates with some of them replaced. */
export const moved = (index: readonly number[], axes: readonly number[], to: readonly number[]): number[] => {
  const result = [...index];
  axes.forEach((axis, i) => {
    result[axis] = to[i]!;
  });
  return result;
};
