import { formatShape } from '../tensor/types.ts';
import {
  defineOp,
  FLOATS,
  type Inputs,
  type Labelled,
  needOneOf,
  type Operand,
  opError,
  type Rewriter,
  type Shape,
} from './define.ts';
import { averagePool2d, maxPool2d, type Pool2dOptions } from './pool2d.ts';
import { needIntegers, slide, WINDOW_OPTIONS, type WindowOptions } from './window.ts';

/*
 * Convolution and pooling of volumes, in terms of images. Volumes are ndhwc there: layers of depth are images of a batch.
 */

const LAYOUTS = ['ncdhw', 'ndhwc'] as const;
export type VolumeLayout = (typeof LAYOUTS)[number];

/** Padding: front, back, top, bottom, left, right. */
type VolumeWindow = WindowOptions;

const PERMUTATIONS: Record<VolumeLayout, readonly number[]> = { ncdhw: [0, 2, 3, 4, 1], ndhwc: [0, 1, 2, 3, 4] };
const BACK = [0, 4, 1, 2, 3];

/** The sizes of a volume, as ndhwc. */
const volumeOf = (shape: Shape, layout: VolumeLayout): [number, number, number, number, number] =>
  PERMUTATIONS[layout].map((d) => shape[d]!) as [number, number, number, number, number];

const volumeShape = (shape: Shape, layout: VolumeLayout): Shape =>
  layout === 'ncdhw' ? BACK.map((d) => shape[d]!) : shape;

const toChannelsLast = (add: Rewriter['add'], input: Operand, layout: VolumeLayout): Operand =>
  layout === 'ncdhw' ? add('transpose', { input }, { permutation: PERMUTATIONS.ncdhw }) : input;

const fromChannelsLast = (add: Rewriter['add'], input: Operand, layout: VolumeLayout): Operand =>
  layout === 'ncdhw' ? add('transpose', { input }, { permutation: BACK }) : input;

const reshape = (add: Rewriter['add'], input: Operand, newShape: Shape): Operand =>
  add('reshape', { input }, { newShape });

/** A window over a volume as one along the depth, of two axes with the second left alone, and one over its layers. */
function cut(
  op: string,
  { padding = [0, 0, 0, 0, 0, 0], strides = [1, 1, 1], dilations = [1, 1, 1] }: VolumeWindow,
): { depth: Required<WindowOptions>; layer: Required<WindowOptions> } {
  needIntegers(op, 'padding', padding, 6, 0);
  needIntegers(op, 'strides', strides, 3, 1);
  needIntegers(op, 'dilations', dilations, 3, 1);
  return {
    depth: { padding: [...padding.slice(0, 2), 0, 0], strides: [strides[0]!, 1], dilations: [dilations[0]!, 1] },
    layer: { padding: padding.slice(2), strides: strides.slice(1), dilations: dilations.slice(1) },
  };
}

const FILTER_LAYOUTS = { oidhw: [2, 3, 4, 1, 0], dhwio: [0, 1, 2, 3, 4] } as const;

export interface Conv3dOptions extends VolumeWindow {
  groups?: number;
  inputLayout?: VolumeLayout;
  filterLayout?: keyof typeof FILTER_LAYOUTS;
}

function geometry(
  { input, filter }: Inputs,
  { groups = 1, inputLayout = 'ncdhw', filterLayout = 'oidhw', ...window }: Conv3dOptions,
) {
  needOneOf('conv3d', 'inputLayout', inputLayout, LAYOUTS);
  needOneOf('conv3d', 'filterLayout', filterLayout, ['oidhw', 'dhwio']);
  const [n, d, h, w, c] = volumeOf(input!.shape, inputLayout);
  const [kd, kh, kw, i, o] = FILTER_LAYOUTS[filterLayout].map((axis) => filter!.shape[axis]!) as [
    number,
    number,
    number,
    number,
    number,
  ];
  if (!Number.isInteger(groups) || groups < 1 || c !== i * groups || o % groups)
    throw opError(
      'wrong-shape',
      'conv3d',
      `${c} channels and a filter of ${i} to ${o} do not go together in groups of ${groups} (input ${formatShape(input!.shape)} ${inputLayout}, filter ${formatShape(filter!.shape)} ${filterLayout})`,
    );
  const { depth, layer } = cut('conv3d', window);
  const out = { d: slide('conv3d', { h: d, w: 1 }, [kd, 1], depth).h, ...slide('conv3d', { h, w }, [kh, kw], layer) };
  return { volume: [n, d, h, w, c] as const, kd, kh, kw, i, o, out, depth, layer };
}

type Conv3d = (input: Operand, filter: Operand, options?: { bias?: Operand } & Conv3dOptions & Labelled) => Operand;

/**
 * conv3d (ONNX' Conv of rank 5): input ∗ filter + bias. The layers that a filter meets become channels of one image: the
 * rest is conv2d.
 */
export const conv3d = defineOp<Conv3dOptions, Conv3d>({
  name: 'conv3d',
  operands: {
    input: { types: FLOATS, rank: [5, 5] },
    filter: { as: 'input', rank: [5, 5] },
    bias: { as: 'input', rank: [1, 1], optional: true },
  },
  options: [...WINDOW_OPTIONS, 'groups', 'inputLayout', 'filterLayout'],
  infer(inputs, options) {
    const { volume, o, out } = geometry(inputs, options);
    const { input, bias } = inputs;
    if (bias && bias.shape[0] !== o)
      throw opError('wrong-shape', 'conv3d', `bias ${formatShape(bias.shape)}, expected [${o}]`);
    return {
      dataType: input!.dataType,
      shape: volumeShape([volume[0], out.d, out.h, out.w, o], options.inputLayout ?? 'ncdhw'),
    };
  },
  decompose(inputs, options, { add }) {
    const { groups = 1, inputLayout = 'ncdhw', filterLayout = 'oidhw' } = options;
    const { volume, kd, kh, kw, i, o, out, depth, layer } = geometry(inputs, options);
    const [n, d, h, w, c] = volume;
    const [front, back] = depth.padding as [number, number];
    const [stride] = depth.strides as [number];
    let input = toChannelsLast(add, inputs['input']!, inputLayout);
    if (front || back)
      input = add('pad', { input }, { beginningPadding: [0, front, 0, 0, 0], endingPadding: [0, back, 0, 0, 0] });
    const reach = (out.d - 1) * stride + 1;
    const layers = Array.from({ length: kd }, (_, tap) => {
      const start = tap * depth.dilations[0]!;
      const met =
        kd === 1 && reach === d + front + back
          ? input
          : add(
              'slice',
              { input },
              { starts: [0, start, 0, 0, 0], sizes: [n, reach, h, w, c], strides: [1, stride, 1, 1, 1] },
            );
      return [`input${tap}`, reshape(add, met, [n * out.d, h, w, groups, 1, i])] as const;
    });
    const joined = kd > 1 ? add('concat', Object.fromEntries(layers), { axis: 4 }) : layers[0]![1];
    const filter = add(
      'transpose',
      { input: inputs['filter'] },
      { permutation: [1, 2, 0, 3, 4].map((axis) => FILTER_LAYOUTS[filterLayout][axis]!) },
    );
    const made = add(
      'conv2d',
      {
        input: reshape(add, joined, [n * out.d, h, w, kd * c]),
        filter: reshape(add, filter, [kh, kw, kd * i, o]),
        bias: inputs['bias'],
      },
      { ...layer, groups, inputLayout: 'nhwc', filterLayout: 'hwio' },
    );
    return fromChannelsLast(add, reshape(add, made, [n, out.d, out.h, out.w, o]), inputLayout);
  },
});

export interface Pool3dOptions extends VolumeWindow {
  /** Depth, height and width; the whole volume where absent. */
  windowDimensions?: readonly number[];
  layout?: VolumeLayout;
  roundingType?: 'floor' | 'ceil';
  /** Depth, height and width of the output: those of floor, or those of ceil. */
  outputSizes?: readonly number[];
}

/** The options of the pool over layers, and of that along the depth: an image of depth by `pixels`. */
function pools(op: string, [, d, h, w]: Shape, options: Pool3dOptions) {
  const { windowDimensions = [d!, h!, w!], roundingType, outputSizes, ...window } = options;
  needIntegers(op, 'windowDimensions', windowDimensions, 3, 1);
  if (outputSizes) needIntegers(op, 'outputSizes', outputSizes, 3, 1);
  const { depth, layer } = cut(op, window);
  const shared = { layout: 'nhwc', ...(roundingType && { roundingType }) } as const;
  return {
    layer: {
      ...shared,
      ...layer,
      windowDimensions: windowDimensions.slice(1),
      ...(outputSizes && { outputSizes: outputSizes.slice(1) }),
    },
    depth: (pixels: number): Pool2dOptions => ({
      ...shared,
      ...depth,
      windowDimensions: [windowDimensions[0]!, 1],
      ...(outputSizes && { outputSizes: [outputSizes[0]!, pixels] }),
    }),
  };
}

type Pool3d = (input: Operand, options?: Pool3dOptions & Labelled) => Operand;

/** Padding takes no part, so that the mean over a window is the mean along the depth of the means over its layers. */
const pool = (name: string, flat: typeof maxPool2d) =>
  defineOp<Pool3dOptions, Pool3d>({
    name,
    operands: { input: { types: FLOATS, rank: [5, 5] } },
    options: [...WINDOW_OPTIONS, 'windowDimensions', 'layout', 'roundingType', 'outputSizes'],
    tolerance: flat === maxPool2d ? { ulps: 0, roundings: 0 } : { ulps: 8, roundings: 2 },
    infer({ input }, { layout = 'ncdhw', ...options }) {
      needOneOf(name, 'layout', layout, LAYOUTS);
      const { dataType, shape } = input!;
      const volume = volumeOf(shape, layout);
      const [n, d, h, w, c] = volume;
      const { layer, depth } = pools(name, volume, options);
      const sizeOf = (image: Shape, own: Pool2dOptions): Shape => {
        const made = flat.infer({ input: { dataType, shape: image } }, own);
        return 'shape' in made ? made.shape : made[0]!.shape;
      };
      const [, oh, ow] = sizeOf([n * d, h, w, c], layer);
      const [, od] = sizeOf([n, d, oh! * ow!, c], depth(oh! * ow!));
      return { dataType, shape: volumeShape([n, od!, oh!, ow!, c], layout) };
    },
    decompose({ input }, { layout = 'ncdhw', ...options }, { add }) {
      const volume = volumeOf(input!.shape, layout);
      const [n, d, h, w, c] = volume;
      const { layer, depth } = pools(name, volume, options);
      const images = reshape(add, toChannelsLast(add, input!, layout), [n * d, h, w, c]);
      const flatter = add(flat.name, { input: images }, layer);
      const [, oh, ow] = flatter.shape as [number, number, number];
      const made = add(flat.name, { input: reshape(add, flatter, [n, d, oh * ow, c]) }, depth(oh * ow));
      return fromChannelsLast(add, reshape(add, made, [n, made.shape[1]!, oh, ow, c]), layout);
    },
  });

export const maxPool3d = pool('maxPool3d', maxPool2d);
export const averagePool3d = pool('averagePool3d', averagePool2d);
