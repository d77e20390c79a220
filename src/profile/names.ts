import { type Graph, isLeaf, nodeOf, type Operand, topological } from '../graph/ir.ts';

/** What a plan's steps tell of the nodes that they compute. */
interface ComputedNode {
  readonly node: Operand;
}

interface ReadingStep extends ComputedNode {
  readonly reads: Readonly<Record<string, Operand>>;
}

/**
 * The label of each step. A step without one, which brings an input into the layout of a kernel, has that of the first step
 * that reads what it writes.
 */
export function labelsOf(steps: readonly ReadingStep[]): (string | undefined)[] {
  const wanted = new Map<Operand, string>();
  return steps
    .toReversed()
    .map(({ node, reads }) => {
      const label = node.label ?? node.results.map((result) => wanted.get(result)).find(Boolean);
      if (label !== undefined) for (const operand of Object.values(reads)) wanted.set(operand, label);
      return label;
    })
    .reverse();
}

/** The parts of a label: between slashes where it has some, else between dots. */
export const partsOf = (label: string): string[] => label.split(label.includes('/') ? '/' : '.').filter(Boolean);

/** A label as it is told apart from another of the same layer: `bn1` beside `layer1.0.conv1`. */
function shortened(label: string, beside: string): string {
  const [parts, others] = [partsOf(label), partsOf(beside)];
  let common = parts.findIndex((part, i) => part !== others[i]);
  // A number alone says nothing: `downsample.1`.
  while (common > 0 && /^\d*$/.test(parts.slice(common).join(''))) common--;
  return common < 0 ? label : parts.slice(common).join(label.includes('/') ? '/' : '.');
}

/** Ops that only bring elements into another order or shape: no layer is named after them. */
const isMoving = ({ op }: Operand): boolean => op === 'reshape' || op === 'transpose';

/**
 * What the steps of a label compute, by the names of the graph as it was given: `layer1.0.conv1 + bn1 + relu`. A node
 * without a step of its own was fused into a step before it: the last one that its inputs come from, of two summands the
 * one that has the other as its residual.
 */
export function layerNames(graph: Graph, steps: readonly ComputedNode[]): Map<string, string> {
  const computed = new Map<string, Operand[]>();
  for (const { node } of steps)
    if (node.label !== undefined) computed.set(node.label, [...(computed.get(node.label) ?? []), node]);
  const parts = new Map<string, string[]>();
  const hosts = new Map<Operand, string>();
  const order = [...computed.keys()];
  const takesResidual = (label: string): boolean => computed.get(label)!.some(({ inputs }) => 'residual' in inputs);
  const hostOf = ({ inputs }: Operand): string | undefined => {
    const before = Object.values(inputs).flatMap((input) => hosts.get(nodeOf(input)) ?? []);
    const [first, ...others] = [...new Set(before)].sort(
      (a, b) => Number(takesResidual(b)) - Number(takesResidual(a)) || order.indexOf(b) - order.indexOf(a),
    );
    return others.length && !takesResidual(first!) ? undefined : first;
  };
  for (const node of topological(graph)) {
    const { label = '', op, constant } = node;
    if (isLeaf(node) || constant) continue;
    // What only moves its result is computed elsewhere.
    const own = computed.get(label)?.filter((step) => isMoving(node) || !isMoving(step));
    const host = own?.length ? label : hostOf(node);
    if (host === undefined) continue;
    hosts.set(node, host);
    const fused = parts.get(host);
    if (!fused) parts.set(host, [host]);
    else if (!isMoving(node) && !own?.some((other) => other.op === op)) {
      const short = shortened(label, host);
      fused.push(own?.length || fused.includes(short) ? (isBias(node) ? 'bias' : op) : short);
    }
  }
  return new Map([...parts].map(([label, all]) => [label, all.join(' + ')]));
}

/** An addition of a constant. */
const isBias = ({ op, inputs }: Operand): boolean =>
  op === 'add' && Object.values(inputs).some(({ constant }) => constant);
