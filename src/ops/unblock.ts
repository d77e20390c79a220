import ggml from '../../shaders/lib/ggml.wgsl';
import floats from '../../shaders/unblock.wgsl';
import integers from '../../shaders/unblock_integers.wgsl';
import { part } from '../gpu/wgsl.ts';
import { BLOCKS } from '../tensor/blocks.ts';
import type { BlockType } from '../tensor/source.ts';
import { elementCount, formatShape } from '../tensor/types.ts';
import { defineOp, opError, type Shape, splitFlat } from './define.ts';
import { flatCandidate, fours } from './widen.ts';

interface UnblockOptions {
  from: BlockType;
  /** `floats` of Q4_K and Q6_K; of Q4_0 and Q8_0 `integers` (int8) and `scales`, whose products are the numbers. */
  of: 'floats' | 'integers' | 'scales';
  newShape: Shape;
}

/** Blocks that the numbers are of. */
const blocksOf = ({ from, of, newShape }: Pick<UnblockOptions, 'from' | 'of' | 'newShape'>): number =>
  elementCount(newShape) / (of === 'scales' ? 1 : BLOCKS[from].size);

/** unblock: numbers or scales of GGML's blocks (tensor/blocks.ts). The input is their bytes, as uint32. */
export const unblock = defineOp<UnblockOptions>({
  name: 'unblock',
  operands: { input: { types: ['uint32'] } },
  options: ['from', 'of', 'newShape'],
  values: () => halves,
  infer({ input }, options) {
    const { from, of, newShape } = options;
    const words = Math.ceil((blocksOf(options) * BLOCKS[from].bytes) / 4);
    if (elementCount(input!.shape) !== words)
      throw opError(
        'wrong-shape',
        'unblock',
        `${from}${formatShape(newShape)} is ${words} words, got ${formatShape(input!.shape)}`,
      );
    return { dataType: of === 'integers' ? 'int8' : 'float32', shape: newShape };
  },
  candidates: (_inputs, { from, of }, output) => {
    const name = `${from.toLowerCase()}${of === 'scales' ? '_scales' : ''}`;
    return [
      flatCandidate(`unblock[${name}]`, of === 'integers' ? integers : floats, [part(ggml, name)], fours(output)),
    ];
  },
  pieces(whole, _inputs, { from, of }, output, limit) {
    const bytes = BLOCKS[from].bytes / (of === 'scales' ? 1 : BLOCKS[from].size);
    // Pieces begin at whole blocks, and at a multiple of 256 bytes of both.
    return splitFlat(whole, fours(output), { input: bytes, output: of === 'integers' ? 1 : 4 }, limit, 128);
  },
  rowwise: (_inputs, options, rows) => ({ ...options, newShape: [rows, ...options.newShape.slice(1)] }),
});

/** Pairs of float16 below 2 in every word: whichever of them is a scale, it is finite. */
const halves = Array.from({ length: 4099 }, (_, i) => (Math.imul(i + 1, 0x9e3779b1) & 0xbfffbfff) >>> 0);
