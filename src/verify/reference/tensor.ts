import { type DataType, elementCount, isFloat, typedArray } from '../../tensor/types.ts';

/** A tensor of a reference: float64 numbers, whatever type they stand for. */
export interface RefTensor {
  readonly dataType: DataType;
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
  /** The mass of each element: the sum of the absolute terms that it was computed from. |element| where absent. */
  readonly mass?: ArrayLike<number>;
  /** Terms in the sum of an element: rounding errors grow with the root of their number. */
  readonly terms?: number;
  /** A second right value of each element, where rounding decides between two integers. */
  readonly either?: ArrayLike<number> | undefined;
  /** Numbers that are read for an element; `terms` where absent. */
  readonly work?: number;
  /** Computes one element, where the tensor is a formula. Data and mass are then computed on demand. */
  readonly element?: (index: readonly number[]) => Element;
}

export type RefInputs = Readonly<Record<string, RefTensor>>;

/** An element; its mass; its second right value. */
export type Element = number | { readonly value: number; readonly mass?: number; readonly either?: number };

/** Coordinates of element `flat`. */
export function coordinates(shape: readonly number[], flat: number): number[] {
  const index = new Array<number>(shape.length).fill(0);
  for (let d = shape.length - 1, rest = flat; d >= 0; d--) {
    index[d] = rest % shape[d]!;
    rest = Math.floor(rest / shape[d]!);
  }
  return index;
}

/** The flat index of the element at these coordinates. */
export const placeOf = (shape: readonly number[], index: readonly number[]): number =>
  shape.reduce((place, size, d) => place * size + index[d]!, 0);

/** A tensor by a formula from coordinates to an element. Only elements that are asked for are computed. */
export function build(
  dataType: DataType,
  shape: readonly number[],
  element: (index: readonly number[]) => Element,
  terms = 1,
  work = terms,
): RefTensor {
  let whole: Elements | undefined;
  const all = (): Elements => {
    whole ??= evaluate(shape, element, places(elementCount(shape)));
    return whole;
  };
  return {
    dataType,
    shape,
    terms,
    work,
    element,
    get data() {
      return all().data;
    },
    get mass() {
      return all().mass;
    },
    get either() {
      return all().either;
    },
  };
}

/** Some elements of a tensor. */
export interface Elements {
  readonly data: ArrayLike<number>;
  readonly mass?: ArrayLike<number> | undefined;
  readonly either?: ArrayLike<number> | undefined;
}

/** The first `count` places: flat indices. */
const places = (count: number): Uint32Array => Uint32Array.from({ length: count }, (_, i) => i);

function evaluate(
  shape: readonly number[],
  element: (index: readonly number[]) => Element,
  wanted: Uint32Array,
): Elements {
  const data = new Float64Array(wanted.length);
  const mass = new Float64Array(wanted.length);
  const either = new Float64Array(wanted.length);
  wanted.forEach((place, i) => {
    const made = element(coordinates(shape, place));
    const full: Exclude<Element, number> = typeof made === 'number' ? { value: made } : made;
    data[i] = full.value;
    mass[i] = full.mass ?? Math.abs(full.value);
    either[i] = full.either ?? full.value;
  });
  return { data, mass, either };
}

/** The elements at these places; all where absent. */
export function elementsOf(tensor: RefTensor, wanted?: Uint32Array): Elements {
  if (!wanted) return tensor;
  if (tensor.element) return evaluate(tensor.shape, tensor.element, wanted);
  const { data, mass, either } = tensor;
  const pick = (list: ArrayLike<number>): Float64Array => Float64Array.from(wanted, (place) => list[place]!);
  return { data: pick(data), mass: mass && pick(mass), either: either && pick(either) };
}

/** The same numbers under another type. */
export const retyped = (tensor: RefTensor, dataType: DataType): RefTensor =>
  tensor.element ? build(dataType, tensor.shape, tensor.element, tensor.terms, tensor.work) : { ...tensor, dataType };

/** The element at these coordinates. */
export function at(tensor: RefTensor, index: readonly number[]): number {
  const made = tensor.element?.(index);
  if (made !== undefined) return typeof made === 'number' ? made : made.value;
  return tensor.data[placeOf(tensor.shape, index)]!;
}

/** The element that broadcasts to these coordinates of a larger shape. */
export const spread = (tensor: RefTensor, index: readonly number[]): number =>
  at(
    tensor,
    tensor.shape.map((size, d) => (size === 1 ? 0 : index[index.length - tensor.shape.length + d]!)),
  );

/** The number in a data type: integers drop the fraction and wrap around. */
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
