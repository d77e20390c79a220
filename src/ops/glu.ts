import kernel from '../../shaders/glu.wgsl';
import elem from '../../shaders/lib/elem.wgsl';
import grid from '../../shaders/lib/grid.wgsl';
import operandA from '../../shaders/lib/operand_a.wgsl';
import store from '../../shaders/lib/store.wgsl';
import stored from '../../shaders/lib/stored.wgsl';
import { part, u32 } from '../gpu/wgsl.ts';
import { elementCount, formatShape } from '../tensor/types.ts';
import { defineOp, ELEM, FLAT, FLOAT, flatGrid, type Labelled, type Operand, opError } from './define.ts';
import { type Activation, activationPorts } from './elementwise.ts';
import { unitOf } from './layer_normalization.ts';

export interface GluOptions {
  /** Of the gate: an op that can be the activation of an epilogue. */
  activation: Activation;
}

type Glu = (input: Operand, options: GluOptions & Labelled) => Operand;

/**
 * glu: activation(gate) * value of rows [.., 2 · columns], whose first half is the gate. The result is [.., columns]. GLU
 * variants of Shazeer 2020; PyTorch's `glu` has the halves the other way round.
 */
export const glu = defineOp<GluOptions, Glu>({
  name: 'glu',
  operands: { input: FLOAT },
  options: ['activation'],
  // As of swish and gelu, which approximate exp and tanh; then the product is rounded.
  tolerance: { ulps: 44, absolute: 1e-6 },
  infer({ input }) {
    const { dataType, shape } = input!;
    const width = shape.at(-1) ?? 1;
    if (width % 2) throw opError('wrong-shape', 'glu', `rows of ${formatShape(shape)} have no halves`);
    return { dataType, shape: [...shape.slice(0, -1), width / 2] };
  },
  candidates(_inputs, { activation }, { dataType, shape }) {
    const columns = shape.at(-1)!;
    const rows = elementCount(shape) / columns;
    const unit = unitOf(columns);
    const type = ELEM[dataType]!;
    const { ports, constants } = activationPorts(activation);
    return [
      {
        label: `glu[${type},${unit === 'ragged' ? 'ragged,' : ''}${activation.name}]`,
        variant: {
          kernel,
          ports: [grid, part(elem, type), part(operandA, unit), part(store, unit), part(stored, 'float32'), ...ports],
          constants: { WG: u32(FLAT), ...constants },
        },
        params: { rows, columns },
        grid: flatGrid(rows * Math.ceil(columns / 4), FLAT),
        bind: { a: 'input' },
      },
    ];
  },
  cost: (_inputs, _options, { shape }) => ({ macs: 0, flops: 6 * elementCount(shape) }),
});
