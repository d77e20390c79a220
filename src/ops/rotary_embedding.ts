import elem from '../../shaders/lib/elem.wgsl';
import grid from '../../shaders/lib/grid.wgsl';
import rotaryRow from '../../shaders/lib/rotary_row.wgsl';
import rotation from '../../shaders/lib/rotation.wgsl';
import kernel from '../../shaders/rotary_embedding.wgsl';
import { part, u32 } from '../gpu/wgsl.ts';
import { elementCount, formatShape, sameShape } from '../tensor/types.ts';
import {
  defineOp,
  ELEM,
  FLAT,
  FLOATS,
  flatGrid,
  INDICES,
  type Inputs,
  type Labelled,
  type Operand,
  opError,
} from './define.ts';
import { placeOf } from './place.ts';

export interface RotaryEmbeddingOptions {
  /** Heads in a row of an input [B, S, heads · D]. */
  heads?: number;
  /** Elements 2i and 2i + 1 are a pair. Absent: elements i and i + half as many as there are in pairs. */
  interleaved?: boolean;
  /** Elements of a head that are in pairs: the first ones, all where absent. The others stay. */
  rotaryEmbeddingDim?: number;
  /** Heads that are turned: the first ones, all where absent. The others stay: those of the values in a row [query, key, value]. */
  rotaryHeads?: number;
}

type RotaryEmbedding = (
  input: Operand,
  cos: Operand,
  sin: Operand,
  options?: RotaryEmbeddingOptions & { positions?: Operand } & Labelled,
) => Operand;

const refuse = (code: 'wrong-shape' | 'invalid-argument', message: string): never => {
  throw opError(code, 'rotaryEmbedding', message);
};

/** Sequences, their tokens, heads; elements of a head, and those in pairs; whether heads hold tokens. */
function sizes({ input, cos, sin, positions }: Inputs, options: RotaryEmbeddingOptions) {
  const { shape } = input!;
  const apart = shape.length === 4;
  const [batch, count] = [shape[0]!, shape.at(-2)!];
  const heads =
    options.heads ?? (apart ? shape[1]! : refuse('invalid-argument', 'an input [B, S, heads · D] needs heads'));
  if (!Number.isInteger(heads) || heads < 1 || (apart ? heads !== shape[1] : shape[2]! % heads))
    refuse('invalid-argument', `heads is ${heads} (input ${formatShape(shape)})`);
  const width = apart ? shape[3]! : shape[2]! / heads;
  const size = options.rotaryEmbeddingDim ?? width;
  if (!Number.isInteger(size) || size < 2 || size % 2 || size > width)
    refuse('invalid-argument', `rotaryEmbeddingDim is ${size}, expected an even number from 2 to ${width}`);
  const turning = options.rotaryHeads ?? heads;
  if (!Number.isInteger(turning) || turning < 1 || turning > heads)
    refuse('invalid-argument', `rotaryHeads is ${turning}, expected an integer from 1 to ${heads}`);
  const places = positions ?? cos!;
  const lead = positions ? places.shape : places.shape.slice(0, -1);
  const rank = positions ? 2 : 3;
  const [angles, tables] = [cos!.shape.at(-1)!, [cos!, sin!].map((one) => formatShape(one.shape)).join(' and ')];
  if (cos!.shape.length !== rank || !sameShape(cos!.shape, sin!.shape) || (angles !== size && 2 * angles !== size))
    refuse(
      'wrong-shape',
      `cos and sin are ${tables}, expected ${positions ? '[rows' : `[1 or ${batch},${count}`},${size / 2} or ${size}]`,
    );
  if (lead.length !== 2 || (lead[0] !== 1 && lead[0] !== batch) || lead[1] !== count)
    refuse(
      'wrong-shape',
      `${positions ? 'positions' : 'cos'} is ${formatShape(places.shape)}, expected [1 or ${batch},${count}${positions ? '' : ',..'}]`,
    );
  return { apart, batch, count, heads, turning, width, size, angles, shared: lead[0] === 1 };
}

/**
 * rotaryEmbedding: turns pairs of elements of each head by the angle of the token's position. `input` is [B, S, heads · D]
 * or [B, heads, S, D]. `cos` and `sin` are [B or 1, S, angles]; with `positions`, integers [B or 1, S], they are tables
 * [rows, angles], whose rows are named as `gather` does. Angles are half as many as elements in pairs, or as many: each
 * element then has its own. ONNX's RotaryEmbedding of opset 23; RoFormer, Su et al. 2021.
 */
export const rotaryEmbedding = defineOp<RotaryEmbeddingOptions, RotaryEmbedding>({
  name: 'rotaryEmbedding',
  operands: {
    input: { types: FLOATS, rank: [3, 4] },
    cos: { as: 'input', rank: [2, 3] },
    sin: { as: 'input', rank: [2, 3] },
    positions: { types: INDICES, rank: [2, 2], optional: true },
  },
  options: ['heads', 'interleaved', 'rotaryEmbeddingDim', 'rotaryHeads'],
  values: (name, { cos }) => (name === 'positions' ? { low: 0, high: cos!.shape[0]! - 1 } : undefined),
  infer(inputs, options) {
    sizes(inputs, options);
    return inputs['input']!;
  },
  candidates(inputs, options, output) {
    const { apart, count, heads, turning, width, size, angles, shared } = sizes(inputs, options);
    const { interleaved = false } = options;
    const { positions, cos } = inputs;
    const half = size / 2;
    const vec4 = [width, size, ...(interleaved ? [] : [half])].every((length) => length % 4 === 0);
    const within = vec4 && interleaved;
    const unit = vec4 ? 4 : 1;
    const type = ELEM[output.dataType]!;
    const tags = [
      type,
      ...(within ? ['interleaved'] : []),
      ...(vec4 ? [] : ['ragged']),
      ...(positions ? ['positions'] : []),
    ];
    const units = elementCount(output.shape) / unit;
    return [
      {
        label: `rotaryEmbedding[${tags}]`,
        variant: {
          kernel,
          ports: [
            grid,
            part(elem, type),
            part(rotation, vec4 ? 'vec4' : 'ragged', within ? 'within' : 'apart'),
            ...(positions ? [placeOf(positions)] : []),
            part(rotaryRow, positions ? 'positions' : 'fixed'),
          ],
          constants: { WG: u32(FLAT) },
        },
        params: {
          count: units,
          width: width / unit,
          size: size / unit,
          step: interleaved ? 1 : half / unit,
          angles: within ? angles : angles / unit,
          shift: Number(interleaved && angles === half),
          lines: count * heads,
          inner: apart ? 1 : heads,
          positions: count,
          batch: shared ? 0 : count,
          rows: cos!.shape[0]!,
          heads,
          turning,
          apart: apart ? count : 1,
        },
        grid: flatGrid(units, FLAT),
        bind: { cos_table: 'cos', sin_table: 'sin' },
      },
    ];
  },
  cost: (_inputs, _options, { shape }) => ({ macs: 0, flops: 3 * elementCount(shape) }),
});
