import { addTiles, type TiledForms } from '../../ops/gemm.ts';
import { addOps, type GroupModule, OpNotLoaded } from '../../ops/index.ts';
import { type LateKernels, lateKernels } from '../../ops/late_kernels.ts';
import { addPasses, type Passes } from '../passes/index.ts';

/** What a group has beside its ops. */
interface Beside {
  readonly passes?: Passes;
  readonly tiles?: TiledForms;
  readonly kernels?: Partial<LateKernels>;
}
type Group = Beside & GroupModule;

/** Groups: ops that load before a graph has them, with the passes that know them. */
const GROUPS = {
  blocks: () => import('../../ops/groups/blocks.ts'),
  cumulative: () => import('../../ops/groups/cumulative.ts'),
  decoder: () => import('./decoder.ts'),
  depthwise: () => import('./depthwise.ts'),
  image: () => import('./image.ts'),
  join: () => import('../../ops/groups/join.ts'),
  logic: () => import('../../ops/groups/logic.ts'),
  math: () => import('../../ops/groups/math.ts'),
  matrices: () => import('./matrices.ts'),
  movement: () => import('./movement.ts'),
  numbers: () => import('./numbers.ts'),
  normalization: () => import('../../ops/groups/normalization.ts'),
  recurrent: () => import('./recurrent.ts'),
  points: () => import('../../ops/groups/points.ts'),
  pooling: () => import('./pooling.ts'),
  reduce: () => import('../../ops/groups/reduce.ts'),
  rotary: () => import('../../ops/groups/rotary.ts'),
  sampling: () => import('../../ops/groups/sampling.ts'),
  select: () => import('../../ops/groups/select.ts'),
  software: () => import('./software.ts'),
  tiles: () => import('./tiles.ts'),
  text: () => import('../../ops/groups/text.ts'),
  trigonometry: () => import('../../ops/groups/trigonometry.ts'),
  upsampling: () => import('./upsampling.ts'),
  volumes: () => import('./volumes.ts'),
  winograd: () => import('./winograd.ts'),
  quantized: () => import('./quantized.ts'),
} satisfies Record<string, () => Promise<Group>>;

/** A group of ops, which load together: `engine.loadOps`. */
export type GroupName = keyof typeof GROUPS;
/** The definitions of a group, and tables of them. */
export type GroupOps<Name extends GroupName> = Omit<Awaited<ReturnType<(typeof GROUPS)[Name]>>, keyof Beside>;
export const GROUP_NAMES = Object.keys(GROUPS) as readonly GroupName[];

/** Loads groups of ops; all where no list is given. Graphs can have their ops from then on. */
export async function loadOps(names: readonly GroupName[] = GROUP_NAMES): Promise<void> {
  const groups: Group[] = await Promise.all(names.map((name) => GROUPS[name]()));
  for (const { passes, tiles, kernels, ...ops } of groups) {
    addOps(ops);
    if (passes) addPasses(passes);
    if (tiles) addTiles(tiles);
    Object.assign(lateKernels, kernels);
  }
}

/** Does work. Where it needs an op of a group that is not loaded, loads the group and does the work again. */
export async function loadingOps<T>(work: () => T | Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof OpNotLoaded)) throw error;
      await loadOps([error.group as GroupName]);
    }
  }
}
