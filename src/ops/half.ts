import grid from '../../shaders/lib/grid.wgsl';
import narrowParts from '../../shaders/lib/narrow.wgsl';
import narrowKernel from '../../shaders/narrow.wgsl';
import widenKernel from '../../shaders/widen.wgsl';
import { part, u32, type WgslModule } from '../gpu/wgsl.ts';
import { elementCount, type TensorDescriptor } from '../tensor/types.ts';
import { type Candidate, defineOp, FLAT, flatGrid, need, type Op, opError, type Shape, splitFlat } from './define.ts';

const fours = ({ shape }: TensorDescriptor): number => Math.ceil(elementCount(shape) / 4);

const candidate = (label: string, kernel: WgslModule, ports: WgslModule[], count4: number): Candidate => ({
  label,
  variant: { kernel, ports: [grid, ...ports], constants: { WG: u32(FLAT) } },
  params: { count4 },
  grid: flatGrid(count4, FLAT),
});

/**
 * widen: float32 out of float16 or bfloat16. The input is their bits, as files hold them: two to an uint32, or a tensor of
 * float16. Needs no shader-f16.
 */
const widen = defineOp<{ from: 'float16' | 'bfloat16'; newShape: Shape }>({
  name: 'widen',
  infer: (_inputs, { newShape }) => ({ dataType: 'float32', shape: newShape }),
  candidates: (_inputs, { from }, output) => [
    candidate(`widen[${from}]`, widenKernel, [part(narrowParts, from)], fours(output)),
  ],
  split: (whole, _inputs, _options, output, limit) => splitFlat(whole, fours(output), { input: 2, output: 4 }, limit),
  rowwise: (_inputs, { from, newShape }, rows) => ({ from, newShape: [rows, ...newShape.slice(1)] }),
});

/** narrow: float32 rounded to float16, as its bits; what is too large becomes infinite. Needs no shader-f16. */
const narrow = defineOp<object>({
  name: 'narrow',
  infer(inputs) {
    const { dataType, shape } = need(inputs, 'input', 'narrow');
    if (dataType !== 'float32') throw opError('wrong-type', 'narrow', `input is ${dataType}, expected float32`);
    return { dataType: 'float16', shape };
  },
  candidates: (_inputs, _options, output) => [candidate('narrow[float16]', narrowKernel, [], fours(output))],
  split: (whole, _inputs, _options, output, limit) => splitFlat(whole, fours(output), { input: 4, output: 2 }, limit),
  rowwise: (_inputs, options) => options,
});

export const halves: readonly Op[] = [widen, narrow];
