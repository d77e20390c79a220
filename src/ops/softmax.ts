import elem from '../../shaders/lib/elem.wgsl';
import special from '../../shaders/lib/special.wgsl';
import kernel from '../../shaders/softmax.wgsl';
import { part } from '../gpu/wgsl.ts';
import { elementCount } from '../tensor/types.ts';
import { aroundAxis, defineOp, ELEM, need, needAxis, needFloat } from './define.ts';
import { lineForms } from './lines.ts';

/** softmax: output = exp(x - max) / sum(exp(x - max)) along `axis`. */
export const softmax = defineOp<{ axis: number }>({
  name: 'softmax',
  infer(inputs, { axis }) {
    const input = need(inputs, 'input', 'softmax');
    needFloat('softmax', 'input', input);
    needAxis('softmax', axis, input.shape.length);
    return input;
  },
  candidates(_inputs, { axis }, { dataType, shape }, caps) {
    const { outer, size, stride } = aroundAxis(shape, needAxis('softmax', axis, shape.length));
    const type = ELEM[dataType]!;
    return lineForms(outer * stride, size, caps).map(({ tag, ports, constants, grid }) => ({
      label: `softmax[${type},${tag}]`,
      variant: { kernel, ports: [part(elem, type), part(special, 'float'), ...ports], constants },
      params: { lines: outer * stride, size, stride },
      grid,
    }));
  },
  cost: (_inputs, _options, { shape }) => ({ macs: 0, flops: 4 * elementCount(shape) }),
});
