import { stridesOf } from '../tensor/types.ts';
import { defineOp, EXACT, type Labelled, NUMBERS, type Operand } from './define.ts';
import { rearrange } from './movement.ts';
import { needIntegers } from './window.ts';

interface TileOptions {
  repetitions: readonly number[];
}

type Tile = (input: Operand, repetitions: readonly number[], options?: Labelled) => Operand;

/** tile: the whole input again and again, `repetitions` times along each axis. */
export const tile = defineOp<TileOptions, Tile>({
  name: 'tile',
  operands: { input: { types: NUMBERS } },
  args: ['repetitions'],
  perAxis: ['repetitions'],
  tolerance: EXACT,
  infer({ input }, { repetitions }) {
    const { dataType, shape } = input!;
    needIntegers('tile', 'repetitions', repetitions, shape.length, 0);
    return { dataType, shape: shape.map((size, d) => size * repetitions[d]!) };
  },
  candidates({ input }, _options, output) {
    const { shape } = input!;
    const strides = stridesOf(shape);
    const axes = shape.map((extent, d) => ({ size: output.shape[d]!, step: 1, start: 0, extent, stride: strides[d]! }));
    return rearrange('tile', output, axes, 'repeat');
  },
});
