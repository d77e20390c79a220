import { fromHalf } from '../../tensor/half.ts';
import { elementCount } from '../../tensor/types.ts';
import type { RefInputs, RefTensor } from './tensor.ts';

interface ChannelOptions {
  rows: boolean;
}

const channelOf = ({ shape, data }: RefTensor, i: number, rows: boolean): number =>
  rows ? Math.floor(i / (data.length / shape[0]!)) : i % shape.at(-1)!;

/** max |w| / 127 of each output channel; 1 where all are zero. */
export function quantizeScales({ input }: RefInputs, { rows }: ChannelOptions): RefTensor {
  const channels = rows ? input!.shape[0]! : input!.shape.at(-1)!;
  const top = new Float64Array(channels);
  input!.data.forEach((x, i) => {
    const channel = channelOf(input!, i, rows);
    top[channel] = Math.max(top[channel]!, Math.abs(x));
  });
  return { dataType: 'float32', shape: [channels], data: top.map((x) => x / 127 || 1) };
}

/** w / scale before it is rounded: the int8 must lie within half a step of it. */
export const quantize = ({ input, scales }: RefInputs, { rows }: ChannelOptions): RefTensor => ({
  dataType: 'int8',
  shape: input!.shape,
  data: input!.data.map((x, i) => Math.min(Math.max(x / scales!.data[channelOf(input!, i, rows)]!, -127), 127)),
});

/** Two 16-bit floats out of each uint32, the low half first. */
export function widen(
  { input }: RefInputs,
  { from, newShape }: { from: 'float16' | 'bfloat16'; newShape: readonly number[] },
): RefTensor {
  const view = new DataView(new ArrayBuffer(4));
  const bitsAt = (i: number): number => Math.floor(input!.data[i >> 1]! / (i % 2 ? 65536 : 1)) % 65536;
  const value = (bits: number): number => {
    if (from === 'float16') return fromHalf(bits);
    view.setUint32(0, bits * 65536);
    return view.getFloat32(0);
  };
  return {
    dataType: 'float32',
    shape: newShape,
    data: Float64Array.from({ length: elementCount(newShape) }, (_, i) => value(bitsAt(i))),
  };
}
