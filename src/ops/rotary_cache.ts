import elem from '../../shaders/lib/elem.wgsl';
import grid from '../../shaders/lib/grid.wgsl';
import headNorm from '../../shaders/lib/head_norm.wgsl';
import rotation from '../../shaders/lib/rotation.wgsl';
import kernel from '../../shaders/rotary_cache.wgsl';
import { f32, part, u32 } from '../gpu/wgsl.ts';
import { BYTES, elementCount, formatShape, sameShape } from '../tensor/types.ts';
import {
  defineOp,
  ELEM,
  FLAT,
  FLOATS,
  flatGrid,
  type Inputs,
  type Labelled,
  type Operand,
  opError,
  rowsWithin,
} from './define.ts';

export interface RotaryCacheOptions {
  /** Of queries, and of keys and values. */
  heads: number;
  kvHeads: number;
  /** Of the normalisation of heads; 1e-5 where absent. */
  epsilon?: number;
}

type RotaryCache = (
  state: Operand,
  input: Operand,
  cos: Operand,
  sin: Operand,
  positions: Operand,
  options: RotaryCacheOptions & { queryScale?: Operand; keyScale?: Operand } & Labelled,
) => readonly [cache: Operand, query: Operand];

const refuse = (code: 'wrong-shape' | 'invalid-argument', message: string): never => {
  throw opError(code, 'rotaryCache', message);
};

/** Rows, elements of a head, and those that are turned. */
function sizes(inputs: Inputs, { heads, kvHeads }: RotaryCacheOptions) {
  const { state, input, cos, sin, positions, queryScale, keyScale } = inputs;
  for (const [name, count] of Object.entries({ heads, kvHeads }))
    if (!Number.isInteger(count) || count < 1) refuse('invalid-argument', `${name} is ${count}`);
  const [rows, width] = input!.shape as [number, number];
  const [context, kept] = state!.shape as [number, number];
  const headSize = kept / (2 * kvHeads);
  if (!Number.isInteger(headSize) || width !== (heads + 2 * kvHeads) * headSize)
    refuse(
      'wrong-shape',
      `input ${formatShape(input!.shape)} is not rows of ${heads} queries, ${kvHeads} keys and ${kvHeads} values, of which state ${formatShape(state!.shape)} keeps the last two`,
    );
  const [places, half] = cos!.shape as [number, number];
  if (!sameShape(cos!.shape, sin!.shape) || half < 1 || 2 * half > headSize)
    refuse(
      'wrong-shape',
      `cos and sin are ${formatShape(cos!.shape)} and ${formatShape(sin!.shape)}, expected [places, at most ${headSize / 2}]`,
    );
  if (elementCount(positions!.shape) !== rows)
    refuse('wrong-shape', `positions is ${formatShape(positions!.shape)}, expected [${rows}]`);
  if (Boolean(queryScale) !== Boolean(keyScale))
    refuse('invalid-argument', 'queryScale and keyScale come together: both are normalised, or neither');
  for (const [name, scale] of Object.entries({ queryScale, keyScale }))
    if (scale && !sameShape(scale.shape, [headSize]))
      refuse('wrong-shape', `${name} is ${formatShape(scale.shape)}, expected [${headSize}]`);
  return { rows, width, context, headSize, places, half };
}

/**
 * rotaryCache: what a decoder does to rows [queries, keys, values] before attention. Queries and keys are turned by their
 * positions, as `rotaryEmbedding` does it: elements i and i + half of a head by the angle of row `position` of `cos` and
 * `sin`, [places, half]. With `queryScale` and `keyScale`, [headSize], each head is normalised before, as `rmsNormalization`
 * does it. Results: `cache`, the state [context, 2 · kvHeads · headSize] with keys and values in the rows of their positions,
 * written in place, and `query`, [rows, heads · headSize].
 */
export const rotaryCache = defineOp<RotaryCacheOptions, RotaryCache>({
  name: 'rotaryCache',
  operands: {
    state: { types: FLOATS, rank: [2, 2] },
    input: { as: 'state', rank: [2, 2] },
    cos: { as: 'state', rank: [2, 2] },
    sin: { as: 'state', rank: [2, 2] },
    positions: { types: ['uint32'] },
    queryScale: { as: 'state', optional: true },
    keyScale: { as: 'state', optional: true },
  },
  options: ['heads', 'kvHeads', 'epsilon'],
  results: ['cache', 'query'],
  inPlace: 'state',
  values: (name, { state, positions }) =>
    name === 'positions' ? rowsWithin(state!.shape[0]!, positions!.shape[0]!) : undefined,
  infer(inputs, options) {
    const { rows, headSize } = sizes(inputs, options);
    return [inputs['state']!, { dataType: inputs['state']!.dataType, shape: [rows, options.heads * headSize] }];
  },
  candidates(inputs, options, output) {
    const { rows, width, context, headSize, places, half } = sizes({ ...inputs, state: output }, options);
    const { heads, kvHeads, epsilon = 1e-5 } = options;
    const vec4 = [headSize, half].every((length) => length % 4 === 0);
    const [form, unit] = vec4 ? (['vec4', 4] as const) : (['ragged', 1] as const);
    const normed = inputs['queryScale'] !== undefined;
    const type = ELEM[output.dataType]!;
    const count = (rows * width) / unit;
    return [
      {
        label: `rotaryCache[${[type, ...(vec4 ? [] : [form]), ...(normed ? ['normed'] : [])]}]`,
        variant: {
          kernel,
          ports: [
            grid,
            part(elem, type),
            part(rotation, form, 'apart'),
            normed ? part(headNorm, 'rms', form) : part(headNorm, 'none'),
          ],
          constants: { WG: u32(FLAT), ...(normed && { EPSILON: f32(epsilon) }) },
        },
        params: {
          count,
          width: headSize / unit,
          size: (2 * half) / unit,
          step: half / unit,
          angles: half / unit,
          shift: 0,
          heads,
          kv_heads: kvHeads,
          context,
          places,
          head_size: headSize,
        },
        grid: flatGrid(count, FLAT),
        bind: { cos_table: 'cos', sin_table: 'sin', query_scale: 'queryScale', key_scale: 'keyScale' },
      },
    ];
  },
  cost(inputs, options, output) {
    const { rows, width } = sizes({ ...inputs, state: output }, options);
    return { macs: 0, flops: 3 * rows * width, bytes: 2 * rows * width * BYTES[output.dataType] };
  },
});
