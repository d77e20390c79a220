import kernel from '../../shaders/concat.wgsl';
import narrowKernel from '../../shaders/concat_narrow.wgsl';
import grid from '../../shaders/lib/grid.wgsl';
import { u32 } from '../gpu/wgsl.ts';
import { BYTES, elementCount, formatShape } from '../tensor/types.ts';
import {
  type Candidate,
  defineOp,
  EXACT,
  FLAT,
  flatGrid,
  type Labelled,
  NUMBERS,
  needAxis,
  type Operand,
  opError,
  type Part,
} from './define.ts';

type Concat = (inputs: readonly Operand[], axis: number, options?: Labelled) => Operand;

/** concat: joins inputs of one type along `axis`. A dispatch for each input that has elements. */
export const concat = defineOp<{ axis: number }, Concat>({
  name: 'concat',
  operands: { input: { types: NUMBERS, as: 'input0', list: true } },
  args: ['axis'],
  alongAxis: true,
  tolerance: EXACT,
  infer(inputs, { axis }) {
    const [first, ...others] = Object.values(inputs);
    const { dataType, shape } = first!;
    const at = needAxis('concat', axis, shape.length);
    let size = shape[at]!;
    for (const other of others) {
      if (other.shape.length !== shape.length || shape.some((extent, d) => d !== at && extent !== other.shape[d])) {
        throw opError(
          'wrong-shape',
          'concat',
          `${formatShape(shape)} and ${formatShape(other.shape)} differ elsewhere than in axis ${at}`,
        );
      }
      size += other.shape[at]!;
    }
    return { dataType, shape: shape.map((extent, d) => (d === at ? size : extent)) };
  },
  candidates(inputs, { axis }, output) {
    const at = needAxis('concat', axis, output.shape.length);
    const lengths = Object.values(inputs).map(({ shape }) => elementCount(shape.slice(at)));
    const all = elementCount(output.shape.slice(at));
    const bits = 8 * BYTES[output.dataType];
    const perWord = 32 / bits;
    const whole = [...lengths, all].every((length) => length % perWord === 0);
    let first = 0;
    const parts = lengths.map((own, i): Part => {
      const count = whole ? elementCount(inputs[`input${i}`]!.shape) / perWord : elementCount(output.shape);
      const scale = whole ? perWord : 1;
      const params = { count, own: own / scale, all: all / scale, first: first / scale };
      first += own;
      return { params, grid: flatGrid(whole ? count : count / perWord, FLAT), bind: { input: `input${i}` } };
    });
    const candidate: Candidate = {
      label: `concat[b${whole ? 32 : bits}]`,
      variant: {
        kernel: whole ? kernel : narrowKernel,
        ports: [grid],
        constants: { WG: u32(FLAT), ...(!whole && { BITS: u32(bits) }) },
      },
      params: {},
      grid: [1, 1, 1],
      parts,
    };
    return [candidate];
  },
  decompose(inputs, options, rewriter) {
    const all = Object.values(inputs);
    const full = all.filter(({ shape }) => elementCount(shape));
    if (full.length < 2) return full[0] ?? all[0];
    if (full.length === all.length) return undefined;
    return rewriter.add('concat', Object.fromEntries(full.map((input, i) => [`input${i}`, input])), options);
  },
});
