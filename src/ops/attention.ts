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
import { BYTES, elementCount, formatShape } from '../tensor/types.ts';
import { type AttentionOptions, biasSteps, sizes } from './attention_rows.ts';
import {
  type Candidate,
  defineOp,
  ELEM,
  FLAT,
  FLOATS,
  flatGrid,
  type Labelled,
  type Operand,
  opError,
  rowsWithin,
} from './define.ts';
import { lateKernels } from './late_kernels.ts';

/** Workgroups that a large GPU needs: it has more than a hundred cores. */
const FULL = 192;

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
    const readsAt = (where: string): WgslModule[] => [
      heads,
      part(elem, type),
      part(qkv, unit),
      part(position, window ? 'window' : 'whole', where),
      part(scoreBias, cap, biased, empty),
    ];
    const reads = readsAt(positions);
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
    const apart = Number(q.apart) + 2 * Number(k.apart) + 4 * Number(v.apart);
    const named = {
      APART: u32(apart),
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
    const sharing = options.heads / kvHeads;
    // Heads of one query that share keys lie in memory as queries of one head do: so a key is read once for four of them. 1024 keys,
    // 9 heads of 64, 3 of keys: 0.57 of the time on llvmpipe 25.0, 0.67 on SwiftShader; of two, with 4 lanes, 1.3 (2026-11-30).
    const pays = sharing > 2 || (sharing === 2 && caps.minSubgroupSize > 4);
    const asQueries = q.count === 1 && q.batch === 1 && pays && !inputs['bias'];
    const bySubgroups = (rows: 1 | 4, grouped = false): Candidate[] => {
      const [count, ofHeads] = grouped ? [sharing, kvHeads] : [q.count, options.heads];
      const inSubgroup = caps.minSubgroupSize >= 4 && caps.minSubgroupSize <= 16 && perLane <= 4;
      const form =
        inSubgroup && count >= Math.min(rows, 2) ? lateKernels.attentionSubgroups?.(rows, perLane) : undefined;
      if (!form) return [];
      return [
        {
          label: `attention_subgroups[${tags},${grouped ? 'group' : rows}]`,
          variant: {
            kernel: form.kernel,
            ports: [...(grouped && inputs['positions'] ? readsAt('alike') : reads), part(store, unit), ...form.ports],
            constants: { LANES: u32(caps.minSubgroupSize), ...named, ...(grouped && { APART: u32(apart | 1) }) },
          },
          params: grouped ? { ...params, queries: sharing, heads: kvHeads, query_row: headSize } : params,
          grid: flatGrid(q.batch * ofHeads * Math.ceil(count / rows), 1),
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
    const inWorkgroups = (kernel: WgslModule, name: string, kind: string, lanes: number, split = 1): Candidate => ({
      label: `attention_${name}[${tags},${lanes}_${kind}${split > 1 ? `,${split}` : ''}]`,
      variant: {
        kernel,
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
          ...(name === 'workgroup' && { FROM_STORAGE: String(caps.manyRegisters) }),
          ...named,
        },
      },
      params,
      grid: flatGrid((name === 'workgroup' ? lines : fours) * split, 1),
    });
    const shared = (kind: string, lanes: number, split = 1): Candidate =>
      inWorkgroups(workgroupKernel, 'workgroup', kind, lanes, split);
    /** Workgroups that share the keys of what one would compute, so that all of them fill a GPU. */
    const splitsOf = (workgroups: number): number =>
      Math.min(Math.ceil(FULL / workgroups), Math.floor(Math.min(k.count, window ?? k.count) / 64), 32);
    const joined = (whole: Candidate, splits: number, join: WgslModule): Candidate => {
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
    const split = (workgroups: number, of: (splits: number) => Candidate): Candidate[] => {
      const splits = splitsOf(workgroups);
      const join = !caps.software && inOrder && splits > 3 && head4 <= 64 ? lateKernels.attentionJoin : undefined;
      return join ? [joined(of(splits), splits, join)] : [];
    };
    const lanes = Math.min(k.count, window ?? k.count) > 64 && lines < 1024 ? 256 : 64;
    // Heads that share keys, four in a workgroup: fewer workgroups, which read less. Where they still fill a GPU they are the guess.
    // Intel's registers do not hold the sums of four (34 spills on Xe-LP).
    const fours = q.batch * q.count * kvHeads * Math.ceil(sharing / 4);
    const groupKernel = caps.manyRegisters && sharing > 1 && head4 <= 64 ? lateKernels.attentionGroup : undefined;
    const grouped = groupKernel
      ? split(fours, (splits) => inWorkgroups(groupKernel, 'group', 'workgroup', 64, splits))
      : [];
    const fill = fours * splitsOf(fours) >= FULL;
    const forms =
      head4 > lanes
        ? []
        : [
            ...(fill ? grouped : []),
            ...split(lines, (splits) => shared('workgroup', 64, splits)),
            ...(fill ? [] : grouped),
            shared('workgroup', lanes),
            ...(caps.subgroups ? [shared('subgroup', lanes)] : []),
          ];
    if (caps.software)
      return [
        ...(asQueries ? bySubgroups(4, true) : []),
        ...bySubgroups(4),
        ...bySubgroups(1),
        registers,
        ...forms,
        ...tiles,
      ];
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
