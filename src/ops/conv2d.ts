import { elementCount, formatShape } from '../tensor/types.ts';
import { defineOp, FLOATS, type Inputs, type Labelled, type Operand, opError, SCALES } from './define.ts';
import type { Activation } from './elementwise.ts';
import { epilogueOf } from './epilogue.ts';
import { gemmCandidates } from './gemm.ts';
import { lateKernels } from './late_kernels.ts';
import { checkEpilogue, EPILOGUE_OPERANDS } from './matmul.ts';
import { weightsOf } from './weights.ts';
import {
  channelsLast,
  type ImageLayout,
  imageOf,
  imageShape,
  slide,
  WINDOW_OPTIONS,
  type WindowOptions,
} from './window.ts';

export type FilterLayout = 'oihw' | 'hwio' | 'ohwi' | 'ihwo';

export interface Conv2dOptions extends WindowOptions {
  groups?: number;
  inputLayout?: ImageLayout;
  filterLayout?: FilterLayout;
  activation?: Activation;
}

export function geometry(
  inputs: Inputs,
  { groups = 1, inputLayout = 'nchw', filterLayout = 'oihw', ...window }: Conv2dOptions,
) {
  const [input, filter] = [inputs['input']!, inputs['filter']!];
  const image = imageOf(input.shape, inputLayout);
  const at = (axis: string): number => filter.shape[filterLayout.indexOf(axis)]!;
  const [o, i, kh, kw] = [at('o'), at('i'), at('h'), at('w')];
  const where = `(input ${formatShape(input.shape)} ${inputLayout}, filter ${formatShape(filter.shape)} ${filterLayout}, groups ${groups})`;
  if (!Number.isInteger(groups) || groups < 1)
    throw opError('invalid-argument', 'conv2d', `groups is ${groups}, expected an integer of 1 or more`);
  if (image.c !== i * groups)
    throw opError('wrong-shape', 'conv2d', `input has ${image.c} channels, filter expects ${i * groups} ${where}`);
  if (o % groups)
    throw opError('wrong-shape', 'conv2d', `${o} output channels do not divide into ${groups} groups ${where}`);
  const out = slide('conv2d', image, [kh, kw], window);
  return { image, o, i, kh, kw, groups, out, inputLayout, filterLayout };
}

type Conv2d = (
  input: Operand,
  filter: Operand,
  options?: { bias?: Operand } & Omit<Conv2dOptions, 'activation'> & Labelled,
) => Operand;

/**
 * conv2d: output = activation(input ∗ filter + bias + residual) * affine[0] + affine[1]. The kernels take nhwc and hwio; a pass brings other
 * layouts there.
 */
export const conv2d = defineOp<Conv2dOptions, Conv2d>({
  name: 'conv2d',
  operands: { input: { types: FLOATS, rank: [4, 4] }, filter: { rank: [4, 4] }, ...EPILOGUE_OPERANDS },
  options: [...WINDOW_OPTIONS, 'groups', 'inputLayout', 'filterLayout', 'activation'],
  epilogue: true,
  form: 'winograd',
  kernels: ({ input }, { groups = 1, inputLayout = 'nchw' }) =>
    groups > 1 && imageOf(input!.shape, inputLayout).c === groups ? 'depthwise' : undefined,
  values: (name) => (name === 'scales' ? SCALES : undefined),
  weight: (_inputs, { filterLayout = 'oihw', groups = 1 }) => ({
    operand: 'filter',
    channels: filterLayout.indexOf('o'),
    depth: filterLayout.indexOf('i'),
    groups: groups === 1,
    int4: false,
    fuses: filterLayout === 'hwio',
  }),
  integer: (_inputs, { inputLayout, filterLayout, ...options }) =>
    inputLayout === 'nhwc' && filterLayout === 'hwio'
      ? {
          op: 'conv2dInteger',
          left: 'input',
          weights: 'filter',
          scale: 'inputScale',
          rows: false,
          permutation: [3, 0, 1, 2],
          options,
        }
      : undefined,
  channelsLast(inputs, { inputLayout = 'nchw', filterLayout = 'oihw', groups = 1, ...rest }, { add }) {
    const { operands, back } = channelsLast(inputs, { inputLayout, filterLayout }, add);
    const channels = operands.input.shape[3]!;
    const missing = (4 - (channels % 4)) % 4;
    if (groups === 1 && channels > 1 && missing && operands.filter.constant) {
      // The fast kernels need channels in multiples of 4: an image with fewer is padded with channels of zeros. The
      // same copy pads the border, so a row of the filter is one tap.
      const [top, bottom, left, right] = rest.padding ?? [0, 0, 0, 0];
      const padded = (beginningPadding: readonly number[], endingPadding: readonly number[], of: Operand): Operand =>
        add('pad', { input: of }, { beginningPadding, endingPadding });
      operands.input = padded([0, top!, left!, 0], [0, bottom!, right!, missing], operands.input);
      operands.filter = padded([0, 0, 0, 0], [0, 0, missing, 0], operands.filter);
      delete rest.padding;
    } else if (inputLayout === 'nhwc' && filterLayout === 'hwio') return undefined;
    return back(add('conv2d', operands, { ...rest, groups, inputLayout: 'nhwc', filterLayout: 'hwio' }));
  },
  infer(inputs, options) {
    const { image, o, i, groups, out, inputLayout } = geometry(inputs, options);
    const input = inputs['input']!;
    const { group } = weightsOf('conv2d', inputs, 'filter', input.dataType, o, i);
    if (group && groups > 1)
      throw opError('invalid-argument', 'conv2d', 'scales are one a channel where there are groups');
    const output = {
      dataType: input.dataType,
      shape: imageShape({ n: image.n, h: out.h, w: out.w, c: o }, inputLayout),
    };
    checkEpilogue('conv2d', inputs, output, o);
    return output;
  },
  candidates(inputs, options, output, caps) {
    const { image, o, i, kh, kw, groups, out, inputLayout, filterLayout } = geometry(inputs, options);
    if (inputLayout !== 'nhwc' || filterLayout !== 'hwio') return [];
    const bind = { a: 'input', b: 'filter' };
    const weights = weightsOf('conv2d', inputs, 'filter', output.dataType, o, i);
    const epilogue = epilogueOf(inputs, options.activation);
    const unpadded = (options.padding ?? []).every((p) => p === 0);
    const pointwise = kh * kw === 1 && elementCount(options.strides ?? []) === 1 && unpadded;
    // Neighbouring pixels are contiguous: without padding, a row of the filter is one tap of kernel_w · c elements.
    const byRows = unpadded && groups === 1 && !weights.group && (options.dilations?.[1] ?? 1) === 1;
    const n = o / groups;
    const general = gemmCandidates(
      {
        op: 'conv2d',
        m: image.n * out.h * out.w,
        n,
        k: byRows ? kw * i : i,
        taps: byRows ? kh : kh * kw,
        batches: groups,
        lda: image.c,
        ldb: o,
        ldc: o,
        aBatch: groups > 1 ? i : 0,
        bBatch: groups > 1 ? n : 0,
        cBatch: groups > 1 ? n : 0,
        columnBatch: groups > 1 ? n : 0,
        dataType: output.dataType,
        weights,
        layout: 'kn',
        ...epilogue,
        ...(pointwise ? {} : { window: byRows ? { ...out.params, kernel_w: 1 } : out.params }),
      },
      caps,
      bind,
    ); // prettier-ignore
    if (groups !== image.c || o !== groups) return general;
    const { dataType } = output;
    const shape = { images: image.n, channels: o, window: [kh, kw] as const, out, options };
    return [...(lateKernels.depthwise?.({ ...shape, dataType, weights, epilogue, bind }, caps) ?? []), ...general];
  },
  cost(inputs, options, { shape }) {
    const { i, kh, kw } = geometry(inputs, options);
    const macs = elementCount(shape) * i * kh * kw;
    return { macs, flops: 2 * macs };
  },
});
