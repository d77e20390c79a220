import elem from '../../shaders/lib/elem.wgsl';
import keys from '../../shaders/lib/keys.wgsl';
import kernel from '../../shaders/top_k.wgsl';
import { part } from '../gpu/wgsl.ts';
import { elementCount, formatShape, isFloat } from '../tensor/types.ts';
import { aroundAxis, defineOp, EXACT, type Labelled, NUMBERS, needAxis, type Operand, opError } from './define.ts';
import { cast } from './elementwise.ts';
import { alone, lineForms } from './lines.ts';
import { WORDS, widened } from './words.ts';

interface TopKOptions {
  k: number;
  /** The last axis where absent. */
  axis?: number;
  /** False: the smallest elements. */
  largest?: boolean;
  /** Has no effect: results are sorted. */
  sorted?: boolean;
}

type TopK = (
  input: Operand,
  k: number,
  options?: Omit<TopKOptions, 'k'> & Labelled,
) => readonly [values: Operand, indices: Operand];

/** Elements of a shared line at the most: lanes exchange indices as float32. */
const MOST_SHARED = 2 ** 24;

/**
 * topK (ONNX' TopK): values and indices (int32) of the k largest elements along `axis`, the largest first; of equals
 * the first.
 */
export const topK = defineOp<TopKOptions, TopK>({
  name: 'topK',
  operands: { input: { types: NUMBERS } },
  args: ['k'],
  options: ['axis', 'largest', 'sorted'],
  results: ['values', 'indices'],
  tolerance: EXACT,
  infer({ input }, { k, axis = -1 }) {
    const { dataType, shape } = input!;
    const at = needAxis('topK', axis, shape.length);
    if (!Number.isInteger(k) || k < 0 || k > shape[at]!)
      throw opError(
        'invalid-argument',
        'topK',
        `k is ${k}, expected 0 to ${shape[at]} for axis ${at} of ${formatShape(shape)}`,
      );
    const own = shape.map((size, d) => (d === at ? k : size));
    return [
      { dataType, shape: own },
      { dataType: 'int32', shape: own },
    ];
  },
  decompose: ({ input }, options, rewriter) =>
    widened(rewriter, input!, (wide) => {
      const [values, indices] = rewriter.add('topK', { input: wide }, options).results;
      return [rewriter.add(cast.name, { input: values! }, { to: input!.dataType }), indices!];
    }),
  candidates(inputs, { k, axis = -1, largest = true }, _output, caps) {
    const { dataType, shape } = inputs['input']!;
    const { outer, size, stride } = aroundAxis(shape, needAxis('topK', axis, shape.length));
    const type = WORDS[dataType]!;
    const order = isFloat(dataType) ? 'float' : 'integer';
    const flip = dataType.startsWith('u') ? '0u' : '0x80000000u';
    const forms = lineForms(outer * stride, size, caps);
    return (size < MOST_SHARED ? forms : forms.filter(alone)).map(({ tag, ports, constants, grid }) => ({
      label: `topK[${type}${largest ? '' : ',smallest'},${tag}]`,
      variant: {
        kernel,
        ports: [part(elem, type), part(keys, order), ...ports],
        constants: { ...constants, SMALLEST: String(!largest), ...(order === 'integer' && { FLIP: flip }) },
      },
      params: { lines: outer * stride, size, stride, k },
      grid,
    }));
  },
  cost: ({ input }, { k }) => ({ macs: 0, flops: k * elementCount(input!.shape) }),
});
