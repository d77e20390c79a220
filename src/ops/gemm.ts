import smallKernel from '../../shaders/gemm_registers_8x8.wgsl';
import largeKernel from '../../shaders/gemm_registers_16x16.wgsl';
import tiledKernel from '../../shaders/gemm_tiled.wgsl';
import gemvKernel from '../../shaders/gemv.wgsl';
import biasParts from '../../shaders/lib/bias.wgsl';
import blockA from '../../shaders/lib/block_a.wgsl';
import elem from '../../shaders/lib/elem.wgsl';
import epilogue from '../../shaders/lib/epilogue.wgsl';
import gemmShape from '../../shaders/lib/gemm.wgsl';
import gemmFinish from '../../shaders/lib/gemm_finish.wgsl';
import layoutB from '../../shaders/lib/layout_b.wgsl';
import operandA from '../../shaders/lib/operand_a.wgsl';
import operandB from '../../shaders/lib/operand_b.wgsl';
import outer from '../../shaders/lib/outer.wgsl';
import reducer from '../../shaders/lib/reducer.wgsl';
import residualParts from '../../shaders/lib/residual.wgsl';
import rows from '../../shaders/lib/rows.wgsl';
import scale from '../../shaders/lib/scale.wgsl';
import store from '../../shaders/lib/store.wgsl';
import window from '../../shaders/lib/window.wgsl';
import type { Caps } from '../gpu/gpu.ts';
import { type ParamValues, part, u32, type WgslModule } from '../gpu/wgsl.ts';
import type { DataType } from '../tensor/types.ts';
import { type Candidate, ELEM } from './define.ts';
import { type Activation, activationPorts } from './elementwise.ts';

/** What ends a kernel: scaled (int8), biased, added to the residual, activated, in this order. */
export interface Epilogue {
  readonly bias: boolean;
  readonly residual: boolean;
  readonly activation?: Activation | undefined;
}

/** A matrix product as matmul and conv2d both see it. Lengths, strides and offsets in elements. */
export interface Gemm extends Epilogue {
  readonly op: string;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly taps: number;
  readonly batches: number;
  readonly lda: number;
  readonly ldb: number;
  readonly ldc: number;
  readonly aBatch: number;
  readonly bBatch: number;
  readonly cBatch: number;
  /** Columns of bias and scale that a batch is apart: groups of a convolution. */
  readonly columnBatch: number;
  readonly dataType: DataType;
  readonly weights: 'dense' | 'q8';
  readonly layout: 'kn' | 'nk';
  /** The geometry of a convolution; absent for a plain matrix. */
  readonly window?: ParamValues;
}

/** `bias_gelu`, `bias_residual_relu`, `none`: as labels name it. */
export const epilogueName = ({ bias, residual, activation }: Epilogue): string =>
  [bias && 'bias', residual && 'residual', activation?.name].filter(Boolean).join('_') || 'none';

/** The modules that make up `finish`, for outputs in whole vec4 or ragged. */
export function epiloguePorts(
  { bias, residual, activation }: Epilogue,
  weights: 'dense' | 'q8',
  unit: 'vec4' | 'ragged',
) {
  const { ports, constants } = activationPorts(activation ?? { name: 'identity' });
  return {
    ports: [
      part(scale, weights === 'q8' ? unit : 'none'),
      part(biasParts, bias ? unit : 'none'),
      part(residualParts, residual ? unit : 'none'),
      ...ports,
      part(store, unit),
      epilogue,
    ],
    constants,
  };
}

/** Baked shapes gain 15-25 % on SwiftShader, and cost a pipeline a shape: worth it for work beyond this many FLOP. */
const BAKE_FLOPS = 2e7;

/** Kernels that compute this product here, best guess first. `bind` names a, b, scales, bias, residual by the op's inputs. */
export function gemmCandidates(g: Gemm, caps: Caps, bind: Readonly<Record<string, string>>): Candidate[] {
  const whole = (...lengths: number[]): boolean => lengths.every((length) => length % 4 === 0);
  const aUnit = whole(g.k, g.lda, g.aBatch) ? 'vec4' : 'ragged';
  const bWhole = g.layout === 'kn' ? whole(g.n, g.ldb, g.bBatch) : whole(g.k, g.ldb, g.bBatch);
  const bUnit = bWhole ? g.weights : `${g.weights}_ragged`;
  const outUnit = whole(g.n, g.ldc, g.cBatch, g.columnBatch) ? 'vec4' : 'ragged';
  const [a, b, c] = [aUnit === 'vec4' ? 4 : 1, bWhole ? 4 : 1, outUnit === 'vec4' ? 4 : 1];
  const name = ELEM[g.dataType]!;
  const { ports, constants } = epiloguePorts(g, g.weights, outUnit);
  const ragged = a * b * c < 64 ? ['ragged'] : [];
  const tags = [
    name,
    ...(g.weights === 'q8' ? ['q8'] : []),
    ...(g.layout === 'nk' ? ['nk'] : []),
    ...ragged,
    epilogueName(g),
  ];
  const common: WgslModule[] = [
    gemmShape,
    part(elem, name),
    part(operandA, aUnit),
    part(operandB, bUnit),
    part(layoutB, g.layout),
    ...ports,
    gemmFinish,
  ];
  const walk = g.window ? [window, part(rows, 'conv2d')] : [part(rows, 'dense')];
  const params: ParamValues = {
    m: g.m,
    n: g.n,
    k: g.k,
    taps: g.taps,
    batches: g.batches,
    lda: g.lda / a,
    ldb: g.ldb / b,
    ldc: g.ldc / c,
    column_batch: g.columnBatch / c,
    a_batch: g.aBatch / a,
    b_batch: g.bBatch / b,
    c_batch: g.cBatch / c,
    ...g.window,
  }; // prettier-ignore
  const flops = 2 * g.m * g.n * g.k * g.taps * g.batches;
  const baked = caps.software && flops > BAKE_FLOPS ? params : undefined;
  const candidate = (
    kernel: WgslModule,
    more: WgslModule[],
    consts: Record<string, number>,
    tile: string,
    grid: Candidate['grid'],
  ): Candidate => ({
    label: `${g.op}_${kernel.name.replace(/gemm_|_\d+x\d+/g, '')}[${[...tags, tile].join()}]`,
    variant: {
      kernel,
      ports: [...common, ...more],
      constants: {
        ...Object.fromEntries(Object.entries(consts).map(([key, value]) => [key, u32(value)])),
        ...constants,
      },
      baked,
    },
    params,
    grid,
    bind,
  });

  // Workgroups as wide as the output is: idle lanes are the price of a narrow one.
  const registers = (kernel: WgslModule, side: number, invocations: number): Candidate => {
    const wide = Math.min(8, 2 ** Math.ceil(Math.log2(g.n / side)), invocations);
    const [x, y] = wide >= 1 ? [wide, invocations / wide] : [1, invocations];
    const groups: Candidate['grid'] = [Math.ceil(g.n / side / x), Math.ceil(g.m / side / y), g.batches];
    return candidate(kernel, [...walk, blockA, outer], { WG_X: x, WG_Y: y }, `${side}x${side}`, groups);
  };
  const covered = (side: number): number => Math.ceil(g.m / side) * Math.ceil(g.n / side) * g.batches;
  // 16×16 runs 1.3 times as fast as 8×8 on SwiftShader, where it neither idles nor overhangs much.
  const small = registers(smallKernel, 8, 32);
  const large = caps.longKernels ? [registers(largeKernel, 16, 16)] : [];
  const largeFits = covered(16) >= 32 && 4 * covered(16) <= 1.3 * covered(8);
  const byRegisters = largeFits ? [...large, small] : [small, ...large];
  const depth = caps.maxWorkgroupStorageBytes >= 16384 ? 4 : 2;
  const tiled = candidate(tiledKernel, [...walk, outer], { BK4: depth }, '64x64', [
    Math.ceil(g.n / 64),
    Math.ceil(g.m / 64),
    g.batches,
  ]);
  if (g.window) return caps.software || g.m < 32 ? [...byRegisters, tiled] : [tiled, ...byRegisters];

  const gemv = (lanes: number, port: string): Candidate => {
    // Small workgroups on software adapters, so that even a narrow product keeps all cores busy.
    const lines = Math.max(1, (caps.software ? 16 : 64) / lanes);
    const alongX = g.layout === 'nk' || port === 'subgroup' ? 1 : 0;
    const [x, y] = alongX ? [lanes, lines] : [lines, lanes];
    const consts = { WG_X: x, WG_Y: y, LANES: lanes, LINES: lines, K_ALONG_X: alongX };
    return candidate(gemvKernel, [part(reducer, port)], consts, `${lanes}_${port}`, [
      Math.ceil(Math.ceil(g.n / 4) / lines),
      g.m,
      g.batches,
    ]);
  };
  const serial = gemv(1, 'serial');
  const shared = gemv(g.layout === 'nk' ? 32 : 8, 'workgroup');
  const subgroup = caps.subgroups && g.layout === 'nk' ? [gemv(64, 'subgroup')] : [];
  const few = g.m <= (caps.software ? 3 : 8);
  if (caps.software)
    return few
      ? [serial, ...byRegisters, shared, ...subgroup, tiled]
      : [...byRegisters, serial, shared, ...subgroup, tiled];
  if (few) return [shared, ...subgroup, serial, tiled, ...byRegisters];
  return [...(g.m < 32 ? [...byRegisters, tiled] : [tiled, ...byRegisters]), shared, ...subgroup, serial];
}
