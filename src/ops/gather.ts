import kernel from '../../shaders/gather.wgsl';
import rowsKernel from '../../shaders/gather_rows.wgsl';
import elem from '../../shaders/lib/elem.wgsl';
import grid from '../../shaders/lib/grid.wgsl';
import rowScale from '../../shaders/lib/row_scale.wgsl';
import store from '../../shaders/lib/store.wgsl';
import { part, u32 } from '../gpu/wgsl.ts';
import { BYTES, elementCount, formatShape } from '../tensor/types.ts';
import {
  ANY,
  aroundAxis,
  type Candidate,
  defineOp,
  ELEM,
  EXACT,
  FLAT,
  flatGrid,
  INDICES,
  type Labelled,
  needAxis,
  type Operand,
  opError,
  SCALES,
  SUM,
  splitItems,
} from './define.ts';
import { mover } from './mover.ts';
import { placeOf } from './place.ts';
import { weightPorts, weightsOf, weightTags } from './weights.ts';

type Gather = (input: Operand, indices: Operand, options?: { axis?: number } & Labelled) => Operand;

/**
 * gather: input [outer, axis, inner] and indices give [outer, ...indices, inner]. An index is clamped to the axis; a
 * negative one counts from the end. A table may be float16, or int8 or int4 with `scales`: then `dataType` is float32.
 */
export const gather = defineOp<{ axis?: number; dataType?: 'float32' }, Gather>({
  name: 'gather',
  operands: { input: ANY, indices: { types: INDICES }, scales: { types: ['float32'], optional: true } },
  options: ['axis', 'dataType'],
  tolerance: ({ scales }) => (scales ? SUM : EXACT),
  values: (name, { input }, { axis = 0 }) =>
    name === 'indices' ? { low: 0, high: input!.shape.at(axis)! - 1 } : name === 'scales' ? SCALES : undefined,
  weight: ({ input }, { axis = 0 }) =>
    axis === 0 && input!.shape.length === 2
      ? {
          operand: 'input',
          channels: 0,
          depth: 1,
          groups: true,
          int4: true,
          fuses: true,
          options: { dataType: 'float32' },
        }
      : undefined,
  infer(inputs, { axis = 0, dataType }) {
    const [input, indices] = [inputs['input']!, inputs['indices']!];
    const at = needAxis('gather', axis, input.shape.length);
    if (inputs['scales'] && at !== 0)
      throw opError('invalid-argument', 'gather', `scales are one a row: axis 0 is expected, got ${at}`);
    const shape = [...input.shape.slice(0, at), ...indices.shape, ...input.shape.slice(at + 1)];
    return { dataType: dataType ?? (inputs['scales'] ? 'float32' : input.dataType), shape };
  },
  candidates(inputs, { axis = 0 }, output, caps) {
    const { shape } = inputs['input']!;
    const at = needAxis('gather', axis, shape.length);
    const { outer, size, stride } = aroundAxis(shape, at);
    const count = elementCount(inputs['indices']!.shape);
    const place = placeOf(inputs['indices']!);
    const general = mover('gather', kernel, output, { axis: size, inner: stride, indices: count }, [place]);
    const type = ELEM[output.dataType];
    if (outer !== 1 || !type) return [general];
    const unit = stride % 4 === 0 ? 'vec4' : 'ragged';
    const weights = weightsOf('gather', inputs, 'input', output.dataType, size, stride);
    const { kind, group } = weights;
    const rows: Candidate = {
      label: `gather_rows[${[type, ...weightTags(weights), ...(unit === 'ragged' ? ['ragged'] : [])]}]`,
      variant: {
        kernel: rowsKernel,
        ports: [
          grid,
          part(elem, type),
          ...weightPorts(weights, unit, caps),
          part(rowScale, group ? 'group' : inputs['scales'] ? 'row' : 'none'),
          part(store, unit),
          place,
        ],
        constants: { WG: u32(FLAT), ...(group && { GROUP: u32(group) }) },
      },
      params: { count, rows: size, width: stride, first: 0, bound: size },
      grid: flatGrid(count * Math.ceil(stride / 4), FLAT),
      bind: { b: 'input' },
    };
    return kind === 'dense' ? [rows, general] : [rows];
  },
  pieces(candidate, inputs, { axis = 0 }, _output, limit) {
    const { dataType, shape } = inputs['input']!;
    const { size, stride } = aroundAxis(shape, needAxis('gather', axis, shape.length));
    if (!('bound' in candidate.params))
      throw opError('wrong-shape', 'gather', `a table of ${formatShape(shape)} can be cut by rows of floats only`);
    const { scales } = inputs;
    const bytes = { b: stride * BYTES[dataType], ...(scales && { scales: 4 * (elementCount(scales.shape) / size) }) };
    return splitItems(
      size,
      bytes,
      limit,
      (first, bound) => ({ params: { ...candidate.params, first, bound } }),
      candidate,
    );
  },
  cost(inputs, _options, output) {
    const { dataType } = inputs['input']!;
    return { macs: 0, flops: 0, bytes: elementCount(output.shape) * (BYTES[dataType] + BYTES[output.dataType]) };
  },
});
