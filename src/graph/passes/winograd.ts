import type { Caps } from '../../gpu/gpu.ts';
import { conv2d } from '../../ops/conv2d.ts';
import { matmul } from '../../ops/matmul.ts';
import { winogradFilter, winogradInput, winogradOutput } from '../../ops/winograd.ts';
import { byteLength } from '../../tensor/types.ts';
import { type Graph, type Operand, operand, rewrite } from '../ir.ts';
import type { Wanted } from './forms.ts';

/** WebGPU's default limit of a binding. */
const SMALLEST_LIMIT = 2 ** 27;

const ones = (list: readonly number[] = []): boolean => list.every((value) => value === 1);

/**
 * 3×3 convolutions (nhwc, hwio, float32, constant filters) become Winograd's F(2×2, 3×3): transforms of image and
 * filters, 16 matrix products, the transform back with the epilogue (ops/winograd.ts). The filters' transform is
 * constant: it is computed at load.
 */
export const toWinograd =
  (wanted: Wanted, { maxBindingBytes }: Pick<Caps, 'maxBindingBytes'> = { maxBindingBytes: SMALLEST_LIMIT }) =>
  (graph: Graph): Graph => {
    return rewrite(graph, (node) => {
      if (!conv2d.is(node)) return node;
      const { input, filter, ...rest } = node.inputs as Record<string, Operand>;
      const { padding, strides, dilations, groups = 1, activation } = node.options;
      const [h, w, c, o] = filter!.shape as [number, number, number, number];
      const legal =
        node.options.inputLayout === 'nhwc' &&
        node.options.filterLayout === 'hwio' &&
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
      const tiles = operand(winogradInput.name, { input }, { padding }, node.label);
      const weights = operand(winogradFilter.name, { filter }, {}, node.label);
      const products = operand(matmul.name, { a: tiles, b: weights }, {}, node.label);
      if ([tiles, weights, products].some((made) => byteLength(made) > maxBindingBytes)) return node;
      const outputSizes = node.shape.slice(1, 3);
      return operand(winogradOutput.name, { input: products, ...rest }, { outputSizes, activation }, node.label);
    });
  };
