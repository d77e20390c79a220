import type { Cost } from '../ops/define.ts';
import { loadingOps } from './groups/index.ts';
import { type Graph, isLeaf, type Operand, opOf, topological } from './ir.ts';
import { decompose } from './passes/decompose.ts';

/** What a graph asks for, however kernels compute it; a multiply-accumulate is two floating-point operations. */
export interface Work {
  readonly macs: number;
  readonly flops: number;
}

/**
 * What the nodes of a graph cost by their definitions: padding of layouts and forms with less arithmetic are none of it.
 * Ops without a cost that are other ops have that of those, under the same label.
 */
export async function costsOf(graph: Graph): Promise<(readonly [node: Operand, cost: Cost])[]> {
  const parts = await loadingOps(() => decompose(graph));
  return topological(parts).flatMap((node) => {
    const cost = isLeaf(node) || node.constant ? undefined : opOf(node).cost?.(node.inputs, node.options, node);
    return cost ? [[node, cost] as const] : [];
  });
}

/** The work of a graph. */
export async function workOf(graph: Graph): Promise<Work> {
  const costs = await costsOf(graph);
  return costs.reduce((sum, [, { macs, flops }]) => ({ macs: sum.macs + macs, flops: sum.flops + flops }), {
    macs: 0,
    flops: 0,
  });
}
