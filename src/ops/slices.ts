import slices from '../../shaders/lib/slices.wgsl';
import type { ParamValues, WgslModule } from '../gpu/wgsl.ts';
import { elementCount, formatShape } from '../tensor/types.ts';
import { type Inputs, opError, type Shape } from './define.ts';
import { placeOf } from './place.ts';

/** Coordinates of an index, at the most. */
const MOST = 8;

/** The axes of a tensor that rows of indices have coordinates for, and the others: those of a slice. */
export interface Slices {
  readonly named: Shape;
  readonly slice: Shape;
}

/** The slices that `indices` [..., number of axes] name of `input`. */
export function slicesOf(op: string, { input, indices }: Inputs): Slices {
  const count = indices!.shape.at(-1)!;
  const most = Math.min(input!.shape.length, MOST);
  if (count < 1 || count > most)
    throw opError(
      'wrong-shape',
      op,
      `indices of ${count} numbers, expected 1 to ${most} (input ${formatShape(input!.shape)}, indices ${formatShape(indices!.shape)})`,
    );
  return { named: input!.shape.slice(0, count), slice: input!.shape.slice(count) };
}

/** The fields of `Params` that `slice_of` asks, and the elements of a slice. */
export const sliceParams = ({ named, slice }: Slices): ParamValues => ({
  rank: named.length,
  inner: elementCount(slice),
  axes: [...named, ...new Array<number>(MOST - named.length).fill(1)],
});

/** The modules of `slice_of`. */
export const slicePorts = ({ indices }: Inputs): WgslModule[] => [placeOf(indices!), slices];
