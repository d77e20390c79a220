import { type Conv2dOptions, conv2d } from './conv2d.ts';
import { type EpilogueOptions, matmul } from './matmul.ts';
import { build, type RefInputs, type RefTensor } from './tensor.ts';

/**
 * A product of int8 as the exact sums of the float reference, where `scales` are absent; else with the scale of the left operand in the
 * numbers of it, and the rest of the epilogue as ever. float64 holds the sums exactly.
 */
function typed(result: RefTensor, scaled: boolean): RefTensor {
  return { ...result, dataType: scaled ? 'float32' : 'int32' };
}

/** Elements times the scale of their row, or the one scale. */
const scaledRows = (a: RefTensor, scale: RefTensor | undefined): RefTensor =>
  scale
    ? build(a.dataType, a.shape, (index) => {
        const flat = index.reduce((sum, i, d) => sum * a.shape[d]! + i, 0);
        const row = Math.floor(flat / a.shape.at(-1)!);
        return a.data[flat]! * scale.data[scale.data.length > 1 ? row : 0]!;
      })
    : a;

export function matmulInteger({ aScale, ...inputs }: RefInputs, options: EpilogueOptions): RefTensor {
  const a = scaledRows(inputs['a']!, aScale);
  return typed(matmul({ ...inputs, a }, { ...options, transposeB: true }), Boolean(aScale));
}

export function conv2dInteger({ inputScale, ...inputs }: RefInputs, options: Conv2dOptions): RefTensor {
  const input = scaledRows(inputs['input']!, inputScale);
  const layouts = { inputLayout: 'nhwc', filterLayout: 'ohwi' } as const;
  return typed(conv2d({ ...inputs, input }, { ...options, ...layouts }), Boolean(inputScale));
}
