import { type Conv2dOptions, conv2d } from './conv2d.ts';
import { type EpilogueOptions, matmul } from './matmul.ts';
import { at, build, placeOf, type RefInputs, type RefTensor, retyped } from './tensor.ts';

/**
 * A product of int8, or of uint8 less 128. Without `scales`: the sums of the float reference, which float64 holds exactly. With them: the
 * left operand is scaled first, and the epilogue is that of the float reference.
 */
const typed = (result: RefTensor, scaled: boolean): RefTensor => retyped(result, scaled ? 'float32' : 'int32');

/** uint8 less 128. */
const signed = (tensor: RefTensor): RefTensor =>
  tensor.dataType === 'uint8' ? build('int8', tensor.shape, (index) => at(tensor, index) - 128) : tensor;

/** Elements times the scale of their row, or the one scale. */
const scaledRows = (a: RefTensor, scale: RefTensor | undefined): RefTensor =>
  scale
    ? build(a.dataType, a.shape, (index) => {
        const row = Math.floor(placeOf(a.shape, index) / a.shape.at(-1)!);
        return at(a, index) * scale.data[scale.data.length > 1 ? row : 0]!;
      })
    : a;

export function matmulInteger({ aScale, ...inputs }: RefInputs, options: EpilogueOptions): RefTensor {
  const a = scaledRows(signed(inputs['a']!), aScale);
  return typed(matmul({ ...inputs, a, b: signed(inputs['b']!) }, { ...options, transposeB: true }), Boolean(aScale));
}

export function conv2dInteger({ inputScale, ...inputs }: RefInputs, options: Conv2dOptions): RefTensor {
  const input = scaledRows(signed(inputs['input']!), inputScale);
  const filter = signed(inputs['filter']!);
  const layouts = { inputLayout: 'nhwc', filterLayout: 'ohwi' } as const;
  return typed(conv2d({ ...inputs, input, filter }, { ...options, ...layouts }), Boolean(inputScale));
}

export const references = { matmulInteger, conv2dInteger };
