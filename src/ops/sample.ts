import elem from '../../shaders/lib/elem.wgsl';
import reducer from '../../shaders/lib/reducer.wgsl';
import kernel from '../../shaders/sample.wgsl';
import { part, u32 } from '../gpu/wgsl.ts';
import { elementCount, formatShape, sameShape } from '../tensor/types.ts';
import { defineOp, ELEM, flatGrid, need, needFloat, opError } from './define.ts';

/** What `sample` gives for a line that nothing can be drawn from. */
export const NO_TOKEN = 0xffff_ffff;

/** Indices and counts of tokens are summed as float32, which counts so far. */
const MOST_TOKENS = 2 ** 24;

/** Invocations that share a line, and bits of a digit: a digit takes LANES one pass over the line, and 2^bits sums. */
const FORMS = {
  serial: { lanes: 1, bits: 8 },
  workgroup: { lanes: 256, bits: 2 },
} as const;

/**
 * sample: a token for each line of logits [..., V], by its settings [..., 4] (float32): temperature (0: the likeliest),
 * top-k, top-p, and a number of [0, 1) to draw by. The draw is the point on the running sum of probabilities, in order of rank.
 */
export const sample = defineOp<object>({
  name: 'sample',
  infer(inputs) {
    const [logits, settings] = [need(inputs, 'logits', 'sample'), need(inputs, 'settings', 'sample')];
    needFloat('sample', 'logits', logits);
    const shape = logits.shape.slice(0, -1);
    const vocabulary = logits.shape.at(-1) ?? 0;
    if (!(vocabulary >= 1 && vocabulary <= MOST_TOKENS))
      throw opError('wrong-shape', 'sample', `${formatShape(logits.shape)} are no lines of 1 to ${MOST_TOKENS} logits`);
    if (settings.dataType !== 'float32' || !sameShape(settings.shape, [...shape, 4])) {
      const got = `${settings.dataType}${formatShape(settings.shape)}`;
      throw opError('wrong-shape', 'sample', `settings is ${got}, expected float32${formatShape([...shape, 4])}`);
    }
    return { dataType: 'uint32', shape };
  },
  candidates(inputs, _options, output, caps) {
    const { shape, dataType } = inputs['logits']!;
    const size = shape.at(-1)!;
    const lines = elementCount(output.shape);
    const type = ELEM[dataType]!;
    const kinds = caps.software ? (['serial', 'workgroup'] as const) : (['workgroup', 'serial'] as const);
    return kinds.map((kind) => ({
      label: `sample[${type},${FORMS[kind].lanes}_${kind}]`,
      variant: {
        kernel,
        ports: [part(elem, type), part(reducer, kind)],
        constants: { LANES: u32(FORMS[kind].lanes), LINES: u32(1), BITS: u32(FORMS[kind].bits) },
      },
      params: { lines, size },
      grid: flatGrid(lines, 1),
    }));
  },
});
