import bits from '../../shaders/lib/bits.wgsl';
import grid from '../../shaders/lib/grid.wgsl';
import { part, u32, type WgslModule } from '../gpu/wgsl.ts';
import { BYTES, type DataType, elementCount, type TensorDescriptor } from '../tensor/types.ts';
import { type Candidate, FLAT, flatGrid } from './define.ts';

const width = (dataType: DataType): string => `b${8 * BYTES[dataType]}`;

/** A candidate that moves elements of any type as bits, four an invocation. */
export function mover(
  name: string,
  kernel: WgslModule,
  { dataType, shape }: TensorDescriptor,
  params: Candidate['params'],
  ports: WgslModule[] = [],
): Candidate {
  const count = elementCount(shape);
  return {
    label: `${name}[${width(dataType)}]`,
    variant: { kernel, ports: [grid, part(bits, width(dataType)), ...ports], constants: { WG: u32(FLAT) } },
    params: { count, ...params },
    grid: flatGrid(Math.ceil(count / 4), FLAT),
  };
}
