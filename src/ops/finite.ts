import kernel from '../../shaders/check_finite.wgsl';
import exponent from '../../shaders/lib/exponent.wgsl';
import grid from '../../shaders/lib/grid.wgsl';
import { part, u32 } from '../gpu/wgsl.ts';
import { BYTES, elementCount, type TensorDescriptor } from '../tensor/types.ts';
import { type Candidate, FLAT, flatGrid } from './define.ts';

/**
 * The dispatches that check a tensor, in pieces that fit a binding. An element that is not finite raises the output to
 * `mark`.
 */
export function checkCandidates({ dataType, shape }: TensorDescriptor, mark: number, limit: number): Candidate[] {
  const width = BYTES[dataType];
  const most = Math.floor(limit / 256) * (256 / width);
  const total = elementCount(shape);
  const pieces: Candidate[] = [];
  for (let start = 0; start < total; start += most) {
    const count = Math.min(most, total - start);
    const words = Math.ceil((count * width) / 4);
    pieces.push({
      label: `checkFinite[${dataType}]`,
      variant: { kernel, ports: [part(exponent, dataType), grid], constants: { WG: u32(FLAT) } },
      params: { count, mark },
      grid: flatGrid(words, FLAT),
      ranges: { input: { offset: start * width, size: 4 * words } },
    });
  }
  return pieces;
}
