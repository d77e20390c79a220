import { TilewrightError } from '../errors.ts';
import type { Op } from './define.ts';
import { core } from './groups/core.ts';
import { GROUPED } from './groups/names.ts';

const table = new Map<string, Op>();

/** Every op that is loaded. */
export const OPS: ReadonlyMap<string, Op> = table;

/** The exports of a group: definitions, or tables of them. */
export type GroupModule = Readonly<Record<string, object>>;

const isDefinition = (value: object): value is Op => 'infer' in value;

/** Adds the ops of a group (ops/groups). */
export function addOps(group: GroupModule): void {
  for (const found of Object.values(group).flatMap((value) => (isDefinition(value) ? value : Object.values(value))))
    table.set((found as Op).name, found as Op);
}

addOps(core);

/** An op whose group is not loaded. */
export class OpNotLoaded extends TilewrightError {
  constructor(
    op: string,
    readonly group: string,
  ) {
    super('invalid-graph', `the op '${op}' is in the group '${group}', which is not loaded`, {
      hint: `Call \`await engine.loadOps('${group}')\` before the graph is built.`,
    });
  }
}

/** Error: `invalid-graph` for an unknown op, or one whose group is not loaded. */
export function opNamed(name: string): Op {
  const op = OPS.get(name);
  if (op) return op;
  const group = Object.keys(GROUPED).find((group) => GROUPED[group]!.split(' ').includes(name));
  throw group ? new OpNotLoaded(name, group) : new TilewrightError('invalid-graph', `there is no op '${name}'`);
}
