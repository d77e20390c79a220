import elem from '../../shaders/lib/elem.wgsl';
import grid from '../../shaders/lib/grid.wgsl';
import ranking from '../../shaders/lib/ranking.wgsl';
import reducer from '../../shaders/lib/reducer.wgsl';
import serialKernel from '../../shaders/sample_serial.wgsl';
import workgroupKernel from '../../shaders/sample_workgroup.wgsl';
import { part, u32 } from '../gpu/wgsl.ts';
import { elementCount, formatShape, sameShape } from '../tensor/types.ts';
import { type Candidate, defineOp, ELEM, FLOAT, flatGrid, type Labelled, type Operand, opError } from './define.ts';

/** The output for a line that no token can be drawn from. */
export const NO_TOKEN = 0xffff_ffff;

/** Tokens at the most: float32 holds indices and counts exactly up to here. */
const MOST_TOKENS = 2 ** 24;

/** Chunks of a line in sample_serial. A step of a walk reads the first token of each chunk, and one chunk in full. */
const CHUNKS = 256;
/** Invocations of sample_workgroup that share a line. */
const LANES = 256;

type Sample = (logits: Operand, settings: Operand, options?: Labelled) => Operand;

/**
 * sample: logits [..., V] and settings float32 [..., 5] give a token uint32 [...]. Settings: temperature (0: the
 * likeliest token), top-k, top-p, a draw in [0, 1), and min-p (0: none). The token is the one at which the running sum of the
 * probabilities exceeds the draw: in order of rank, or of index where top-k, top-p and min-p leave no token out.
 */
export const sample = defineOp<object, Sample>({
  name: 'sample',
  operands: { logits: FLOAT, settings: { types: ['float32'] } },
  values: (name) => (name === 'settings' ? (run) => (run ? [0.8, 40, 1, 0.37, 0] : [0, 1, 1, 0, 0]) : undefined),
  infer(inputs) {
    const [logits, settings] = [inputs['logits']!, inputs['settings']!];
    const shape = logits.shape.slice(0, -1);
    const vocabulary = logits.shape.at(-1) ?? 0;
    if (!(vocabulary >= 1 && vocabulary <= MOST_TOKENS))
      throw opError('wrong-shape', 'sample', `${formatShape(logits.shape)} are no lines of 1 to ${MOST_TOKENS} logits`);
    if (!sameShape(settings.shape, [...shape, 5])) {
      const got = `${settings.dataType}${formatShape(settings.shape)}`;
      throw opError('wrong-shape', 'sample', `settings is ${got}, expected float32${formatShape([...shape, 5])}`);
    }
    return { dataType: 'uint32', shape };
  },
  candidates(inputs, _options, output, { software, longLoops }) {
    const { shape, dataType } = inputs['logits']!;
    const size = shape.at(-1)!;
    const lines = elementCount(output.shape);
    const type = ELEM[dataType]!;
    const serial: Candidate = {
      label: `sample_serial[${type}]`,
      variant: {
        kernel: serialKernel,
        ports: [grid, part(elem, type), ranking],
        constants: { WG: u32(1), CHUNKS: u32(CHUNKS) },
      },
      params: { lines, size, chunk: Math.ceil(Math.max(Math.sqrt(size), size / CHUNKS)) },
      grid: flatGrid(lines, 1),
    };
    const workgroup: Candidate = {
      label: `sample_workgroup[${type}]`,
      variant: {
        kernel: workgroupKernel,
        ports: [part(elem, type), ranking, part(reducer, 'workgroup')],
        constants: { LANES: u32(LANES), LINES: u32(1) },
      },
      params: { lines, size },
      grid: flatGrid(lines, 1),
    };
    // The other keeps all that it ranks in registers, which a GPU has not.
    if (!longLoops || !software) return [workgroup];
    return [serial, workgroup];
  },
});
