import type { OnnxModel, OnnxTensor, OnnxType } from '../formats/onnx-model.ts';
import { loadingOps } from '../graph/groups/index.ts';
import { type Graph, isInput, isLeaf, type NamedOptions, type Operand, operand, topological } from '../graph/ir.ts';
import type { Recognise } from '../patterns/index.ts';
import { type DataType, elementCount, type TensorData } from '../tensor/types.ts';
import { NeedsNumbers } from './call.ts';
import type { Traced } from './length_numbers.ts';
import { type LoweredNode, Lowerer, type Lowerings } from './lowerer.ts';
import type { Given } from './run-tensors.ts';
import { isFloating, known, MOST_KNOWN, type Scalar, type Tensor, type Value } from './values.ts';

/** What a graph was lowered for. Numbers of inputs are kept where they decide what the graph is. */
export interface Wanted {
  readonly given: ReadonlyMap<string, Given>;
  readonly found: ReadonlyMap<string, readonly Scalar[]>;
}

/** What lowers the file, and values of its inputs. */
export interface Lowering {
  readonly lowerer: Lowerer;
  readonly inputs: ReadonlyMap<string, Value>;
}

/** The graph for one set of shapes. */
export interface Lowered {
  /** What the device computes, by names of its own; undefined where it computes nothing. */
  readonly graph: Graph | undefined;
  /** The outputs of the model. */
  readonly outputs: readonly Value[];
  /** Nodes whose flags have to be 0. */
  readonly checks?: readonly string[];
  /** What has to be known before the rest can be lowered. */
  readonly needs?: { readonly key: string; readonly type: OnnxType };
}

/** A lowered graph, with the outputs of the model. */
export interface TracedOutputs extends Traced {
  /** What it was lowered for. */
  readonly given: ReadonlyMap<string, Given>;
  readonly outputs: readonly Value[];
  readonly checks: readonly string[];
}

interface KeptGraph extends Lowered {
  readonly wanted: Wanted;
}

/** Integers that an input may have for the graph to depend on them; and floats, such as scales. */
const MOST_LATE = { integers: MOST_KNOWN, floats: 32 };
/** Lowered graphs that are kept. */
const MOST_GRAPHS = 16;

/** The graphs of a file, lowered for the shapes of runs. The last few are kept. */
export class Graphs {
  readonly #kept = new Map<string, KeptGraph>();
  readonly #shared = new Map<string, TensorData>();
  /** Inputs whose numbers decide what the graph is. */
  readonly #late = new Set<string>();

  constructor(
    private readonly model: OnnxModel,
    private readonly table: Lowerings,
    private readonly recognise: Recognise,
    private readonly small: ReadonlyMap<OnnxTensor, readonly Scalar[]>,
    /** What float is computed in. */
    private readonly float: DataType,
  ) {
    // The host computes with texts.
    for (const { name, type } of model.graph.inputs)
      if (type?.kind === 'tensor' && type.type === 'string') this.#late.add(name);
  }

  /** Those that are kept, by their keys: the last one used is the last. */
  get kept(): ReadonlyMap<string, KeptGraph> {
    return this.#kept;
  }

  /** Whether the numbers of an input decide what the graph is. */
  decides(name: string): boolean {
    return this.#late.has(name);
  }

  /** What a session is kept by: shapes, and the numbers that decide what the graph is. */
  key(given: ReadonlyMap<string, Given>, found: ReadonlyMap<string, readonly Scalar[]>): string {
    const shapes = [...given].map(
      ([name, { dims, values }]) => `${name}[${dims}]${this.#late.has(name) && values ? `=${Array.from(values)}` : ''}`,
    );
    return [...shapes, ...[...found].map(([name, values]) => `${name}=${values}`)].join(' ');
  }

  /** The graph for these shapes, and for the numbers that decide what it is. */
  async lowered(
    given: ReadonlyMap<string, Given>,
    found: ReadonlyMap<string, readonly Scalar[]>,
    late = true,
  ): Promise<Lowered> {
    const key = this.key(given, found);
    const kept = this.#kept.get(key);
    if (kept) {
      this.#kept.delete(key);
      this.#kept.set(key, kept);
      return kept;
    }
    const made = await loadingOps(() => this.#lower(given, this.lowerer({ given, found })));
    if ('late' in made) {
      if (!late) return { graph: undefined, outputs: [], needs: { key: '', type: 'float' } };
      for (const name of made.late) this.#late.add(name);
      return this.lowered(given, found);
    }
    this.#kept.set(key, { ...made, wanted: { given: this.deciding(given), found } });
    if (this.#kept.size > MOST_GRAPHS) this.#kept.delete(this.#kept.keys().next().value!);
    return made;
  }

  /** Inputs with the numbers that decide what the graph is, without all others. */
  deciding(given: ReadonlyMap<string, Given>): ReadonlyMap<string, Given> {
    const kept = (name: string, one: Given): Given => (this.#late.has(name) ? one : { ...one, values: undefined });
    return new Map([...given].map(([name, one]) => [name, kept(name, one)]));
  }

  /** The graph for these inputs with all nodes that made it. Undefined where numbers of a run decide what it is. */
  traced(given: ReadonlyMap<string, Given>): TracedOutputs | undefined {
    const nodes: LoweredNode[] = [];
    const made = this.lowerer({ given, found: new Map() });
    const { lowerer } = made;
    lowerer.watch = (node) => nodes.push(node);
    const lowered = this.#lower(given, made, false);
    if ('late' in lowered || lowered.needs || !lowered.graph) return undefined;
    const { graph, outputs, checks = [] } = lowered;
    return { given, graph, outputs, checks, nodes, lowerer };
  }

  /** What lowers the file for these inputs, and their values. */
  lowerer({ given, found }: Wanted): Lowering {
    const lowerer = new Lowerer(this.model, this.table, { files: this.small, found }, this.float, this.#shared);
    const inputs = new Map<string, Value>();
    for (const [name, { type, dims, values }] of given) {
      const onHost = values && this.#late.has(name);
      inputs.set(name, onHost ? known(type, dims, Array.from(values)) : lowerer.input(name, type, dims));
    }
    return { lowerer, inputs };
  }

  /** `masks`: as `Recognise` has it. */
  #lower(
    given: ReadonlyMap<string, Given>,
    { lowerer, inputs }: Lowering,
    masks?: boolean,
  ): Lowered | { late: readonly string[] } {
    try {
      const outputs = lowerer.lower(inputs);
      const leaves: Record<string, Operand> = {};
      for (const [i, value] of outputs.entries())
        collect(value, `${i}`, leaves, (tensor) => lowerer.operand(tensor, `output ${i}`));
      const computes = Object.keys(leaves).length > 0;
      if (computes && lowerer.checks.length) leaves[CHECKS] = flagsOf(lowerer.checks.map(({ flags }) => flags));
      const checks = lowerer.checks.map(({ label }) => label);
      const graph = computes ? this.recognise({ outputs: leaves }, masks) : undefined;
      return { graph, outputs, checks };
    } catch (error) {
      if (!(error instanceof NeedsNumbers)) throw error;
      const { tensor, key } = error;
      const needed = lowerer.operand(tensor, key);
      const names = topological({ outputs: { needed } })
        .filter(isInput)
        .map(({ options }) => (options as NamedOptions).name);
      const few = (name: string): boolean => {
        const { type, dims, values } = given.get(name)!;
        return values !== undefined && elementCount(dims) <= (isFloating(type) ? MOST_LATE.floats : MOST_LATE.integers);
      };
      if (names.length && names.every(few)) return { late: names };
      return { graph: { outputs: { needed: apart(needed) } }, outputs: [], needs: { key, type: tensor.type } };
    }
  }
}

/** The output of flags that have to be 0. */
export const CHECKS = 'checks';

/** Whether any flag of each node is set, one after the other. */
function flagsOf(flags: readonly Operand[]): Operand {
  const each = flags.map((input) => {
    const any = operand('reduceMax', { input }, { keepDimensions: false });
    return operand('reshape', { input: any }, { newShape: [1] });
  });
  const inputs = Object.fromEntries(each.map((one, i) => [`input${i}`, one]));
  return each.length > 1 ? operand('concat', inputs, { axis: 0 }) : each[0]!;
}

/** A leaf is no output of a graph: a copy of it is. */
const apart = (one: Operand): Operand => (isLeaf(one) ? operand('identity', { input: one }) : one);

/** The operands of an output, by its place. */
function collect(
  value: Value,
  name: string,
  into: Record<string, Operand>,
  operandOf: (tensor: Tensor) => Operand,
): void {
  if (value.kind === 'sequence')
    for (const [i, item] of value.items.entries()) collect(item, `${name}.${i}`, into, operandOf);
  else if (value.kind === 'tensor' && !value.known) into[name] = apart(operandOf(value));
}
