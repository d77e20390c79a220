import { type ConstantOptions, type Graph, isConstant, isLeaf, type Operand, opOf, topological } from '../graph/ir.ts';
import { costsOf } from '../graph/work.ts';
import { toDataType } from '../tensor/convert.ts';
import { byteLength, type DataType, elementCount, isFloat, type TensorDescriptor } from '../tensor/types.ts';

/** A layer: the nodes of one label, whatever kernels compute them. */
export interface SummaryRow {
  /** Where in the model: `layer1.0.conv1`. An op's name where the graph has no label. */
  readonly label: string;
  /** Its first op: `conv2d`. */
  readonly op: string;
  /** Of what it gives. */
  readonly shape: readonly number[];
  readonly dataType: DataType;
  /** Trained numbers that no layer before it has: what layers share is counted once. */
  readonly parameters: number;
  /** Multiply-accumulates. */
  readonly macs: number;
  /** Floating-point operations: two for a multiply-accumulate, and those of all other ops. */
  readonly flops: number;
  /** Bytes of what its ops give, each once. */
  readonly activationBytes: number;
}

/** Numbers of one type, and their bytes. */
export interface Numbers {
  readonly count: number;
  readonly bytes: number;
}

/** What a graph asks for in one run, layer by layer. */
export interface ModelSummary {
  /** The name of the plan. */
  readonly plan: string;
  /** In the order in which layers first run. */
  readonly rows: readonly SummaryRow[];
  readonly totals: Pick<SummaryRow, 'parameters' | 'macs' | 'flops' | 'activationBytes'>;
  /** Numbers that are in the file and were not trained: running statistics, tables of integers. */
  readonly buffers: number;
  /** The constants by their types in the graph, buffers among them. */
  readonly weights: Partial<Record<DataType, Numbers>>;
  /** What ops give, by type. */
  readonly activations: Partial<Record<DataType, Numbers>>;
}

/** Operands that hold what was counted in training, not learnt. */
const STATISTICS: Readonly<Record<string, readonly string[]>> = { batchNormalization: ['mean', 'variance'] };

/** The constant leaves that an operand is made of. */
function leavesOf(operand: Operand): Operand[] {
  return isConstant(operand) ? [operand] : Object.values(operand.inputs).flatMap(leavesOf);
}

/** The numbers of a leaf. Those of 16 bits, and those of blocks, come as words. */
function numbersOf(leaf: Operand): TensorDescriptor {
  const { source, blocksOf = source } = leaf.options as ConstantOptions;
  return blocksOf ? { dataType: toDataType(blocksOf.storedType), shape: blocksOf.shape } : leaf;
}

/** Adds numbers of a type to a table of types. */
function count(table: Partial<Record<DataType, Numbers>>, tensor: TensorDescriptor): void {
  const { count = 0, bytes = 0 } = table[tensor.dataType] ?? {};
  table[tensor.dataType] = { count: count + elementCount(tensor.shape), bytes: bytes + byteLength(tensor) };
}

type Sums = { -readonly [Name in keyof SummaryRow]: SummaryRow[Name] };

/**
 * Counts what a graph asks for, by its own nodes: no pass has changed it, no kernel is chosen, no weight is read. Ops that
 * are other ops count as those. As torchinfo has it, but for operations: those of additions and activations are counted too.
 */
export async function summarise(plan: string, graph: Graph): Promise<ModelSummary> {
  const rows = new Map<string, Sums>();
  const weights: Partial<Record<DataType, Numbers>> = {};
  const activations: Partial<Record<DataType, Numbers>> = {};
  const seen = new Set<Operand>();
  let buffers = 0;
  for (const node of topological(graph)) {
    if (isLeaf(node) || node.constant) continue;
    const row = rowOf(rows, node);
    for (const [name, operand] of Object.entries(node.inputs)) {
      if (!operand.constant) continue;
      for (const leaf of leavesOf(operand)) {
        if (seen.has(leaf)) continue;
        seen.add(leaf);
        const numbers = numbersOf(leaf);
        count(weights, (leaf.options as ConstantOptions).blocksOf ? leaf : numbers);
        const trained = isFloat(numbers.dataType) || /^u?int[48]$/.test(numbers.dataType);
        if (trained && !STATISTICS[node.op]?.includes(name)) row.parameters += elementCount(numbers.shape);
        else buffers += elementCount(numbers.shape);
      }
    }
    if (opOf(node).alias) continue;
    row.shape = node.shape;
    row.dataType = node.dataType;
    for (const result of node.results) {
      count(activations, result);
      row.activationBytes += byteLength(result);
    }
  }
  for (const [node, { macs, flops }] of await costsOf(graph)) {
    const row = rowOf(rows, node);
    row.macs += macs;
    row.flops += flops;
  }
  const list = [...rows.values()];
  const sum = (field: keyof ModelSummary['totals']): number => list.reduce((total, row) => total + row[field], 0);
  const totals = { parameters: sum('parameters'), macs: sum('macs'), flops: sum('flops') };
  return {
    plan,
    rows: list,
    totals: { ...totals, activationBytes: sum('activationBytes') },
    buffers,
    weights,
    activations,
  };
}

/** The row of a node's label; a new one where it is the first. */
function rowOf(rows: Map<string, Sums>, { label, op, shape, dataType }: Operand): Sums {
  const key = label ?? op;
  const none = { parameters: 0, macs: 0, flops: 0, activationBytes: 0 };
  const row = rows.get(key) ?? { label: key, op, shape, dataType, ...none };
  rows.set(key, row);
  return row;
}
