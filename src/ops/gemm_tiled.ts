import kernel from '../../shaders/gemm_tiled.wgsl';
import type { Caps } from '../gpu/gpu.ts';
import { part } from '../gpu/wgsl.ts';
import type { Gemm, Tile, TiledForm } from './gemm.ts';

/** An invocation's tile, and how many invocations a workgroup has beside and below one another. */
interface WorkgroupTile extends Tile {
  readonly wide: number;
  readonly high: number;
  /** Elements along K that pass through workgroup memory at a time. */
  readonly depth: number;
  /** Parts of the workgroup that share K. */
  readonly split: number;
  /** Only for GPUs with many registers, or only for others (Caps); for all where absent. */
  readonly manyRegisters?: boolean;
  /** Rows of an output that it is for, at the most. */
  readonly mostRows?: number;
}

/** Tiles that Intel's and AMD's compilers make good code of (docs/performance.md), the largest first. */
const WORKGROUP_TILES: readonly WorkgroupTile[] = [
  { rows: 8, columns: 8, wide: 16, high: 16, depth: 16, split: 1, manyRegisters: true },
  { rows: 8, columns: 4, wide: 16, high: 8, depth: 32, split: 1 },
  { rows: 8, columns: 4, wide: 16, high: 4, depth: 32, split: 1, manyRegisters: false },
  { rows: 8, columns: 4, wide: 8, high: 4, depth: 32, split: 1, manyRegisters: true },
  { rows: 8, columns: 4, wide: 16, high: 2, depth: 32, split: 1, manyRegisters: false, mostRows: 64 },
];

/** Workgroups that a large GPU needs: it has more than a hundred cores. */
const FULL = 192;

/** Length of the sums from which parts of a workgroup are worth adding up. */
const DEEP = 256;

/**
 * Workgroup tiles of which not more than half would idle: the largest that still fills a GPU first, then smaller, then
 * larger ones; where none fills it and K is long, first of all the smallest with K split.
 */
function workgroupTiles({ m, n, k, taps, batches }: Gemm, caps: Caps): WorkgroupTile[] {
  const known = WORKGROUP_TILES.filter(
    ({ manyRegisters, mostRows = m }) =>
      m <= mostRows && (caps.software || (manyRegisters ?? caps.manyRegisters) === caps.manyRegisters),
  );
  const holds = ({ rows, columns, wide, high, depth, split }: WorkgroupTile): boolean =>
    4 * depth * split * (rows * high + columns * wide) <= caps.maxWorkgroupStorageBytes;
  const legal = known.filter((tile, i) => {
    const { rows, columns, wide, high } = tile;
    const fits = 2 * m > rows * high && 2 * n > columns * wide && holds(tile);
    return fits || i === known.length - 1;
  });
  const groups = ({ rows, columns, wide, high }: WorkgroupTile): number =>
    Math.ceil(m / (rows * high)) * Math.ceil(n / (columns * wide)) * batches;
  // Parts have tiles of their own: they are not as deep, compilers unroll them, and Intel's then spills.
  const deep = !legal.some((tile) => groups(tile) >= FULL) && k * taps >= DEEP && caps.manyRegisters;
  const split = deep ? [{ ...legal.at(-1)!, depth: 16, split: 4 }].filter(holds) : [];
  return [...split, ...byGuess(legal, groups)];
}

/** Tiles, the largest first, as they are tried: the largest that still fills a GPU first, then smaller, then larger ones. */
export function byGuess<Tile>(tiles: readonly Tile[], groups: (tile: Tile) => number): Tile[] {
  const fills = tiles.findIndex((tile) => groups(tile) >= FULL);
  const from = fills < 0 ? tiles.length - 1 : fills;
  return [...tiles.slice(from), ...tiles.slice(0, from).reverse()];
}

/** For an image that is read number by number, on GPUs of few registers: Intel's compiler spills 4 in larger tiles. */
const SMALL: WorkgroupTile = { rows: 4, columns: 4, wide: 16, high: 8, depth: 32, split: 1 };

const readsSingly = ({ window, k, lda, aBatch }: Gemm): boolean =>
  window !== undefined && [k, lda, aBatch].some((length) => length % 4 > 0);

/** Forms for a product here, best guess first. */
export const tiledForms = (g: Gemm, caps: Caps): TiledForm[] =>
  (caps.manyRegisters || !readsSingly(g) ? workgroupTiles(g, caps) : [SMALL]).map(
    ({ rows, columns, wide, high, depth, split }) => {
      const [height, width] = [rows * high, columns * wide];
      return {
        kernel: part(kernel, g.layout),
        constants: { WG_X: wide, WG_Y: high, ROWS: rows, COLUMN_BLOCKS: columns / 4, K4: depth / 4, SPLIT: split },
        name: `${height}x${width}${split > 1 ? `_split${split}` : ''}`,
        size: [height, width],
      };
    },
  );
