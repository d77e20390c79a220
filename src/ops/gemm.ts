import registersKernel from '../../shaders/gemm_registers.wgsl';
import gemvKernel from '../../shaders/gemv.wgsl';
import elem from '../../shaders/lib/elem.wgsl';
import operandA from '../../shaders/lib/operand_a.wgsl';
import reducer from '../../shaders/lib/reducer.wgsl';
import window from '../../shaders/lib/window.wgsl';
import type { Caps } from '../gpu/gpu.ts';
import { f32, type ParamValues, part, u32, type WgslFile, type WgslModule } from '../gpu/wgsl.ts';
import type { DataType } from '../tensor/types.ts';
import { type Candidate, ELEM } from './define.ts';
import { type Epilogue, epilogueName, epiloguePorts } from './epilogue.ts';
import { type Weights, type WeightUnit, weightPorts, weightTags } from './weights.ts';

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
  readonly weights: Weights;
  readonly layout: 'kn' | 'nk';
  /** The one row of A is normalised by its root mean square, to whose square this is added. */
  readonly epsilon?: number | undefined;
  /** The activation of the first half of the columns of the one row of C is a factor of the second. */
  readonly gated?: boolean | undefined;
  /** The geometry of a convolution; absent for a plain matrix. */
  readonly window?: ParamValues;
  /** What differs where both operands are int8 (ops/integer.ts). */
  readonly integer?: IntegerModules;
}

/** The modules of an integer product that stand for those of floats. */
export interface IntegerModules {
  readonly tags: readonly string[];
  /** Operands and products with them; `unit` is how both operands can be read, `output` how the output is written. */
  operands(unit: string, output: 'vec4' | 'ragged'): WgslModule;
  /** How sums leave. */
  epilogue(output: 'vec4' | 'ragged'): { ports: WgslModule[]; constants: Readonly<Record<string, string>> };
  readonly reducer: WgslFile;
}

/** What an invocation computes. */
export interface Tile {
  readonly rows: number;
  readonly columns: number;
}

/** A tile of gemm_registers; in subgroups invocations read A for one another. */
interface RegisterTile extends Tile {
  readonly family: 'registers' | 'subgroups';
}

/**
 * Register tiles with the speed that each reached on matmul 512 (f32, relative to the best of its class, 2026-11-22):
 * on SwiftShader in Chrome 156, on llvmpipe 25 under Dawn; and with int8 by int8, on both. 0 is for what takes long to
 * compile there and wins nothing.
 */
const REGISTER_TILES: readonly (RegisterTile & {
  readonly swiftshader: number;
  readonly llvmpipe: number;
  readonly integer: number;
})[] = [
  { family: 'subgroups', rows: 16, columns: 16, swiftshader: 1, llvmpipe: 0.73, integer: 0 },
  { family: 'subgroups', rows: 8, columns: 8, swiftshader: 0.72, llvmpipe: 1, integer: 0.9 },
  { family: 'subgroups', rows: 8, columns: 4, swiftshader: 0.87, llvmpipe: 0.87, integer: 1 },
  { family: 'subgroups', rows: 16, columns: 4, swiftshader: 0.6, llvmpipe: 1.4, integer: 0 },
  { family: 'registers', rows: 16, columns: 16, swiftshader: 0.84, llvmpipe: 0, integer: 0 },
  { family: 'registers', rows: 8, columns: 16, swiftshader: 0.72, llvmpipe: 0.43, integer: 0 },
  { family: 'registers', rows: 8, columns: 8, swiftshader: 0.6, llvmpipe: 0.37, integer: 0.7 },
  { family: 'registers', rows: 4, columns: 8, swiftshader: 0.61, llvmpipe: 0.55, integer: 0.65 },
  { family: 'registers', rows: 4, columns: 4, swiftshader: 0.62, llvmpipe: 0.42, integer: 0.6 },
];

/** Invocations that a software adapter needs to keep its cores busy. */
const BUSY = 32;

/**
 * FLOP and weights up to which a software adapter takes one tile for any number of rows, of at most so many outputs: the
 * best of all saves 0.1 ms there, and every other one a second of compiling, as when a text has another width.
 */
const SMALL = { flops: 2 ** 23, weights: 2 ** 16, outputs: 64 };

/** Invocations of a workgroup in subgroups: one, which has four at the least. */
const lanesOf = ({ minSubgroupSize }: Caps): number => Math.min(16, minSubgroupSize);

/**
 * Register tiles of which not more than half would idle, the fastest first: by what it reaches, less what overhangs or
 * idles.
 */
function registerTiles({ m, n, k, taps, batches, integer, window }: Gemm, caps: Caps): RegisterTile[] {
  const small = caps.software && taps === 1 && n * k <= SMALL.weights && 2 * m * n * k * batches <= SMALL.flops;
  const widthOf = ({ family, columns }: RegisterTile): number =>
    family === 'subgroups' ? columns * lanesOf(caps) : columns;
  const score = (tile: (typeof REGISTER_TILES)[number]): number => {
    const width = widthOf(tile);
    const tiles = Math.ceil(m / tile.rows) * Math.ceil(n / width);
    const useful = (m * n) / (tiles * tile.rows * width);
    const busy = Math.min(1, (tiles * (width / tile.columns) * batches) / BUSY);
    const speed = integer ? tile.integer : caps.longKernels ? tile.swiftshader : tile.llvmpipe;
    if (small && tile.rows * tile.columns <= SMALL.outputs) return (speed * n) / (Math.ceil(n / width) * width);
    if (small) return (speed * useful) / 1000; // behind those
    return speed * useful * (caps.software ? busy : 1);
  };
  const fits = (tile: RegisterTile): boolean => {
    if (tile.family === 'subgroups' && !(caps.software && lanesOf(caps) >= 4)) return false;
    // A GPU's registers hold no more than the least, and of a convolution not that.
    if (!caps.software && (tile.rows * tile.columns > 16 || window)) return false;
    return (tile.rows === 4 || 2 * m > tile.rows) && (tile.columns === 4 || 2 * n > widthOf(tile));
  };
  return REGISTER_TILES.filter((tile) => fits(tile) && score(tile) > 0).sort((a, b) => score(b) - score(a));
}

/** A form of a kernel with tiles in workgroup memory: how it is linked, and what it computes in a workgroup. */
export interface TiledForm {
  readonly kernel: WgslModule;
  readonly constants: Readonly<Record<string, number>>;
  /** Of the label. */
  readonly name: string;
  /** Rows and columns of a workgroup. */
  readonly size: readonly [rows: number, columns: number];
  readonly experimental?: string;
}

/** Forms for a product here, best guess first (gemm_tiled.ts, gemm_matrix.ts). */
export type TiledForms = (g: Gemm, caps: Caps) => readonly TiledForm[];

const tiledForms = new Set<TiledForms>();

/** Adds tiles in workgroup memory, which only GPUs need. */
export function addTiles(forms: TiledForms): void {
  tiledForms.add(forms);
}

/**
 * `lanes` invocations share columns of a row (four, or sixteen of [K,N] where B is read wide), a workgroup has `lines`
 * such groups.
 */
interface GemvForm {
  readonly lanes: number;
  readonly lines: number;
  readonly port: 'serial' | 'workgroup' | 'subgroup';
  readonly wide?: true;
}

/** Rows beyond which a matrix-vector product a row is out of the question. */
const MOST_ROWS = 16;

/** Elements of B that a CPU's caches do not hold: sixteen at a time, a row of float32 is read by whole lines of the cache. */
const UNCACHED = 2 ** 23;

/** Whether B can be read sixteen elements at a time: small weights, and dense ones but for [N,K] on a software adapter. */
const readsWide = ({ weights, layout, n, k, ldb, bBatch, integer }: Gemm, { software }: Caps): boolean =>
  (weights.kind.startsWith('q') || (weights.kind === 'dense' && !integer && !(software && layout === 'nk'))) &&
  [layout === 'kn' ? n : k, ldb, bBatch, weights.group].every((length) => length % 16 === 0) &&
  k % 4 === 0;

/**
 * Elements along which neighbours read B, sixteen each, from which a GPU is busy with that: of [K,N] 64 workgroups, of
 * [N,K] four turns of a line.
 */
const LONG = { kn: 4096, nk: 2048 } as const;

/**
 * Forms of the matrix-vector product. Software adapters have no use for a barrier, and small workgroups keep all their
 * cores busy with a narrow product; a GPU hides the way to memory behind many invocations.
 */
function gemvForms(g: Gemm, caps: Caps): GemvForm[] {
  const { software, subgroups, manyRegisters } = caps;
  const { layout, n, k, weights } = g;
  const serial: GemvForm = { lanes: 1, lines: software ? 16 : 64, port: 'serial' };
  const subgroup: GemvForm[] = subgroups && layout === 'nk' ? [{ lanes: 64, lines: 1, port: 'subgroup' }] : [];
  const shared = (lanes: number, lines: number): GemvForm => ({ lanes, lines, port: 'workgroup' });
  const wide = (form: GemvForm): GemvForm[] => (readsWide(g, caps) ? [{ ...form, wide: true }] : []);
  if (software) {
    const inWide = wide({ ...serial, lines: layout === 'kn' ? 8 : 16 });
    const busy = weights.kind === 'dense' ? n * k > UNCACHED : layout === 'nk' || n / 16 >= BUSY;
    return [...(busy ? inWide : []), serial, ...(busy ? [] : inWide), shared(8, 2), ...wide(shared(8, 2)), ...subgroup];
  }
  const columns = layout === 'kn' ? 4 : 8;
  // Both strips of a gated product, or sums beside those of a group, are more than Intel's registers hold.
  const fits = manyRegisters || (layout === 'nk' ? !g.gated : !weights.group);
  const inWide = fits ? wide(shared(32, columns)) : [];
  const [first, second] =
    (layout === 'nk' ? k : n) < LONG[layout] ? [[shared(32, 8)], inWide] : [inWide, [shared(32, 8)]];
  return [...first, ...second, shared(16, 16), shared(32, 2), ...subgroup, serial];
}

/** What differs from most candidates. */
interface CandidateOptions {
  /** How B is read. */
  readonly unit?: WeightUnit;
  readonly more?: readonly WgslModule[];
  /** Parts of operand_a that are this family's alone. */
  readonly row?: readonly string[];
  /** Of the label; the kernel's name where absent. */
  readonly family?: string;
}

/** Rows of [K,N] that a wide step adds up before it comes to the scales, where they are not in groups. */
const WIDE_STEP = 64;

/** Elements that are read or written at a time. */
const UNITS: Record<WeightUnit, number> = { ragged: 1, vec4: 4, wide: 16 };

/**
 * Kernels that compute this product here, best guess first. `bind` names a, b, scales, bias, residual by the op's
 * inputs.
 */
export function gemmCandidates(g: Gemm, caps: Caps, bind: Readonly<Record<string, string>>): Candidate[] {
  const { integer, epsilon, gated } = g;
  const normed = epsilon !== undefined;
  const { group } = g.weights;
  const whole = (by: number, ...lengths: number[]): boolean => lengths.every((length) => length % by === 0);
  const quad = integer ? 16 : 4; // elements that are read at once where all lengths allow
  const aWhole = whole(quad, g.k, g.lda, g.aBatch);
  const bWhole = whole(quad, g.layout === 'kn' ? g.n : g.k, g.ldb, g.bBatch);
  const both = aWhole && bWhole;
  const bUnit = bWhole ? 'vec4' : 'ragged';
  const outUnit = whole(4, g.n, g.ldc, g.cBatch, g.columnBatch) ? 'vec4' : 'ragged';
  const a = (integer ? both : aWhole) ? quad : 1;
  const c = UNITS[outUnit];
  const name = ELEM[g.dataType]!;
  const { ports, constants } = integer
    ? integer.epilogue(outUnit)
    : epiloguePorts(g, g.weights, outUnit, gated ? 'gated' : 'product');
  const tags = [
    ...(integer?.tags ?? [name, ...weightTags(g.weights), ...(g.layout === 'nk' ? ['nk'] : [])]),
    ...(a === 1 || !bWhole || c === 1 ? ['ragged'] : []),
    ...(normed ? ['normed'] : []),
    epilogueName(g),
  ];
  const groups = !group ? 'whole' : g.layout === 'nk' ? 'nk_groups' : g.n % 4 ? 'kn_groups_ragged' : 'kn_groups';
  const rows = g.window ? 'conv2d' : 'dense';
  const aUnit = integer ? [] : [`${aWhole ? 'vec4' : 'ragged'}${normed ? '_normed' : ''}`];
  const operands = (unit: WeightUnit, row: readonly string[]): WgslModule[] => [
    part(operandA, ...aUnit, 'product', rows, ...row),
    ...(g.window ? [window] : []),
    ...(integer
      ? [integer.operands(both ? 'vec4' : 'ragged', outUnit)]
      : weightPorts(g.weights, unit, caps, g.layout, groups)),
  ];
  const candidate = (
    kernel: WgslModule,
    consts: Record<string, number>,
    tile: string,
    grid: Candidate['grid'],
    { unit = bUnit, more = [], row = [], family = kernel.name.replace('gemm_', '') }: CandidateOptions = {},
  ): Candidate => {
    const b = integer ? a : UNITS[unit];
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
    return {
      label: `${g.op}_${family}[${[...tags, tile].join()}]`,
      variant: {
        kernel,
        ports: [...more, ...operands(unit, row), ...ports, part(elem, name)],
        constants: {
          ...Object.fromEntries(Object.entries(consts).map(([key, value]) => [key, u32(value)])),
          ...(group && { GROUP: u32(group) }),
          ...(normed && { EPSILON: f32(epsilon) }),
          ...constants,
        },
      },
      params,
      grid,
      bind,
    };
  };
  const inTiles = (rows: number, columns: number): Candidate['grid'] => [
    Math.ceil(g.n / columns),
    Math.ceil(g.m / rows),
    g.batches,
  ];
  const registers = ({ family, rows, columns }: RegisterTile): Candidate => {
    const kernel = part(registersKernel, family === 'subgroups' ? family : 'alone', `rows${rows}`, `columns${columns}`);
    if (family === 'subgroups') {
      const lanes = lanesOf(caps);
      const wide = inTiles(rows, columns * lanes);
      return candidate(kernel, { LANES: lanes, SHARED: lanes % 8 ? 4 : 8 }, `${rows}x${columns}`, wide, { family });
    }
    // Workgroups as wide as the output is: idle lanes are the price of a narrow one.
    const lanes = rows * columns > 64 ? 16 : 32;
    const wide = Math.max(1, Math.min(8, 2 ** Math.ceil(Math.log2(g.n / columns))));
    const high = lanes / wide;
    const grid = inTiles(rows * high, columns * wide);
    return candidate(kernel, { WG_X: wide, WG_Y: high }, `${rows}x${columns}`, grid);
  };
  const tiled = ({ kernel, constants, name, size, experimental }: TiledForm): Candidate => ({
    ...candidate(kernel, constants, name, inTiles(...size)),
    ...(experimental && { experimental }),
  });
  const gemv = ({ lanes, lines, port, wide }: GemvForm): Candidate => {
    const alongX = g.layout === 'nk' || port === 'subgroup' ? 1 : 0;
    const [x, y] = alongX ? [lanes, lines] : [lines, lanes];
    const rows = wide && g.layout === 'kn'; // of B, 16 columns of each
    const direct = rows && !caps.software && !group;
    const step = rows && !direct && { STEP: group || WIDE_STEP };
    const consts = { WG_X: x, WG_Y: y, LANES: lanes, LINES: lines, K_ALONG_X: alongX, ...step };
    const strips = g.n / (rows ? 16 : 4) / (gated ? 2 : 1);
    const grid: Candidate['grid'] = [Math.ceil(strips / lines), g.m, g.batches];
    const deep =
      !caps.software && !integer && g.layout === 'kn' && groups !== 'kn_groups_ragged' && whole(16, g.k) && aWhole;
    const form = direct ? 'kn_rows' : wide ? `${g.layout}_wide` : deep ? 'kn_deep' : 'block';
    const tile = `${lanes}x${lines}_${port}${wide ? '_wide' : ''}`;
    return candidate(part(gemvKernel, gated ? 'gated' : 'single', form), consts, tile, grid, {
      family: gated ? 'gemv_gated' : 'gemv',
      more: [part(integer?.reducer ?? reducer, port)],
      unit: wide ? 'wide' : bUnit,
      row: [normed ? 'rms' : 'as_is'],
    });
  };
  if (normed || gated) return gemvForms(g, caps).map(gemv);

  const byRegisters = registerTiles(g, caps).map(registers);
  const inMemory = [...tiledForms].flatMap((forms) => forms(g, caps).map(tiled));
  const byMatrices = inMemory.filter(({ experimental }) => experimental);
  const byTiles = inMemory.filter(({ experimental }) => !experimental);
  const others = caps.software || g.m < 32 ? [...byRegisters, ...byTiles] : [...byTiles, ...byRegisters];
  const bySize = [...byMatrices, ...others];
  if (g.window || g.m > MOST_ROWS) return bySize;

  const forms = gemvForms(g, caps).map(gemv);
  const few = g.m <= (caps.software ? 3 : 8);
  if (!few) return [...bySize, ...forms];
  return caps.software ? [forms[0]!, ...bySize, ...forms.slice(1)] : [...forms, ...bySize];
}
