import kernel from '../../shaders/conv_transpose2d.wgsl';
import elem from '../../shaders/lib/elem.wgsl';
import grid from '../../shaders/lib/grid.wgsl';
import operandA from '../../shaders/lib/operand_a.wgsl';
import windowStruct from '../../shaders/lib/window.wgsl';
import { part, u32 } from '../gpu/wgsl.ts';
import { elementCount, formatShape } from '../tensor/types.ts';
import {
  defineOp,
  ELEM,
  FLAT,
  FLOATS,
  flatGrid,
  type Inputs,
  type Labelled,
  type Operand,
  type Operands,
  opError,
  type Rewriter,
  SCALES,
} from './define.ts';
import type { Activation } from './elementwise.ts';
import { epilogueName, epilogueOf, epiloguePorts } from './epilogue.ts';
import { checkEpilogue, EPILOGUE_OPERANDS } from './matmul.ts';
import { weightPorts, weightsOf, weightTags } from './weights.ts';
import {
  channelsLast,
  type ImageLayout,
  imageOf,
  imageShape,
  needIntegers,
  slide,
  WINDOW_OPTIONS,
  type WindowOptions,
} from './window.ts';

const OP = 'convTranspose2d';

interface ConvTranspose2dOptions extends WindowOptions {
  /** Rows and columns more at the end of the output: fewer than the stride. */
  outputPadding?: readonly number[];
  /** Height and width of the output, in place of `outputPadding`. */
  outputSizes?: readonly number[];
  groups?: number;
  inputLayout?: ImageLayout;
  /** The kernel takes hwio, which WebNN does not have. */
  filterLayout?: 'iohw' | 'hwoi' | 'ohwi' | 'hwio';
  activation?: Activation;
}

/** `k` input channels and `n` output channels a group; `window` has the fields of `Window` (shaders/lib/window.wgsl). */
function geometry(
  inputs: Inputs,
  {
    groups = 1,
    inputLayout = 'nchw',
    filterLayout = 'iohw',
    outputPadding = [0, 0],
    outputSizes,
    ...options
  }: ConvTranspose2dOptions,
) {
  const [input, filter] = [inputs['input']!, inputs['filter']!];
  const image = imageOf(input.shape, inputLayout);
  const [i, n, kh, kw] = [...'iohw'].map((axis) => filter.shape[filterLayout.indexOf(axis)]!) as [
    number,
    number,
    number,
    number,
  ];
  const where = `(input ${formatShape(input.shape)} ${inputLayout}, filter ${formatShape(filter.shape)} ${filterLayout})`;
  if (image.c !== i) throw opError('wrong-shape', OP, `input has ${image.c} channels, filter expects ${i} ${where}`);
  if (!Number.isInteger(groups) || groups < 1 || i % groups)
    throw opError('invalid-argument', OP, `${i} input channels do not divide into ${groups} groups ${where}`);
  const { padding = [0, 0, 0, 0], strides = [1, 1], dilations = [1, 1] } = options;
  const more = needIntegers(OP, 'outputPadding', outputPadding, 2, 0);
  const [h, w] = [image.h, image.w].map((size, d) => {
    const reach = ([kh, kw][d]! - 1) * dilations[d]! + 1;
    return (size - 1) * strides[d]! + reach - padding[2 * d]! - padding[2 * d + 1]!;
  }) as [number, number];
  const sizes = outputSizes ?? [h + more[0]!, w + more[1]!];
  const out = { h: sizes[0]!, w: sizes[1]! };
  // The window of the convolution from the output to the input.
  const back = slide(OP, out, [kh, kw], options);
  needIntegers(OP, 'outputSizes', sizes, 2, 1);
  if (back.h !== image.h || back.w !== image.w)
    throw opError(
      'wrong-shape',
      OP,
      `output [${sizes}], expected [${h},${w}] and less than a stride of [${strides}] more ${where}`,
    );
  const window = { ...back.params, in_h: image.h, in_w: image.w, out_h: out.h, out_w: out.w };
  return { image, out, groups, k: i / groups, n, taps: kh * kw, window, strides, inputLayout, filterLayout };
}

/**
 * Whether each pixel of the output comes from one of the input, the kernel being as large as the stride, and the filter
 * is a constant of floats.
 */
function isApart(inputs: Operands, options: ConvTranspose2dOptions): boolean {
  const { image, out, groups, window, strides } = geometry(inputs, options);
  const { filter, residual, scales } = inputs;
  const { kernel_h: kh, kernel_w: kw, dilation_h, dilation_w } = window as Readonly<Record<string, number>>;
  const [y = 1, x = 1] = strides;
  const blocks = kh === y && kw === x && dilation_h === 1 && dilation_w === 1 && x * y > 1;
  const whole = out.h === y * image.h && out.w === x * image.w;
  const plain = groups === 1 && !residual && !scales && filter!.constant && filter!.op !== 'dequantizeLinear';
  return blocks && whole && plain;
}

/** A product of the pixels, [N,H,W,i] by [i, kh kw o], whose columns are pixels that go to their rows of the output. */
function asProduct(inputs: Operands, options: ConvTranspose2dOptions, add: Rewriter['add']): Operand {
  const { image, out, n: channels, strides } = geometry(inputs, options);
  const { inputLayout = 'nchw', filterLayout = 'iohw', activation } = options;
  const { operands, back } = channelsLast(inputs, { inputLayout, filterLayout }, add);
  const { n, h, w, c } = image;
  const [y, x] = strides as [number, number];
  const columns = y * x * channels;
  const turned = add('transpose', { input: operands.filter }, { permutation: [2, 0, 1, 3] });
  const { bias, affine } = inputs;
  const wide = bias && add('expand', { input: bias }, { newShape: [y * x, channels] });
  const product = add(
    'conv2d',
    {
      input: operands.input,
      filter: add('reshape', { input: turned }, { newShape: [1, 1, c, columns] }),
      bias: wide && add('reshape', { input: wide }, { newShape: [columns] }),
      affine,
    },
    { inputLayout: 'nhwc', filterLayout: 'hwio', activation },
  );
  const blocks = add('reshape', { input: product }, { newShape: [n, h, w, y, x, channels] });
  const placed = add('transpose', { input: blocks }, { permutation: [0, 1, 3, 2, 4, 5] });
  return back(add('reshape', { input: placed }, { newShape: [n, out.h, out.w, channels] }));
}

type ConvTranspose2d = (
  input: Operand,
  filter: Operand,
  options?: { bias?: Operand } & Omit<ConvTranspose2dOptions, 'activation'> & Labelled,
) => Operand;

/**
 * convTranspose2d: output = activation(sum + bias + residual) * affine[0] + affine[1]; each pixel of the input adds its channels times the
 * filter to the sum. The kernel takes nhwc and hwio; a pass brings other layouts there.
 */
export const convTranspose2d = defineOp<ConvTranspose2dOptions, ConvTranspose2d>({
  name: OP,
  operands: { input: { types: FLOATS, rank: [4, 4] }, filter: { rank: [4, 4] }, ...EPILOGUE_OPERANDS },
  options: [...WINDOW_OPTIONS, 'outputPadding', 'outputSizes', 'groups', 'inputLayout', 'filterLayout', 'activation'],
  epilogue: true,
  values: (name) => (name === 'scales' ? SCALES : undefined),
  weight: (_inputs, { filterLayout = 'iohw', groups = 1 }) =>
    groups === 1
      ? {
          operand: 'filter',
          channels: filterLayout.indexOf('o'),
          depth: filterLayout.indexOf('i'),
          groups: false,
          int4: false,
          fuses: filterLayout === 'hwio',
        }
      : undefined,
  channelsLast(inputs, given, { add }) {
    const { inputLayout = 'nchw', filterLayout = 'iohw', ...rest } = given;
    if (isApart(inputs, given)) return asProduct(inputs, given, add);
    if (inputLayout === 'nhwc' && filterLayout === 'hwio') return undefined;
    const { operands, back } = channelsLast(inputs, { inputLayout, filterLayout }, add);
    return back(add(OP, operands, { ...rest, inputLayout: 'nhwc', filterLayout: 'hwio' }));
  },
  infer(inputs, options) {
    const { image, out, groups, k, n, inputLayout } = geometry(inputs, options);
    const { dataType } = inputs['input']!;
    const { group } = weightsOf(OP, inputs, 'filter', dataType, n, k);
    if (inputs['scales'] && (group || groups > 1))
      throw opError('invalid-argument', OP, 'scales are one a channel, and there are no groups');
    const output = { dataType, shape: imageShape({ n: image.n, ...out, c: n * groups }, inputLayout) };
    checkEpilogue(OP, inputs, output, n * groups);
    return output;
  },
  candidates(inputs, options, { dataType }, caps) {
    const { image, out, groups, k, n, window, strides, inputLayout, filterLayout } = geometry(inputs, options);
    if (inputLayout !== 'nhwc' || filterLayout !== 'hwio') return [];
    const weights = weightsOf(OP, inputs, 'filter', dataType, n, k);
    const unitOf = (channels: number): 'vec4' | 'ragged' => (channels % 4 === 0 ? 'vec4' : 'ragged');
    const [a, b] = [unitOf(k), unitOf(n)];
    const epilogue = epilogueOf(inputs, options.activation);
    const { ports, constants } = epiloguePorts(epilogue, weights, b);
    const ragged = a === 'ragged' || b === 'ragged' ? ['ragged'] : [];
    const type = ELEM[dataType]!;
    const tags = [type, ...weightTags(weights), ...ragged, epilogueName(epilogue)];
    const lines = image.n * out.h;
    const pairs = Math.ceil(out.w / (2 * strides[1]!)) * strides[1]!;
    return [
      {
        label: `${OP}[${tags.join()}]`,
        variant: {
          kernel,
          ports: [grid, windowStruct, part(elem, type), part(operandA, a), ...weightPorts(weights, b, caps), ...ports],
          constants: { WG: u32(FLAT), ...constants },
        },
        params: { lines, pairs, groups, k, n, ...window },
        grid: flatGrid(lines * pairs * groups * Math.ceil(n / 4), FLAT),
        bind: { a: 'input', b: 'filter' },
      },
    ];
  },
  cost(inputs, options) {
    const { taps, n } = geometry(inputs, options);
    const macs = elementCount(inputs['input']!.shape) * taps * n;
    return { macs, flops: 2 * macs };
  },
});
