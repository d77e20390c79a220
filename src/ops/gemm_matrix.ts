import kernel from '../../shaders/gemm_matrix.wgsl';
import type { Caps } from '../gpu/gpu.ts';
import { part } from '../gpu/wgsl.ts';
import type { Gemm, TiledForm } from './gemm.ts';
import { byGuess } from './gemm_tiled.ts';

/** A workgroup's tile of C, cut into blocks of which a subgroup has one. */
interface MatrixTile {
  /** Rows, and columns, of a block. */
  readonly block: number;
  /** Blocks below and beside one another. */
  readonly high: number;
  readonly wide: number;
  /** Bytes of a row of A, or of a column of B, that pass through workgroup memory at a time. */
  readonly bytes: number;
}

/** Tiles that AMD's compiler makes good code of (docs/performance.md), the largest first. */
const TILES: readonly MatrixTile[] = [
  { block: 64, high: 2, wide: 2, bytes: 64 },
  { block: 32, high: 2, wide: 2, bytes: 128 },
  { block: 32, high: 1, wide: 2, bytes: 128 },
];

/** Bytes of a vec4u. */
const UNIT = 16;

/** Rows, or columns, that lie together in workgroup memory. */
const SIDE = 16;

/** Rows of the smallest product that is worth it. */
const LEAST_ROWS = 16;

/**
 * Forms of gemm_matrix for a product here. None where the operands are not float16 or int8 in memory, or where most of
 * a tile would idle.
 */
export function matrixForms(g: Gemm, caps: Caps): TiledForm[] {
  const { op, m, n, k, batches, integer, dataType, weights, layout } = g;
  const component = integer ? 'i8' : 'f16';
  const matrix = caps.subgroupMatrices.find(
    (one) => one.component === component && [one.m, one.n].every((side) => SIDE % side === 0),
  );
  if (!matrix || m < LEAST_ROWS || (!integer && (dataType !== 'float16' || weights.kind !== 'dense'))) return [];
  const step = integer ? UNIT : UNIT / 2; // elements of a vec4u
  const sizes = TILES.map(({ block, high, wide, bytes }) => {
    const lanes = high * wide * matrix.lanes;
    return { block, high, wide, height: block * high, width: block * wide, lanes, steps: bytes / UNIT };
  });
  const whole = (by: number, ...counts: number[]): boolean => counts.every((count) => count % by === 0);
  // Invocations have equal shares of the tiles and of the sums, and rounds are whole matrices.
  const able = sizes.filter(
    ({ block, height, width, lanes, steps }) =>
      lanes <= caps.maxInvocations &&
      UNIT * (steps + 1) * (height + width) <= caps.maxWorkgroupStorageBytes &&
      whole(matrix.k, steps * step) &&
      whole(matrix.lanes, matrix.m * (block / 4)) &&
      whole(lanes, steps * height, steps * width),
  );
  const legal = able.filter(
    ({ height, width, steps }, i) =>
      2 * k >= steps * step && ((2 * m > height && 2 * n > width) || i === able.length - 1),
  );
  const groups = ({ height, width }: (typeof sizes)[number]): number =>
    Math.ceil(m / height) * Math.ceil(n / width) * batches;
  return byGuess(legal, groups).map(({ block, high, wide, height, width, lanes, steps }) => ({
    kernel: part(kernel, component, layout),
    constants: {
      LANES: lanes,
      MATRIX_M: matrix.m,
      MATRIX_N: matrix.n,
      MATRIX_K: matrix.k,
      ROWS: block / matrix.m,
      COLUMNS: block / matrix.n,
      BLOCKS_X: wide,
      BLOCKS_Y: high,
      STEPS: steps,
    },
    name: `${height}x${width}`,
    size: [height, width],
    experimental: `${op}_matrix[${component}]`,
  }));
}
