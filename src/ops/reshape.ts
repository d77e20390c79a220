import { elementCount, formatShape } from '../tensor/types.ts';
import { ANY, defineOp, EXACT, type Labelled, type Operand, opError, type Shape } from './define.ts';

type Reshape = (input: Operand, newShape: Shape, options?: Labelled) => Operand;

/** reshape: the same bytes under another shape. */
export const reshape = defineOp<{ newShape: Shape }, Reshape>({
  name: 'reshape',
  operands: { input: ANY },
  args: ['newShape'],
  tolerance: EXACT,
  permutes: true,
  alias: 'input',
  infer(inputs, { newShape }) {
    const { dataType, shape } = inputs['input']!;
    if (elementCount(shape) !== elementCount(newShape)) {
      throw opError(
        'wrong-shape',
        'reshape',
        `${formatShape(shape)} has ${elementCount(shape)} elements, ${formatShape(newShape)} ${elementCount(newShape)}`,
      );
    }
    return { dataType, shape: newShape };
  },
});
