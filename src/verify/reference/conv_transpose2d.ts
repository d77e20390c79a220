import { type EpilogueOptions, finish, scaleOf } from './matmul.ts';
import { at, build, type RefInputs, type RefTensor } from './tensor.ts';

interface ConvTranspose2dOptions extends EpilogueOptions {
  padding?: readonly number[];
  strides?: readonly number[];
  dilations?: readonly number[];
  outputPadding?: readonly number[];
  outputSizes?: readonly number[];
  groups?: number;
  inputLayout?: 'nchw' | 'nhwc';
  filterLayout?: string;
}

/** The order of axes in another layout. */
const ordered = (from: string, to: string, list: readonly number[]): number[] =>
  [...to].map((axis) => list[from.indexOf(axis)]!);

/**
 * Output (y, x) has of tap (ky, kx) the pixel (h, w) with y + padding = h · stride + ky · dilation, and so for x, where
 * there is one.
 */
export function convTranspose2d(inputs: RefInputs, options: ConvTranspose2dOptions): RefTensor {
  const { padding = [0, 0, 0, 0], strides = [1, 1], dilations = [1, 1], outputPadding = [0, 0] } = options;
  const { groups = 1, inputLayout = 'nchw', filterLayout = 'iohw', outputSizes } = options;
  const { input, filter } = inputs as Record<'input' | 'filter', RefTensor>;
  const [batch, , ...extents] = ordered(inputLayout, 'nchw', input.shape);
  const [i, o, ...kernel] = ordered(filterLayout, 'iohw', filter.shape) as [number, number, number, number];
  const sizes = extents.map(
    (size, d) =>
      outputSizes?.[d] ??
      (size - 1) * strides[d]! +
        (kernel[d]! - 1) * dilations[d]! +
        1 -
        padding[2 * d]! -
        padding[2 * d + 1]! +
        outputPadding[d]!,
  );
  const depth = i / groups;
  const scale = scaleOf(inputs, o, depth, 'kn');
  return build(
    input.dataType,
    ordered('nchw', inputLayout, [batch!, o * groups, ...sizes]),
    (index) => {
      const [n, column, ...place] = ordered(inputLayout, 'nchw', index) as [number, number, number, number];
      const [group, own] = [Math.floor(column / o), column % o];
      let value = 0;
      let mass = 0;
      for (let ky = 0; ky < kernel[0]!; ky++) {
        for (let kx = 0; kx < kernel[1]!; kx++) {
          const pixel = [ky, kx].map((tap, d) => (place[d]! + padding[2 * d]! - tap * dilations[d]!) / strides[d]!);
          if (!pixel.every((x, d) => Number.isInteger(x) && x >= 0 && x < extents[d]!)) continue;
          for (let k = 0; k < depth; k++) {
            const channel = group * depth + k;
            const x = at(input, ordered('nchw', inputLayout, [n, channel, ...pixel]));
            const weight = at(filter, ordered('iohw', filterLayout, [channel, own, ky, kx]));
            const product = x * weight * scale(own, k);
            value += product;
            mass += Math.abs(product);
          }
        }
      }
      return finish({ value, mass }, column, index, inputs, options);
    },
    depth * kernel[0]! * kernel[1]!,
  );
}

export const references = { convTranspose2d };
