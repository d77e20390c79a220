import { NeedsNumbers } from './call.ts';
import { keyOf, type LoweredNode, type Lowerer } from './lowerer.ts';
import type { Value } from './values.ts';

/** What a model takes and gives: dimensions are numbers, or symbols that a run binds. */
export interface GraphValue {
  readonly name: string;
  /** Under ONNX's name; `sequence(float)`. */
  readonly type: string;
  /** Undefined where the file says nothing of them. */
  readonly dims: readonly (number | string)[] | undefined;
}

/** A node of the file, at the shapes of a plan. */
export interface GraphNode {
  /** Unique among all nodes: steps of the plan, rows of a profile and of `verify` have it. */
  readonly label: string;
  /** `Relu`, `com.microsoft.Gelu`. */
  readonly op: string;
  /** Those that are left out are not there. */
  readonly inputs: readonly GraphValue[];
  readonly outputs: readonly GraphValue[];
}

/** Lowers a file again, as for a plan, and gives its nodes in order: those before what only a run can know. */
export function trace(lowerer: Lowerer, inputs: ReadonlyMap<string, Value>): LoweredNode[] {
  const nodes: LoweredNode[] = [];
  lowerer.watch = (node) => nodes.push(node);
  try {
    lowerer.lower(inputs);
  } catch (error) {
    if (!(error instanceof NeedsNumbers)) throw error;
  }
  return nodes;
}

/** What a caller sees of the nodes. */
export const nodesOf = (lowerer: Lowerer, given: ReadonlyMap<string, Value>): GraphNode[] =>
  trace(lowerer, given).map(({ label, node, inputs, outputs }) => ({
    label,
    op: keyOf(node),
    inputs: node.inputs.flatMap((name, i) => described(name, inputs[i])),
    outputs: node.outputs.flatMap((name, i) => described(name, outputs[i])),
  }));

/** Name, type and dimensions of a value of a node; none where it is left out. */
function described(name: string, value: Value | undefined): GraphValue[] {
  if (!name || !value || value.kind === 'nothing') return [];
  if (value.kind === 'tensor') return [{ name, type: value.type, dims: value.shape }];
  return [{ name, type: `sequence of ${value.items.length}`, dims: undefined }];
}
