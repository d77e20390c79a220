import { type Graph, rewrite } from '../graph/ir.ts';
import { attended } from './attention.ts';
import { functions } from './functions.ts';
import { learned, normalized } from './normalization.ts';

/**
 * Others write in 3 to 20 ops what is one here. Returns a graph that computes the same in those. Error: `OpNotLoaded`
 * where the group of an op is missing.
 */
export function recognise(graph: Graph): Graph {
  const patterns = [functions(), normalized, learned, attended];
  return rewrite(graph, (node, uses) => {
    for (const pattern of patterns) {
      const found = pattern(node, uses);
      if (found) return found;
    }
    return node;
  });
}
