import { fromHalf, toHalf } from '../../tensor/half.ts';
import { at, build, placeOf, type RefInputs, type RefTensor } from './tensor.ts';

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

/** Rounded to float16. */
export const narrow = ({ input }: RefInputs): RefTensor =>
  build('float16', input!.shape, (index) => fromHalf(toHalf(at(input!, index))));

export const references = { widen, narrow };
