import elem from '../../shaders/lib/elem.wgsl';
import functions from '../../shaders/lib/functions.wgsl';
import kernel from '../../shaders/softmax.wgsl';
import { part } from '../gpu/wgsl.ts';
import { elementCount } from '../tensor/types.ts';
import { aroundAxis, defineOp, ELEM, FLOAT, type Labelled, needAxis, type Operand } from './define.ts';
import { lineForms } from './lines.ts';

type Softmax = (input: Operand, axis?: number, options?: Labelled) => Operand;

/** softmax: output = exp(x - max) / sum(exp(x - max)) along `axis`; the last where absent. */
export const softmax = defineOp<{ axis?: number }, Softmax>({
  name: 'softmax',
  operands: { input: FLOAT },
  args: ['axis'],
  // Every element takes an exp and an addition.
  tolerance: { ulps: 40 },
  infer({ input }, { axis = -1 }) {
    needAxis('softmax', axis, input!.shape.length);
    return input!;
  },
  candidates(_inputs, { axis = -1 }, { dataType, shape }, caps) {
    const { outer, size, stride } = aroundAxis(shape, needAxis('softmax', axis, shape.length));
    const type = ELEM[dataType]!;
    return lineForms(outer * stride, size, caps).map(({ tag, ports, constants, grid }) => ({
      label: `softmax[${type},${tag}]`,
      variant: { kernel, ports: [part(elem, type), part(functions, 'float'), ...ports], constants },
      params: { lines: outer * stride, size, stride },
      grid,
    }));
  },
  cost: (_inputs, _options, { shape }) => ({ macs: 0, flops: 4 * elementCount(shape) }),
});
