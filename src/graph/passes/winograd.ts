import type { Caps } from '../../gpu/gpu.ts';
import type { Conv2dOptions } from '../../ops/conv2d.ts';
import { byteLength } from '../../tensor/types.ts';
import { type Graph, type Operand, operand, rewrite } from '../ir.ts';

/** Which of the convolutions that could be rewritten shall be. */
export type Wanted = (convolution: Operand) => boolean;

/** WebGPU's default limit of a binding. */
const SMALLEST_LIMIT = 2 ** 27;

/**
 * On software adapters it is 1.1 to 2 times as fast as the direct kernel from 32 channels on; with fewer the transforms cost more
 * than the products save. On GPUs, where bandwidth is dear beside arithmetic, it waits for a measurement.
 */
export const winogradWins =
  (caps: Caps | undefined): Wanted =>
  ({ inputs }) =>
    Boolean(caps?.software) && Math.min(...inputs['filter']!.shape.slice(2)) >= 32;

const ones = (list: readonly number[] = []): boolean => list.every((value) => value === 1);

/**
 * 3×3 convolutions (nhwc, hwio, float32, constant filters) by Winograd's F(2×2, 3×3): the transforms of image and
 * filters, 16 matrix products, the transform back with the epilogue (ops/winograd.ts). Filters are transformed at load.
 */
export const toWinograd =
  (wanted: Wanted, { maxBindingBytes }: Pick<Caps, 'maxBindingBytes'> = { maxBindingBytes: SMALLEST_LIMIT }) =>
  (graph: Graph): Graph => {
    return rewrite(graph, (node) => {
      if (node.op !== 'conv2d') return node;
      const { input, filter, ...rest } = node.inputs as Record<string, Operand>;
      const { padding, strides, dilations, groups, activation } = node.options as Conv2dOptions;
      const [h, w, c, o] = filter!.shape as [number, number, number, number];
      const legal =
        h === 3 &&
        w === 3 &&
        c % 4 === 0 &&
        o % 4 === 0 &&
        groups === 1 &&
        ones(strides) &&
        ones(dilations) &&
        node.dataType === 'float32' &&
        filter!.dataType === 'float32' &&
        filter!.constant; // prettier-ignore
      if (!legal || !wanted(node)) return node;
      const tiles = operand('winogradInput', { input }, { padding }, node.label);
      const weights = operand('winogradFilter', { filter }, {}, node.label);
      const products = operand('matmul', { a: tiles, b: weights }, {}, node.label);
      if ([tiles, weights, products].some((made) => byteLength(made) > maxBindingBytes)) return node;
      const outputSizes = node.shape.slice(1, 3);
      return operand('winogradOutput', { input: products, ...rest }, { outputSizes, activation }, node.label);
    });
  };
