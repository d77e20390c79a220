import { addOps, type GroupModule } from '../../ops/index.ts';
import { addPasses, type Passes } from '../passes/index.ts';

interface Group {
  readonly ops: GroupModule;
  readonly passes: Passes;
}

/** Ops that load when a graph is to have them, with the passes that know them. */
const GROUPS = {
  image: () => import('./image.ts'),
  text: () => import('./text.ts'),
  quantized: () => import('./quantized.ts'),
} satisfies Record<string, () => Promise<Group>>;

export type GroupName = keyof typeof GROUPS;
export const GROUP_NAMES = Object.keys(GROUPS) as readonly GroupName[];

/** Loads groups of ops, all where none is named. A graph can have their ops from then on. */
export async function loadOps(...names: readonly GroupName[]): Promise<void> {
  const wanted = names.length ? names : GROUP_NAMES;
  for (const { ops, passes } of await Promise.all(wanted.map((name) => GROUPS[name]()))) {
    addOps(ops);
    addPasses(passes);
  }
}
