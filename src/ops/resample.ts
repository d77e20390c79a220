import grid from '../../shaders/lib/grid.wgsl';
import resampled from '../../shaders/lib/resampled.wgsl';
import result from '../../shaders/lib/result.wgsl';
import stored from '../../shaders/lib/stored.wgsl';
import kernel from '../../shaders/resample.wgsl';
import nearestKernel from '../../shaders/resample_nearest.wgsl';
import { part, u32 } from '../gpu/wgsl.ts';
import { elementCount, formatShape } from '../tensor/types.ts';
import { defineOp, ELEM, FLAT, flatGrid, NUMBERS, opError, SUM } from './define.ts';
import { bitsOf } from './movement.ts';
import { mover } from './mover.ts';

export interface ResampleOptions {
  /** The shape of the output. */
  sizes: readonly number[];
  /** Of each axis: the first of its entries in `places` and `weights`; -1 for an axis that keeps its elements. */
  starts: readonly number[];
  /** Of each axis: entries of an element of the output. */
  taps: readonly number[];
  /** The value of elements whose first place is below zero. */
  fill?: number;
}

/** Axes that one dispatch resamples, at the most. */
export const MOST_AXES = 2;

/** Numbers of an axis that is not there: entry 0 of the tables is place 0 with weight 1. */
const ABSENT = { size: 1, extent: 1, start: 0, taps: 1 };

/**
 * resample: each element is the sum of the elements of the input at `places` times `weights`, along one or two axes.
 * Without `weights` it is the one element there. The tables have the rank of the input and one axis that is longer than
 * 1, so that they commute with a transpose as the input does.
 */
export const resample = defineOp<ResampleOptions>({
  name: 'resample',
  operands: {
    input: { types: NUMBERS },
    places: { types: ['int32'] },
    weights: { types: ['float32'], optional: true },
  },
  options: ['sizes', 'starts', 'taps', 'fill'],
  perAxis: ['sizes', 'starts', 'taps'],
  tolerance: SUM,
  infer({ input, weights }, { sizes, starts, taps }) {
    const { dataType, shape } = input!;
    const axes = starts.filter((start) => start >= 0).length;
    if (axes < 1 || axes > MOST_AXES)
      throw opError('invalid-argument', 'resample', `tables for ${axes} axes, expected 1 to ${MOST_AXES}`);
    if (weights && !ELEM[dataType])
      throw opError('wrong-type', 'resample', `input is ${dataType}, weights need floats`);
    if (sizes.length !== shape.length || taps.length !== shape.length)
      throw opError(
        'invalid-argument',
        'resample',
        `${sizes.length} sizes and ${taps.length} taps for ${formatShape(shape)}`,
      );
    return { dataType, shape: sizes };
  },
  candidates({ input, weights }, { sizes, starts, taps, fill = 0 }, output) {
    const { dataType, shape } = input!;
    const axes = starts.flatMap((start, axis) =>
      start < 0 ? [] : [{ axis, start, size: sizes[axis]!, extent: shape[axis]!, taps: taps[axis]! }],
    );
    const columns = axes.at(-1)!;
    const [rows, mid] =
      axes.length > 1 ? [axes[0]!, elementCount(shape.slice(axes[0]!.axis + 1, columns.axis))] : [ABSENT, 1];
    const inner = elementCount(shape.slice(columns.axis + 1));
    const params = {
      inner,
      mid,
      columns: columns.size,
      in_columns: columns.extent,
      column_start: columns.start,
      column_taps: columns.taps,
      rows: rows.size,
      in_rows: rows.extent,
      row_start: rows.start,
      row_taps: rows.taps,
      fill: bitsOf(weights ? 'float32' : dataType, fill),
    };
    const unit = inner % 4 ? 'ragged' : 'whole';
    if (!weights) {
      const name = `resample${unit === 'ragged' ? '_ragged' : ''}`;
      return [mover(name, nearestKernel, output, params, [part(resampled, unit)])];
    }
    const count = elementCount(output.shape);
    return [
      {
        label: `resample[${ELEM[dataType]!}${unit === 'ragged' ? ',ragged' : ''}]`,
        variant: {
          kernel,
          ports: [grid, part(stored, dataType), part(result, dataType), part(resampled, unit)],
          constants: { WG: u32(FLAT) },
        },
        params: { count, ...params },
        grid: flatGrid(Math.ceil(count / 4), FLAT),
      },
    ];
  },
  cost: ({ weights }, { starts, taps }, { shape }) => ({
    macs: 0,
    flops: weights ? 2 * elementCount(shape) * taps.reduce((all, n, d) => all * (starts[d]! < 0 ? 1 : n), 1) : 0,
  }),
});
