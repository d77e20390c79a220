import elem from '../../shaders/lib/elem.wgsl';
import grid from '../../shaders/lib/grid.wgsl';
import narrow from '../../shaders/lib/narrow.wgsl';
import kernel from '../../shaders/quantize.wgsl';
import scalesKernel from '../../shaders/quantize_scales.wgsl';
import widenKernel from '../../shaders/widen.wgsl';
import { part, u32 } from '../gpu/wgsl.ts';
import { BYTES, elementCount } from '../tensor/types.ts';
import { defineOp, ELEM, FLAT, flatGrid, need, needFloat, type Op, opError, splitFlat, splitItems } from './define.ts';

interface ChannelOptions {
  /** Output channels are the rows of the weights, [N, ...K], else the last axis, [...K, N]. */
  rows: boolean;
}

const channelsOf = (shape: readonly number[], rows: boolean): number => (rows ? shape[0]! : shape.at(-1)!);

/** quantizeScales: max |w| / 127 of each output channel, float32. */
const quantizeScales = defineOp<ChannelOptions>({
  name: 'quantizeScales',
  infer(inputs, { rows }) {
    const input = need(inputs, 'input', 'quantizeScales');
    needFloat('quantizeScales', 'input', input);
    return { dataType: 'float32', shape: [channelsOf(input.shape, rows)] };
  },
  candidates(inputs, { rows }) {
    const { dataType, shape } = inputs['input']!;
    const channels = channelsOf(shape, rows);
    const size = elementCount(shape) / channels;
    const type = ELEM[dataType]!;
    return [
      {
        label: `quantizeScales[${type}]`,
        variant: { kernel: scalesKernel, ports: [grid, part(elem, type)], constants: { WG: u32(FLAT) } },
        params: { channels, size, channel_stride: rows ? size : 1, element_stride: rows ? 1 : channels },
        grid: flatGrid(channels, FLAT),
      },
    ];
  },
  split(candidate, inputs, { rows }, _output, limit) {
    const { dataType, shape } = inputs['input']!;
    if (!rows) throw opError('wrong-shape', 'quantizeScales', 'weights of this size can be cut by rows only');
    const bytes = { input: (elementCount(shape) / shape[0]!) * BYTES[dataType], output: 4 };
    return splitItems(
      shape[0]!,
      bytes,
      limit,
      (_start, channels) => ({ params: { ...candidate.params, channels }, grid: flatGrid(channels, FLAT) }),
      candidate,
    );
  },
});

/** quantize: round(w / scale of its output channel) as int8, four to a u32. */
const quantize = defineOp<ChannelOptions>({
  name: 'quantize',
  infer: (inputs) => ({ dataType: 'int8', shape: need(inputs, 'input', 'quantize').shape }),
  candidates(inputs, { rows }) {
    const { dataType, shape } = inputs['input']!;
    const channels = channelsOf(shape, rows);
    const count = elementCount(shape);
    const type = ELEM[dataType]!;
    return [
      {
        label: `quantize[${type}]`,
        variant: { kernel, ports: [grid, part(elem, type)], constants: { WG: u32(FLAT) } },
        params: { count, channels, size: count / channels, channels_are_rows: Number(rows) },
        grid: flatGrid(Math.ceil(count / 4), FLAT),
      },
    ];
  },
  split(candidate, inputs, { rows }, _output, limit) {
    const { dataType, shape } = inputs['input']!;
    const size = elementCount(shape) / shape[0]!;
    if (!rows || size % 4)
      throw opError('wrong-shape', 'quantize', 'weights of this size can be cut by rows of whole vec4 only');
    const bytes = { input: size * BYTES[dataType], output: size, scales: 4 };
    const piece = (_start: number, channels: number) => ({
      params: { ...candidate.params, count: channels * size, channels },
      grid: flatGrid((channels * size) / 4, FLAT),
    });
    return splitItems(shape[0]!, bytes, limit, piece, candidate);
  },
});

/** widen: float32 out of float16 or bfloat16, as files hold them: the input is their bits, two to an uint32. */
const widen = defineOp<{ from: 'float16' | 'bfloat16'; newShape: readonly number[] }>({
  name: 'widen',
  infer: (_inputs, { newShape }) => ({ dataType: 'float32', shape: newShape }),
  candidates(_inputs, { from, newShape }) {
    const count4 = Math.ceil(elementCount(newShape) / 4);
    return [
      {
        label: `widen[${from}]`,
        variant: { kernel: widenKernel, ports: [grid, part(narrow, from)], constants: { WG: u32(FLAT) } },
        params: { count4 },
        grid: flatGrid(count4, FLAT),
      },
    ];
  },
  split: (candidate, _inputs, _options, output, limit) =>
    splitFlat(candidate, Math.ceil(elementCount(output.shape) / 4), { input: 2, output: 4 }, limit),
});

export const quantization: readonly Op[] = [quantizeScales, quantize, widen];
