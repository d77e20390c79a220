import depthwiseKernel from '../../shaders/conv2d_depthwise.wgsl';
import stripKernel from '../../shaders/conv2d_depthwise_3x3.wgsl';
import elem from '../../shaders/lib/elem.wgsl';
import grid from '../../shaders/lib/grid.wgsl';
import operandA from '../../shaders/lib/operand_a.wgsl';
import windowStruct from '../../shaders/lib/window.wgsl';
import { type ParamValues, part, u32, type WgslModule } from '../gpu/wgsl.ts';
import { elementCount, formatShape } from '../tensor/types.ts';
import {
  type Candidate,
  defineOp,
  ELEM,
  FLAT,
  FLOATS,
  flatGrid,
  type Inputs,
  type Labelled,
  type Operand,
  opError,
  SCALES,
} from './define.ts';
import type { Activation } from './elementwise.ts';
import { epilogueName, epiloguePorts, gemmCandidates } from './gemm.ts';
import { gpuKernels } from './gpu_kernels.ts';
import { checkEpilogue, EPILOGUE_OPERANDS } from './matmul.ts';
import { weightPorts, weightsOf, weightTags } from './weights.ts';
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
 * conv2d: output = activation(input ∗ filter + bias + residual). The kernels take nhwc and hwio; a pass brings other
 * layouts there.
 */
export const conv2d = defineOp<Conv2dOptions, Conv2d>({
  name: 'conv2d',
  operands: { input: { types: FLOATS, rank: [4, 4] }, filter: { rank: [4, 4] }, ...EPILOGUE_OPERANDS },
  options: [...WINDOW_OPTIONS, 'groups', 'inputLayout', 'filterLayout', 'activation'],
  epilogue: true,
  form: 'winograd',
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
    const epilogue = {
      bias: Boolean(inputs['bias']),
      residual: Boolean(inputs['residual']),
      activation: options.activation,
    };
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
    const unit = o % 4 === 0 ? 'vec4' : 'ragged';
    const name = ELEM[output.dataType]!;
    const { ports, constants } = epiloguePorts(epilogue, weights, unit);
    const tags = [name, ...weightTags(weights), ...(unit === 'ragged' ? ['ragged'] : []), epilogueName(epilogue)];
    const depthwise = (kernel: WgslModule, counts: ParamValues, quads: number, more = {}): Candidate => ({
      label: `${kernel.name}[${tags.join()}]`,
      variant: {
        kernel,
        ports: [
          grid,
          windowStruct,
          part(elem, name),
          part(operandA, unit),
          ...weightPorts(weights, unit, caps),
          ...ports,
        ],
        constants: { WG: u32(FLAT), ...more, ...constants },
      },
      params: { channels: o, ...counts, ...out.params },
      grid: flatGrid(quads * Math.ceil(o / 4), FLAT),
      bind,
    });
    const across = (pixels: number): number => Math.ceil(out.w / pixels);
    const lines = image.n * out.h;
    const byLine = depthwise(depthwiseKernel, { lines }, lines * across(4));
    const [, bottom = 0, left = 0, right = 0] = options.padding ?? [];
    const [stride = 1, dilation = 1] = [options.strides?.[1], options.dilations?.[1]];
    const lean = name === 'f32' && weights.kind === 'dense' && unit === 'vec4';
    const along = { width: out.w, kernel: kw, stride, dilation, left, right, lean };
    const form = gpuKernels.depthwiseRows?.(along, caps);
    const strips = form ? lines * across(form.pixels) : 0;
    const rows = form ? [depthwise(form.kernel, { strips }, strips, form.constants)] : [];
    const anyWindow = caps.software ? [byLine, ...rows] : [...rows, byLine];

    const turns = caps.longKernels ? 2 : 1;
    const whole = out.h - bottom;
    const inStrips = (): Candidate => {
      // Long strips read less. Short strips make more invocations, which a GPU needs.
      const bands = Math.ceil(whole / (caps.software ? 28 : 4));
      const rows = turns * Math.min(Math.ceil(whole / bands / turns), Math.floor(whole / turns));
      const strips = image.n * Math.ceil(whole / rows) * across(4);
      return depthwise(stripKernel, { strips, rows, whole }, strips, { TURNS: u32(turns) });
    };
    const plain = [...(options.strides ?? []), ...(options.dilations ?? [])].every((step) => step === 1);
    const thin = (options.padding ?? []).every((length) => length <= 1);
    const fits = kh === 3 && kw === 3 && plain && thin && out.w >= 4 && whole >= turns && caps.manyRegisters;
    return [...(fits ? [inStrips()] : []), ...anyWindow, ...general];
  },
  cost(inputs, options, { shape }) {
    const { i, kh, kw } = geometry(inputs, options);
    const macs = elementCount(shape) * i * kh * kw;
    return { macs, flops: 2 * macs };
  },
});
