import { opNamed } from '../../ops/index.ts';
import {
  type Graph,
  isLeaf,
  nodeOf,
  type Operand,
  ordered,
  type Replacement,
  rebuild,
  rewrite,
  rewriter,
} from '../ir.ts';

/** Ops that are other ops become those, as often as it takes. */
export const decompose = (graph: Graph): Graph => rewrite(graph, expanded);

function expanded(node: Operand): Replacement {
  if (isLeaf(node)) return node;
  const made = opNamed(node.op).decompose?.(node.inputs, node.options, rewriter(node.label));
  if (!made) return node;
  // What a decomposition built may itself decompose; the operands it was given are done.
  const parts = [made].flat();
  const given = new Set(Object.values(node.inputs).map(nodeOf));
  const fresh = ordered(parts, (part) => (given.has(part) ? [] : Object.values(part.inputs)));
  const done = rebuild(
    fresh.filter((part) => !given.has(part)),
    expanded,
  );
  return parts.map((part) => done.get(part) ?? part);
}
