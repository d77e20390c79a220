import elem from '../../shaders/lib/elem.wgsl';
import grid from '../../shaders/lib/grid.wgsl';
import kernel from '../../shaders/scatter_rows.wgsl';
import { part, u32 } from '../gpu/wgsl.ts';
import { BYTES, elementCount, formatShape, type TensorDescriptor } from '../tensor/types.ts';
import {
  defineOp,
  ELEM,
  EXACT,
  FLAT,
  FLOATS,
  flatGrid,
  type Labelled,
  type Operand,
  opError,
  rowsWithin,
} from './define.ts';

type ScatterRows = (
  state: Operand,
  updates: Operand,
  positions: Operand,
  options?: { column?: number } & Labelled,
) => Operand;

/** scatterRows: state[positions[t]] = columns column.. of updates[t], in place. The output is the state: a KV cache. */
export const scatterRows = defineOp<{ column?: number }, ScatterRows>({
  name: 'scatterRows',
  operands: {
    state: { types: FLOATS, rank: [2, 2] },
    updates: { as: 'state', rank: [2, 3] },
    positions: { types: ['uint32'] },
  },
  options: ['column'],
  inPlace: 'state',
  takesEmpty: true,
  tolerance: EXACT,
  values: (name, { state, positions }) =>
    name === 'positions' ? rowsWithin(state!.shape[0]!, positions!.shape[0]!) : undefined,
  infer(inputs, { column = 0 }) {
    const { state, updates, positions } = inputs as Record<string, TensorDescriptor>;
    const [count, row] = updates!.shape.slice(-2) as [number, number];
    if (column + state!.shape[1]! > row) {
      throw opError(
        'wrong-shape',
        'scatterRows',
        `columns ${column}.. of ${formatShape(updates!.shape)} do not fill rows of ${formatShape(state!.shape)}`,
      );
    }
    if (elementCount(positions!.shape) !== count)
      throw opError('wrong-shape', 'scatterRows', `positions is ${formatShape(positions!.shape)}, expected [${count}]`);
    return state!;
  },
  candidates(inputs, { column = 0 }, output) {
    const [rows, columns] = output.shape as [number, number];
    const [count, row] = inputs['updates']!.shape.slice(-2) as [number, number];
    const type = ELEM[output.dataType]!;
    return [
      {
        label: `scatterRows[${type}]`,
        variant: { kernel, ports: [grid, part(elem, type)], constants: { WG: u32(FLAT) } },
        params: { count, rows, width: columns, row, column },
        grid: flatGrid(count * columns, FLAT),
      },
    ];
  },
  cost(inputs, _options, output) {
    const count = inputs['updates']!.shape.at(-2)!;
    return { macs: 0, flops: 0, bytes: 2 * count * output.shape[1]! * BYTES[output.dataType] };
  },
});
