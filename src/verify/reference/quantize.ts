import { fromHalf } from '../../tensor/half.ts';
import { at, build, everywhere, moved, placeOf, type RefInputs, type RefTensor } from './tensor.ts';

interface ChannelOptions {
  rows: boolean;
}

const channelAxis = (shape: readonly number[], rows: boolean): number => (rows ? 0 : shape.length - 1);

/** max |w| / 127 of each output channel; 1 where all are zero. */
export function quantizeScales({ input }: RefInputs, { rows }: ChannelOptions): RefTensor {
  const { shape } = input!;
  const axis = channelAxis(shape, rows);
  const others = shape.map((_, d) => d).filter((d) => d !== axis);
  const within = everywhere(others.map((d) => shape[d]!));
  return build(
    'float32',
    [shape[axis]!],
    ([channel]) => {
      const start = shape.map((_, d) => (d === axis ? channel! : 0));
      const sizes = within.map((to) => Math.abs(at(input!, moved(start, others, to))));
      return sizes.reduce((a, b) => Math.max(a, b), 0) / 127 || 1;
    },
    1,
    within.length,
  );
}

/** w / scale before it is rounded: the int8 must lie within half a step of it. */
export const quantize = ({ input, scales }: RefInputs, { rows }: ChannelOptions): RefTensor =>
  build('int8', input!.shape, (index) => {
    const scale = scales!.data[index[channelAxis(input!.shape, rows)]!]!;
    return Math.min(Math.max(at(input!, index) / scale, -127), 127);
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
  return build('float32', newShape, (index) => value(bitsAt(placeOf(newShape, index))));
}
