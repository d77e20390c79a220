import elem from '../../shaders/lib/elem.wgsl';
import grid from '../../shaders/lib/grid.wgsl';
import kernel from '../../shaders/scatter_rows.wgsl';
import { part, u32 } from '../gpu/wgsl.ts';
import { BYTES, elementCount, formatShape } from '../tensor/types.ts';
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
  opError,
  rowsWithin,
} from './define.ts';

type ScatterRows = (
  state: Operand,
  updates: Operand,
  positions: Operand,
  options?: { column?: number } & Labelled,
) => Operand;

/** How the updates become the rows of a state. */
function sizes({ state, updates }: Inputs, { column = 0 }: { column?: number }) {
  const [rows, width] = state!.shape.slice(-2) as [number, number];
  const [count, row] = updates!.shape.slice(-2) as [number, number];
  const [planes, batches] = [state, updates].map((one) => elementCount(one!.shape.slice(0, -2))) as [number, number];
  const heads = planes / batches;
  if (!Number.isInteger(heads) || column + heads * width > row)
    throw opError(
      'wrong-shape',
      'scatterRows',
      `columns ${column}.. of ${formatShape(updates!.shape)} do not fill rows of ${formatShape(state!.shape)}`,
    );
  return { planes, heads, count, rows, width, row, column };
}

/**
 * scatterRows: state[positions[t]] = columns column.. of updates[t], in place. The output is the state: a KV cache. The
 * state is [rows, width], or planes of that: [B, rows, width], [B, heads, rows, width]. The updates have as many planes,
 * or fewer: then a row holds those of several heads, one after the other.
 */
export const scatterRows = defineOp<{ column?: number }, ScatterRows>({
  name: 'scatterRows',
  operands: {
    state: { types: FLOATS, rank: [2, 4] },
    updates: { as: 'state', rank: [2, 4] },
    positions: { types: ['uint32'] },
  },
  options: ['column'],
  inPlace: 'state',
  takesEmpty: true,
  tolerance: EXACT,
  values: (name, { state, positions }) =>
    name === 'positions' ? rowsWithin(state!.shape.at(-2)!, positions!.shape[0]!) : undefined,
  infer(inputs, options) {
    const { state, positions } = inputs;
    const { count } = sizes(inputs, options);
    if (elementCount(positions!.shape) !== count)
      throw opError('wrong-shape', 'scatterRows', `positions is ${formatShape(positions!.shape)}, expected [${count}]`);
    return state!;
  },
  candidates(inputs, options, output) {
    const { planes, ...params } = sizes({ ...inputs, state: output }, options);
    const type = ELEM[output.dataType]!;
    const total = planes * params.count * params.width;
    return [
      {
        label: `scatterRows[${type}]`,
        variant: { kernel, ports: [grid, part(elem, type)], constants: { WG: u32(FLAT) } },
        params: { total, ...params },
        grid: flatGrid(total, FLAT),
      },
    ];
  },
  cost(inputs, options, output) {
    const { planes, count, width } = sizes({ ...inputs, state: output }, options);
    return { macs: 0, flops: 0, bytes: 2 * planes * count * width * BYTES[output.dataType] };
  },
});
