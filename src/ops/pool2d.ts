import elem from '../../shaders/lib/elem.wgsl';
import functions from '../../shaders/lib/functions.wgsl';
import grid from '../../shaders/lib/grid.wgsl';
import operandA from '../../shaders/lib/operand_a.wgsl';
import pooling from '../../shaders/lib/pooling.wgsl';
import store from '../../shaders/lib/store.wgsl';
import windowStruct from '../../shaders/lib/window.wgsl';
import kernel from '../../shaders/pool2d.wgsl';
import { part, u32, type WgslModule } from '../gpu/wgsl.ts';
import { elementCount } from '../tensor/types.ts';
import {
  defineOp,
  ELEM,
  EXACT,
  FLAT,
  FLOATS,
  flatGrid,
  type Inputs,
  type Labelled,
  type Operand,
  type Operands,
  opError,
  type Rewriter,
  SUM,
  type Tolerance,
} from './define.ts';
import {
  type ImageLayout,
  imageOf,
  imageShape,
  slide,
  toNchw,
  toNhwc,
  WINDOW_OPTIONS,
  type WindowOptions,
} from './window.ts';

export interface Pool2dOptions extends WindowOptions {
  /** Height and width; the whole image where absent. */
  windowDimensions?: readonly number[];
  layout?: ImageLayout;
  roundingType?: 'floor' | 'ceil';
  /** Height and width of the output: those of floor, or those of ceil. */
  outputSizes?: readonly number[];
}

export const POOL_OPTIONS = [...WINDOW_OPTIONS, 'windowDimensions', 'layout', 'roundingType', 'outputSizes'];

/** The image, the window, and the output with the fields of `Window`. */
export function geometry(
  op: string,
  inputs: Inputs,
  { windowDimensions, layout = 'nchw', roundingType = 'floor', outputSizes, ...window }: Pool2dOptions,
) {
  const image = imageOf(inputs['input']!.shape, layout);
  const kernel = (windowDimensions ?? [image.h, image.w]) as [number, number];
  if (!outputSizes) return { image, layout, kernel, out: slide(op, image, kernel, window, roundingType) };
  const both = (['floor', 'ceil'] as const).map((rounding) => slide(op, image, kernel, window, rounding));
  const out = both.find(({ h, w }) => h === outputSizes[0] && w === outputSizes[1]);
  if (!out)
    throw opError(
      'wrong-shape',
      op,
      `outputSizes [${outputSizes.join(',')}] is neither ${both.map(({ h, w }) => `[${h},${w}]`).join(' nor ')}`,
    );
  return { image, layout, kernel, out };
}

type Pool2d<Own> = (input: Operand, options?: Pool2dOptions & Own & Labelled) => Operand;

/** What one pooling has of its own. */
interface PoolRow<Own> {
  readonly options?: readonly string[];
  readonly tolerance: Tolerance;
  check?(options: Own): void;
  /** The module of none, fold4 and close4 (shaders/lib/pooling.wgsl), its constants, and a tag of the label. */
  form(options: Own): {
    readonly module: WgslModule;
    readonly constants?: Readonly<Record<string, string>>;
    readonly tag?: string;
  };
  decompose?(inputs: Operands, options: Pool2dOptions & Own, rewriter: Rewriter): Operand | undefined;
}

/** Defines a pooling. */
export const pool = <Own extends object>(
  name: string,
  { options: own = [], tolerance, check, form, decompose }: PoolRow<Own>,
) =>
  defineOp<Pool2dOptions & Own, Pool2d<Own>>({
    name,
    operands: { input: { types: FLOATS, rank: [4, 4] } },
    options: [...POOL_OPTIONS, ...own],
    tolerance,
    ...(decompose && { decompose }),
    channelsLast: ({ input }, { layout = 'nchw', ...rest }, { add }) =>
      layout === 'nhwc'
        ? undefined
        : toNchw(add, add(name, { input: toNhwc(add, input!) }, { ...rest, layout: 'nhwc' })),
    infer(inputs, options) {
      check?.(options);
      const { image, layout, out } = geometry(name, inputs, options);
      const input = inputs['input']!;
      return { dataType: input.dataType, shape: imageShape({ ...image, h: out.h, w: out.w }, layout) };
    },
    candidates(inputs, options, { dataType }) {
      const { image, layout, out } = geometry(name, inputs, options);
      if (layout !== 'nhwc') return [];
      const { module, constants, tag } = form(options);
      const unit = image.c % 4 === 0 ? 'vec4' : 'ragged';
      const type = ELEM[dataType]!;
      const count = image.n * out.h * out.w;
      return [
        {
          label: `${name}[${[type, ...(tag ? [tag] : []), ...(unit === 'ragged' ? [unit] : [])]}]`,
          variant: {
            kernel,
            ports: [
              grid,
              windowStruct,
              part(elem, type),
              part(operandA, unit),
              part(store, unit),
              part(functions, 'float'),
              module,
            ],
            constants: { WG: u32(FLAT), ...constants },
          },
          params: { count, channels: image.c, ...out.params },
          grid: flatGrid(count * Math.ceil(image.c / 4), FLAT),
          bind: { a: 'input' },
        },
      ];
    },
    cost(inputs, options, { shape }) {
      const { kernel: size } = geometry(name, inputs, options);
      return { macs: 0, flops: elementCount(shape) * size[0] * size[1] };
    },
  });

export const maxPool2d = pool('maxPool2d', { tolerance: EXACT, form: () => ({ module: part(pooling, 'max') }) });

interface AveragePool2dOptions {
  /** ONNX' count_include_pad: padding counts as zeros. */
  includePadding?: boolean;
}

export const averagePool2d = pool<AveragePool2dOptions>('averagePool2d', {
  options: ['includePadding'],
  tolerance: SUM,
  form: () => ({ module: part(pooling, 'average') }),
  // Zeros around the image are pixels. What a window rounded up has beyond them does not count.
  decompose({ input }, { includePadding, padding = [0, 0, 0, 0], layout = 'nchw', ...rest }, { add }) {
    if (!includePadding || padding.every((size) => size === 0)) return undefined;
    const [top, bottom, left, right] = padding as [number, number, number, number];
    const around = (h: number, w: number): number[] => imageShape({ n: 0, h, w, c: 0 }, layout);
    const sides = { beginningPadding: around(top, left), endingPadding: around(bottom, right) };
    const { h, w } = imageOf(input!.shape, layout);
    return add(
      'averagePool2d',
      { input: add('pad', { input }, sides) },
      { windowDimensions: [h, w], ...rest, layout, padding: [0, 0, 0, 0] },
    );
  },
});
