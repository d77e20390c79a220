import grid from '../../shaders/lib/grid.wgsl';
import narrowParts from '../../shaders/lib/narrow.wgsl';
import widenKernel from '../../shaders/widen.wgsl';
import { part, u32, type WgslModule } from '../gpu/wgsl.ts';
import { elementCount, type TensorDescriptor } from '../tensor/types.ts';
import { ANY, type Candidate, defineOp, FLAT, flatGrid, type Shape, splitFlat } from './define.ts';

export const fours = ({ shape }: TensorDescriptor): number => Math.ceil(elementCount(shape) / 4);

/** A kernel over vec4. */
export const flatCandidate = (label: string, kernel: WgslModule, ports: WgslModule[], count4: number): Candidate => ({
  label,
  variant: { kernel, ports: [grid, ...ports], constants: { WG: u32(FLAT) } },
  params: { count4 },
  grid: flatGrid(count4, FLAT),
});

/**
 * widen: float16 or bfloat16 as float32. The input is their bits: uint32 of two each, as files have them, or a float16
 * tensor. Needs no shader-f16.
 */
export const widen = defineOp<{ from: 'float16' | 'bfloat16'; newShape: Shape }>({
  name: 'widen',
  operands: { input: ANY },
  values: () => pairs,
  infer: (_inputs, { newShape }) => ({ dataType: 'float32', shape: newShape }),
  candidates: (_inputs, { from }, output) => [
    flatCandidate(`widen[${from}]`, widenKernel, [part(narrowParts, from)], fours(output)),
  ],
  pieces: (whole, _inputs, _options, output, limit) => splitFlat(whole, fours(output), { input: 2, output: 4 }, limit),
  rowwise: (_inputs, { from, newShape }, rows) => ({ from, newShape: [rows, ...newShape.slice(1)] }),
});

/** Pairs of float16 or bfloat16, each below 2: the highest bit of the exponent is clear. */
const pairs = (run: number): number[] =>
  Array.from({ length: 4099 }, (_, i) => (Math.imul(i + 1 + 7919 * run, 0x9e3779b1) & 0xbfffbfff) >>> 0);
