import { BLOCKS, fromBlocks } from '../../tensor/blocks.ts';
import { fromHalf } from '../../tensor/half.ts';
import type { BlockType } from '../../tensor/source.ts';
import { elementCount } from '../../tensor/types.ts';
import { build, placeOf, type RefInputs, type RefTensor } from './tensor.ts';

interface Options {
  readonly from: BlockType;
  readonly of: 'floats' | 'integers' | 'scales';
  readonly newShape: readonly number[];
}

/** Numbers, integers or scales of blocks: of Q8_0 integers are bytes, of Q4_0 halves of bytes with 8 added, i and i + 16 in one. */
export function unblock({ input }: RefInputs, { from, of, newShape }: Options): RefTensor {
  const { size, bytes: width } = BLOCKS[from];
  const bytes = new Uint8Array(Uint32Array.from(input!.data).buffer);
  const floats = new Float32Array(of === 'floats' ? elementCount(newShape) : 0);
  if (of === 'floats') fromBlocks(from, bytes.subarray(0, (floats.length / size) * width), floats);
  const valueAt = (i: number): number => {
    if (of === 'floats') return floats[i]!;
    if (of === 'scales') return fromHalf(bytes[width * i]! | (bytes[width * i + 1]! << 8));
    const start = Math.floor(i / size) * width + 2;
    if (from === 'Q8_0') return (bytes[start + (i % size)]! << 24) >> 24;
    return ((bytes[start + (i % 16)]! >> (i % size < 16 ? 0 : 4)) & 15) - 8;
  };
  return build(of === 'integers' ? 'int8' : 'float32', newShape, (index) => valueAt(placeOf(newShape, index)));
}

export const references = { unblock };
