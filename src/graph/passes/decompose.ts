import {
  type Graph,
  nodeOf,
  type Operand,
  opOf,
  ordered,
  type Replacement,
  rebuild,
  rewrite,
  rewriter,
} from '../ir.ts';

/** Replaces ops by their decompositions, and those by theirs. */
export const decompose = (graph: Graph): Graph => rewrite(graph, expanded);

function expanded(node: Operand): Replacement {
  const made = opOf(node).decompose?.(node.inputs, node.options, rewriter(node.label));
  if (!made) return node;
  // New nodes may decompose as well. The operands that were given are done already.
  const parts = [made].flat();
  const given = new Set(Object.values(node.inputs).map(nodeOf));
  const fresh = ordered(parts, (part) => (given.has(part) ? [] : Object.values(part.inputs)));
  const done = rebuild(
    fresh.filter((part) => !given.has(part)),
    expanded,
  );
  return parts.map((part) => done.get(part) ?? part);
}
