import registersKernel from '../../shaders/attention_registers.wgsl';
import workgroupKernel from '../../shaders/attention_workgroup.wgsl';
import elem from '../../shaders/lib/elem.wgsl';
import grid from '../../shaders/lib/grid.wgsl';
import headSums from '../../shaders/lib/head_sums.wgsl';
import heads from '../../shaders/lib/heads.wgsl';
import leave from '../../shaders/lib/leave.wgsl';
import position from '../../shaders/lib/position.wgsl';
import qkv from '../../shaders/lib/qkv.wgsl';
import reducer from '../../shaders/lib/reducer.wgsl';
import scoreBias from '../../shaders/lib/score_bias.wgsl';
import store from '../../shaders/lib/store.wgsl';
import { f32, part, u32, type WgslModule } from '../gpu/wgsl.ts';
import { BYTES, elementCount, formatShape, stridesOf } from '../tensor/types.ts';
import {
  type Candidate,
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
  type Shape,
} from './define.ts';
import { lateKernels } from './late_kernels.ts';

/** Workgroups that a large GPU needs: it has more than a hundred cores. */
const FULL = 192;

/**
 * Query, key and value are each of one of the forms of ONNX's Attention: [T, heads · headSize] or
 * [B, T, heads · headSize], or [B, heads, T, headSize]. Rows of the first may be wider (packed QKV, a KV cache): then
 * `columns` has the first column of each. The result has the form of the query.
 */
export interface AttentionOptions {
  heads: number;
  /** Heads of key and value, where several heads of the query share one. */
  kvHeads?: number;
  headSize: number;
  /** 1 / sqrt(headSize) where absent. */
  scale?: number;
  causal?: boolean;
  /** How many keys a query sees at the most: those up to its position, itself among them. All where absent. Needs `causal`. */
  window?: number;
  /** Scores become softcap · tanh(score / softcap), before `bias` is added. */
  softcap?: number;
  /** A query that sees no key gives zeros, not NaN. */
  blindToZero?: boolean;
  /** First column of query, key and value in their rows. */
  columns?: readonly [number, number, number];
}

/** Rows of an operand, and the elements from one to the next. `apart`: heads hold rows; else rows hold heads. */
interface Rows {
  readonly batch: number;
  readonly count: number;
  readonly width: number;
  readonly apart: boolean;
}

function rowsOf(shape: Shape, name: string, heads: number, headSize: number, column: number): Rows {
  const [count, width] = shape.slice(-2) as [number, number];
  const batch = shape.length > 2 ? shape[0]! : 1;
  const apart = shape.length === 4;
  if (apart && (shape[1] !== heads || width !== headSize || column))
    throw opError(
      'wrong-shape',
      'attention',
      `${name} is ${formatShape(shape)}, from column ${column} on, expected [.., ${heads}, .., ${headSize}] from 0 on`,
    );
  const needed = column + heads * headSize;
  if (!apart && width < needed)
    throw opError(
      'wrong-shape',
      'attention',
      `${name} has rows of ${width}, columns up to ${needed} are needed (${formatShape(shape)})`,
    );
  return { batch, count, width, apart };
}

function sizes(inputs: Inputs, { heads: h, kvHeads = h, headSize, columns = [0, 0, 0] }: AttentionOptions) {
  if (h % kvHeads)
    throw opError('invalid-argument', 'attention', `${h} heads do not share ${kvHeads} heads of key and value evenly`);
  const shapes = ['query', 'key', 'value'].map((name) => inputs[name]!.shape);
  const q = rowsOf(shapes[0]!, 'query', h, headSize, columns[0]);
  const k = rowsOf(shapes[1]!, 'key', kvHeads, headSize, columns[1]);
  const v = rowsOf(shapes[2]!, 'value', kvHeads, headSize, columns[2]);
  if (k.count !== v.count || q.batch !== k.batch || k.batch !== v.batch) {
    throw opError(
      'wrong-shape',
      'attention',
      `query ${formatShape(shapes[0]!)}, key ${formatShape(shapes[1]!)} and value ${formatShape(shapes[2]!)} do not go together`,
    );
  }
  return { q, k, v, kvHeads, columns };
}

/** From one to the next in `bias`: 0 along an axis that repeats. */
function biasSteps(shape: Shape, heads: number, { q, k }: { q: Rows; k: Rows }) {
  const whole = [q.batch, heads, q.count, k.count];
  if (shape.length !== 4 || shape.some((size, d) => size !== 1 && size !== whole[d]))
    throw opError('wrong-shape', 'attention', `bias is ${formatShape(shape)}, expected [${whole}] or 1 in its place`);
  const [batch, head, row, key] = stridesOf(shape).map((step, d) => (shape[d] === 1 ? 0 : step));
  return { bias_batch: batch!, bias_head: head!, bias_row: row!, bias_key: key! };
}

type Attention = (
  query: Operand,
  key: Operand,
  value: Operand,
  options: AttentionOptions & { positions?: Operand; bias?: Operand } & Labelled,
) => Operand;

/**
 * attention: softmax(query · keyᵀ * scale + bias) · value per head. `bias` broadcasts to [B, heads, T, keys].
 * `positions`, uint32 [T]: a query at position p sees keys 0..p, of which `window` leaves the last ones.
 */
export const attention = defineOp<AttentionOptions, Attention>({
  name: 'attention',
  operands: {
    query: { types: FLOATS, rank: [2, 4] },
    key: { as: 'query', rank: [2, 4] },
    value: { as: 'query', rank: [2, 4] },
    positions: { types: ['uint32'], optional: true },
    bias: { as: 'query', rank: [4, 4], optional: true },
  },
  options: ['heads', 'kvHeads', 'headSize', 'scale', 'causal', 'window', 'softcap', 'blindToZero', 'columns'],
  // Every element takes an exp and an addition.
  tolerance: { ulps: 40 },
  values: (name, { key, positions }) =>
    name === 'positions' ? rowsWithin(key!.shape.at(-2)!, positions!.shape[0]!) : undefined,
  infer(inputs, options) {
    const rows = sizes(inputs, options);
    const { q } = rows;
    const { positions, bias } = inputs;
    const { dataType, shape } = inputs['query']!;
    const { window, softcap, causal } = options;
    if (window !== undefined && !(causal && Number.isInteger(window) && window > 0))
      throw opError(
        'invalid-argument',
        'attention',
        `window is ${window}, expected a number of keys from 1 on, and causal`,
      );
    if (softcap !== undefined && !(softcap > 0 && Number.isFinite(softcap)))
      throw opError('invalid-argument', 'attention', `softcap is ${softcap}, expected a number above 0`);
    if (bias) biasSteps(bias.shape, options.heads, rows);
    if (positions && elementCount(positions.shape) !== q.count)
      throw opError('wrong-shape', 'attention', `positions is ${formatShape(positions.shape)}, expected [${q.count}]`);
    return { dataType, shape: shape.length === 4 ? shape : [...shape.slice(0, -1), options.heads * options.headSize] };
  },
  candidates(inputs, options, output, caps) {
    const rows = sizes(inputs, options);
    const { q, k, v, kvHeads, columns } = rows;
    const { headSize, causal = false, window, softcap, scale = 1 / Math.sqrt(headSize) } = options;
    const type = ELEM[output.dataType]!;
    const vec4 = [headSize, q.width, k.width, v.width, ...columns].every((length) => length % 4 === 0);
    const unit = vec4 ? 'vec4' : 'ragged';
    const positions = inputs['positions'] ? 'positions' : 'fixed';
    const biased = inputs['bias'] ? 'bias' : 'none';
    const empty = options.blindToZero ? 'zeros' : 'nan';
    const cap = softcap ? 'softcap' : 'free';
    const reads = [
      heads,
      part(elem, type),
      part(qkv, unit),
      part(position, window ? 'window' : 'whole', positions),
      part(scoreBias, cap, biased, empty),
    ];
    const common = [grid, ...reads, part(store, unit)];
    const params = {
      queries: q.count,
      keys: k.count,
      heads: options.heads,
      kv_heads: kvHeads,
      head_size: headSize,
      causal: Number(causal),
      offset: Math.max(0, k.count - q.count),
      scale,
      query_row: q.width,
      query_column: columns[0],
      key_row: k.width,
      key_column: columns[1],
      value_row: v.width,
      value_column: columns[2],
      batches: q.batch,
      ...(inputs['bias'] && biasSteps(inputs['bias'].shape, options.heads, rows)),
    }; // prettier-ignore
    const lines = q.batch * q.count * options.heads;
    const named = {
      APART: u32(Number(q.apart) + 2 * Number(k.apart) + 4 * Number(v.apart)),
      ...(window && { WINDOW: u32(window) }),
      ...(softcap && { SOFTCAP: f32(softcap) }),
    };
    const tags = [
      type,
      ...(vec4 ? [] : ['ragged']),
      ...(causal ? ['causal'] : []),
      ...(positions === 'fixed' ? [] : ['positions']),
      ...(window ? [`window${window}`] : []),
      ...(softcap ? [`softcap${softcap}`.replace(/\W/g, '_')] : []),
      ...(biased === 'none' ? [] : ['bias']),
      ...(empty === 'nan' ? [] : [empty]),
    ].join();
    // An invocation computes the scores once for `width` elements of a head: 64 is 2 to 3 times as fast as 16, slow to
    // compile, and more than a GPU's registers hold.
    const width = caps.longKernels && caps.software && headSize > 32 ? 64 : 16;
    const inOne = caps.software ? 4 : FLAT; // few, so that the heads of a single query keep all cores busy
    const registers: Candidate = {
      label: `attention_registers[${tags},${width}]`,
      variant: {
        kernel: registersKernel,
        ports: [...common, part(headSums, `${width}`)],
        constants: { WG: u32(inOne), ...named },
      },
      params,
      grid: flatGrid(lines * Math.ceil(headSize / width), inOne),
    };
    const perLane = 2 ** Math.ceil(Math.log2(Math.max(1, headSize / 4 / caps.minSubgroupSize))); // vec4 of a head
    const bySubgroups = (rows: 1 | 4): Candidate[] => {
      const inSubgroup = caps.minSubgroupSize >= 4 && caps.minSubgroupSize <= 16 && perLane <= 4;
      const form =
        inSubgroup && q.count >= Math.min(rows, 2) ? lateKernels.attentionSubgroups?.(rows, perLane) : undefined;
      if (!form) return [];
      return [
        {
          label: `attention_subgroups[${tags},${rows}]`,
          variant: {
            kernel: form.kernel,
            ports: [...reads, part(store, unit), ...form.ports],
            constants: { LANES: u32(caps.minSubgroupSize), ...named },
          },
          params,
          grid: flatGrid(q.batch * options.heads * Math.ceil(q.count / rows), 1),
        },
      ];
    };
    // A workgroup is 16 × 16 invocations. Four queries of each, or two pairs a turn, are more than Intel's registers hold.
    const turn = caps.manyRegisters ? 2 : 1;
    const tiled = (kernel: WgslModule, rows: number): Candidate => ({
      label: `attention_tiled[${tags},${16 * rows}x64]`,
      variant: { kernel, ports: common, constants: { WG: u32(256), ROWS: u32(rows), TURN: u32(turn), ...named } },
      params,
      grid: flatGrid(q.batch * options.heads * Math.ceil(q.count / (16 * rows)), 1),
    });
    const tiledKernel = headSize <= 64 ? lateKernels.attentionTiled : undefined;
    const fits = (rows: number): boolean =>
      (rows === 2 || caps.manyRegisters) && 4096 + 6144 * rows <= caps.maxWorkgroupStorageBytes;
    const tiles = tiledKernel
      ? (q.count > 32 ? [4, 2] : [2, 4]).filter(fits).map((rows) => tiled(tiledKernel, rows))
      : [];
    // With few queries, invocations share the keys; with still fewer, workgroups do.
    const head4 = 2 ** Math.ceil(Math.log2(Math.ceil(headSize / 4)));
    const shared = (kind: string, lanes: number, split = 1): Candidate => ({
      label: `attention_workgroup[${tags},${lanes}_${kind}${split > 1 ? `,${split}` : ''}]`,
      variant: {
        kernel: workgroupKernel,
        ports: [
          ...(split > 1 ? [grid, ...reads, part(leave, 'partial')] : [...common, part(leave, 'output')]),
          part(reducer, kind),
        ],
        constants: {
          WG: u32(FLAT),
          LANES: u32(lanes),
          LINES: u32(1),
          HEAD4: u32(head4),
          STEP: u32(headSize % 16 ? 1 : 4),
          SPLIT: u32(split),
          FROM_STORAGE: String(caps.manyRegisters),
          ...named,
        },
      },
      params,
      grid: flatGrid(lines * split, 1),
    });
    const splits = Math.min(Math.ceil(FULL / lines), Math.floor(Math.min(k.count, window ?? k.count) / 64), 32);
    const joined = (join: WgslModule): Candidate => {
      const whole = shared('workgroup', 64, splits);
      const variant = {
        kernel: join,
        ports: [grid, part(elem, type), part(store, unit), part(scoreBias, empty)],
        constants: { WG: u32(FLAT), SPLIT: u32(splits), HEAD4: u32(head4) },
      };
      const invocations = lines * Math.ceil(headSize / 4);
      const second = { variant, params: { lines, head_size: headSize }, grid: flatGrid(invocations, FLAT) };
      const partial = { dataType: 'float32' as const, shape: [lines, splits, 1 + head4, 4] };
      return { ...whole, parts: [{}, second], scratch: { partial } };
    };
    // The second kernel writes lines in the order of the first: rows of heads side by side.
    const inOrder = !q.apart || q.count === 1;
    const joinKernel = !caps.software && inOrder && splits > 3 && head4 <= 64 ? lateKernels.attentionJoin : undefined;
    const lanes = Math.min(k.count, window ?? k.count) > 64 && lines < 1024 ? 256 : 64;
    const forms =
      head4 > lanes
        ? []
        : [
            ...(joinKernel ? [joined(joinKernel)] : []),
            shared('workgroup', lanes),
            ...(caps.subgroups ? [shared('subgroup', lanes)] : []),
          ];
    if (caps.software) return [...bySubgroups(4), ...bySubgroups(1), registers, ...forms, ...tiles];
    return q.count >= 16 ? [...tiles, ...forms, registers] : [...forms, ...tiles, registers];
  },
  cost(inputs, options, output) {
    const { q, k, kvHeads } = sizes(inputs, options);
    // Positions are known at run time only: all keys count, which is the most work.
    const macs = 2 * q.batch * q.count * k.count * options.heads * options.headSize;
    const bytes =
      (2 * elementCount(output.shape) + 2 * k.batch * k.count * kvHeads * options.headSize) * BYTES[output.dataType];
    return { macs, flops: 2 * macs, bytes };
  },
});
