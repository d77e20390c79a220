import { type Graph, rewrite } from '../graph/ir.ts';
import { functions } from './functions.ts';

/** `masks`: whether the numbers of a mask are read. They are those of one length; a graph for all lengths has others. */
export type Recognise = (graph: Graph, masks?: boolean) => Graph;

/**
 * Others write in 3 to 20 ops what is one here. `ops`: names of all nodes, WebNN's or ONNX's. The function that is
 * returned gives a graph that computes the same in those. Its error: `OpNotLoaded` where the group of an op is missing. Attention and normalisations are looked for where
 * a graph has more than a few: in one of convolutions they save less than their kernels are to load.
 */
export async function recogniser(ops: readonly string[]): Promise<Recognise> {
  const count = (name: RegExp): number => ops.filter((op) => name.test(op)).length;
  const softmaxes = count(/^softmax/i);
  const many = softmaxes > 3 || softmaxes >= count(/^conv/i);
  const sequences = many ? (await import('./sequences.ts')).sequences : () => [];
  return (graph, masks = true) => {
    const patterns = [functions(), ...sequences(masks)];
    return rewrite(graph, (node, uses) => {
      for (const pattern of patterns) {
        const found = pattern(node, uses);
        if (found) return found;
      }
      return node;
    });
  };
}
