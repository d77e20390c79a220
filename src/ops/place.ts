import place from '../../shaders/lib/place.wgsl';
import { part, type WgslModule } from '../gpu/wgsl.ts';
import type { TensorDescriptor } from '../tensor/types.ts';

/** The module that finds where an index of this type falls on an axis. */
export const placeOf = ({ dataType }: TensorDescriptor): WgslModule =>
  part(place, dataType === 'uint32' ? 'unsigned' : 'signed');
