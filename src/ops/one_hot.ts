import { formatShape, sameShape } from '../tensor/types.ts';
import { defineOp, EXACT, INDICES, type Labelled, NUMBERS, needAxis, type Operand, opError } from './define.ts';

interface OneHotOptions {
  depth: number;
  /** The axis of the result that counts to `depth`; the last where absent. */
  axis?: number;
}

type OneHot = (indices: Operand, values: Operand, depth: number, options?: { axis?: number } & Labelled) => Operand;

/**
 * oneHot (ONNX' OneHot): indices with one more axis, of length `depth`: values[1] where its coordinate is the index,
 * values[0] elsewhere. A negative index counts from the end; one that is beyond both ends is nowhere.
 */
export const oneHot = defineOp<OneHotOptions, OneHot>({
  name: 'oneHot',
  operands: { indices: { types: INDICES }, values: { types: NUMBERS } },
  args: ['depth'],
  options: ['axis'],
  tolerance: EXACT,
  values: (name, _inputs, { depth }) => (name === 'indices' ? { low: 0, high: depth - 1 } : undefined),
  infer({ indices, values }, { depth, axis = -1 }) {
    const { shape } = indices!;
    const at = needAxis('oneHot', axis, shape.length + 1);
    if (!(Number.isInteger(depth) && depth > 0))
      throw opError('invalid-argument', 'oneHot', `depth is ${depth}, expected an integer of 1 or more`);
    if (!sameShape(values!.shape, [2]))
      throw opError('wrong-shape', 'oneHot', `values is ${formatShape(values!.shape)}, expected [2]: off, on`);
    return { dataType: values!.dataType, shape: shape.toSpliced(at, 0, depth) };
  },
  decompose({ indices, values }, { depth, axis = -1 }, { add, constant }) {
    const { dataType, shape } = indices!;
    const at = needAxis('oneHot', axis, shape.length + 1);
    const input = add('reshape', { input: indices }, { newShape: shape.toSpliced(at, 0, 1) });
    const along = [depth, ...shape.slice(at).map(() => 1)];
    /** Where the index is the coordinate, counted from `first`. */
    const hits = (first: number): Operand => {
      const places = Array.from({ length: depth }, (_, i) => first + i);
      return add('equal', { a: input, b: constant(dataType, along, places) });
    };
    const condition = dataType === 'uint32' ? hits(0) : add('logicalOr', { a: hits(0), b: hits(-depth) });
    const value = (i: number): Operand => add('slice', { input: values }, { starts: [i], sizes: [1] });
    return add('where', { condition, trueValue: value(1), falseValue: value(0) });
  },
});
