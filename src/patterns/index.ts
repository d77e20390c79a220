import { type Graph, rewrite } from '../graph/ir.ts';
import { functions } from './functions.ts';

/**
 * Others write in 3 to 20 ops what is one here. The function that is returned gives a graph that computes the same in
 * those. Its error: `OpNotLoaded` where the group of an op is missing. Attention and normalisations are looked for where
 * a graph has more than a few: in one of convolutions they save less than their kernels are to load.
 */
export async function recogniser(softmaxes: number, convolutions: number): Promise<(graph: Graph) => Graph> {
  const many = softmaxes > 3 || softmaxes >= convolutions;
  const sequences = many ? (await import('./sequences.ts')).sequences : [];
  return (graph) => {
    const patterns = [functions(), ...sequences];
    return rewrite(graph, (node, uses) => {
      for (const pattern of patterns) {
        const found = pattern(node, uses);
        if (found) return found;
      }
      return node;
    });
  };
}
