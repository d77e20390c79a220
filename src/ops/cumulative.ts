import kernel from '../../shaders/cumulate.wgsl';
import accumulation from '../../shaders/lib/accumulation.wgsl';
import elem from '../../shaders/lib/elem.wgsl';
import laneTotals from '../../shaders/lib/lane_totals.wgsl';
import { part } from '../gpu/wgsl.ts';
import { elementCount } from '../tensor/types.ts';
import { aroundAxis, defineOp, FLOATS, type Labelled, needAxis, type Operand, SUM } from './define.ts';
import { lineForms } from './lines.ts';
import { WORDS } from './words.ts';

interface CumulativeOptions {
  axis: number;
  /** Without the element itself: the first total is of no elements. */
  exclusive?: boolean;
  /** From the end of the axis. */
  reversed?: boolean;
}

type Cumulative = (input: Operand, axis: number, options?: Omit<CumulativeOptions, 'axis'> & Labelled) => Operand;

/**
 * The totals of the elements up to each along `axis`. int64 and uint64 are refused: totals would wrap around unseen
 * (`NUMBERS`).
 */
const cumulativeOp = (name: string, kind: 'sum' | 'product') =>
  defineOp<CumulativeOptions, Cumulative>({
    name,
    operands: { input: { types: [...FLOATS, 'int32', 'uint32'] } },
    args: ['axis'],
    options: ['exclusive', 'reversed'],
    alongAxis: true,
    tolerance: SUM,
    infer(inputs, { axis }) {
      const input = inputs['input']!;
      needAxis(name, axis, input.shape.length);
      return input;
    },
    candidates(inputs, { axis, exclusive = false, reversed = false }, _output, caps) {
      const { shape, dataType } = inputs['input']!;
      const { outer, size, stride } = aroundAxis(shape, needAxis(name, axis, shape.length));
      const type = WORDS[dataType]!;
      const way = reversed ? { origin: size - 1, direction: -1 } : { origin: 0, direction: 1 };
      return lineForms(outer * stride, size, caps, laneTotals).map(({ tag, ports, constants, grid }) => ({
        label: `${name}[${type},${tag}]`,
        variant: {
          kernel,
          ports: [part(elem, type), part(accumulation, kind), ...ports],
          constants,
        },
        params: { lines: outer * stride, size, stride, ...way, late: Number(exclusive) },
        grid,
      }));
    },
    cost: (_inputs, _options, { shape }) => ({ macs: 0, flops: elementCount(shape) }),
  });

/** cumulativeSum (WebNN), and cumulativeProduct (ONNX' CumProd). */
export const cumulatives = {
  cumulativeSum: cumulativeOp('cumulativeSum', 'sum'),
  cumulativeProduct: cumulativeOp('cumulativeProduct', 'product'),
};
