import { TilewrightError } from '../errors.ts';
import type { OnnxAttribute, OnnxFunction, OnnxGraph, OnnxModel, OnnxNode, OnnxTensor } from '../formats/onnx-model.ts';
import { GraphBuilder } from '../graph/builder.ts';
import type { Operand } from '../graph/ir.ts';
import { reason } from '../hub/source.ts';
import { OpNotLoaded } from '../ops/index.ts';
import { type DataType, elementCount, type TensorData } from '../tensor/types.ts';
import { Call, Elsewhere, NeedsNumbers, type Scope } from './call.ts';
import { HOST } from './host.ts';
import { MOST_KNOWN, type Scalar, type Tensor, toDevice, typeOf, type Value } from './values.ts';

/** What an op becomes: its results, in order. */
export type Lowering = (call: Call) => Value | readonly (Value | undefined)[];

/** Lowerings by domain and name: `Relu`, `com.microsoft.Gelu`. */
export type Lowerings = ReadonlyMap<string, Lowering>;

export const keyOf = ({ domain, op }: Pick<OnnxNode, 'domain' | 'op'>): string => (domain ? `${domain}.${op}` : op);

/** What a graph knows beforehand, besides its inputs. */
export interface Known {
  /** Numbers of small tensors of the file. */
  readonly files: ReadonlyMap<OnnxTensor, readonly Scalar[]>;
  /** Numbers that runs on the device have found, by the key of `NeedsNumbers`. */
  readonly found: ReadonlyMap<string, readonly Scalar[]>;
}

/** A node of the file, brought to ops: its attributes are those that it has inside its function's call. */
export interface LoweredNode {
  /** Unique among all nodes. What it became has it too. */
  readonly label: string;
  readonly node: OnnxNode;
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
  readonly inputs: readonly (Value | undefined)[];
  readonly outputs: readonly (Value | undefined)[];
  readonly opsets: ReadonlyMap<string, number>;
}

/** Graphs and functions inside one another, at the most: as many as messages in a file. */
const MOST_DEPTH = 100;
/** Nodes of a graph with its loops unrolled and its functions in the places of their calls, at the most. */
const MOST_NODES = 500_000;

/** Names of values, those of the graph around included. */
class Names {
  readonly #values = new Map<string, Value>();

  constructor(private readonly outer?: Names) {}

  get(name: string): Value | undefined {
    return this.#values.get(name) ?? this.outer?.get(name);
  }

  set(name: string, value: Value): void {
    this.#values.set(name, value);
  }
}

/**
 * Brings an ONNX graph to ops of the engine, for known shapes of its inputs. Arithmetic on shapes is done here.
 */
export class Lowerer {
  readonly #builder = new GraphBuilder();
  /** How many nodes have each label. */
  readonly #labels = new Map<string, number>();
  readonly #constants = new Map<string, Operand>();
  readonly #files = new Map<OnnxTensor, Operand>();
  /** Flags that have to be 0 after a run, and the nodes that they speak of. */
  readonly checks: { readonly flags: Operand; readonly label: string }[] = [];
  /** Is told of every node, when what is inside of it was told. */
  watch: ((made: LoweredNode) => void) | undefined;
  readonly #functions: ReadonlyMap<string, OnnxFunction>;
  #depth = 0;
  #count = 0;

  constructor(
    private readonly model: OnnxModel,
    private readonly lowerings: Lowerings,
    private readonly facts: Known,
    /** What float is computed in. */
    private readonly float: DataType,
    /** Contents of host constants that other graphs of the model have: equal ones are one buffer. */
    private readonly shared: Map<string, TensorData>,
  ) {
    this.#functions = new Map(model.functions.map((one) => [keyOf({ domain: one.domain, op: one.name }), one]));
  }

  /** An input on the device. */
  input(name: string, type: Tensor['type'], shape: readonly number[]): Tensor {
    const dataType = this.deviceType(type, `input ${name}`);
    return { kind: 'tensor', type, shape, operand: this.#builder.input(name, { dataType, shape }) };
  }

  deviceType(type: Tensor['type'], what: string): DataType {
    return type === 'float' || type === 'double' ? this.float : typeOf(type, what).device;
  }

  /** The outputs of the model, in order. `inputs`: values by name. */
  lower(inputs: ReadonlyMap<string, Value>): Value[] {
    const { graph, opsets } = this.model;
    const names = new Names();
    for (const [name, value] of inputs) names.set(name, value);
    return this.#graph(graph, names, opsets, '', undefined);
  }

  /** `bound`: the attributes of the call, where the graph is inside a function. */
  #graph(
    graph: OnnxGraph,
    names: Names,
    opsets: ReadonlyMap<string, number>,
    path: string,
    bound: ReadonlyMap<string, OnnxAttribute> | undefined,
  ): Value[] {
    const own = new Set<string>();
    for (const tensor of graph.initializers) {
      if (own.has(tensor.name))
        throw new TilewrightError('invalid-graph', `${this.model.name}: there are two initialisers '${tensor.name}'`);
      own.add(tensor.name);
      // An initialiser that is an input of the model too is its default.
      if (path || !names.get(tensor.name)) names.set(tensor.name, this.tensorOf(tensor));
    }
    this.#nodes(graph.nodes, names, opsets, path, bound);
    return graph.outputs.map(({ name }) => this.#named(name, names, `output '${name}' of graph '${graph.name}'`));
  }

  /** A tensor of the file. */
  tensorOf(file: OnnxTensor): Tensor {
    return { kind: 'tensor', type: file.type, shape: file.dims, known: this.facts.files.get(file), file };
  }

  #named(name: string, names: Names, what: string): Value {
    const value = names.get(name);
    if (!value) throw new TilewrightError('invalid-graph', `${this.model.name}: ${what} is not computed before it`);
    return value;
  }

  #nodes(
    nodes: readonly OnnxNode[],
    names: Names,
    opsets: ReadonlyMap<string, number>,
    path: string,
    bound: ReadonlyMap<string, OnnxAttribute> | undefined,
  ): void {
    // A function may call itself, and two calls in each of 30 functions are a thousand million.
    if (this.#depth === MOST_DEPTH)
      throw new TilewrightError('invalid-graph', `${path}: graphs are nested deeper than ${MOST_DEPTH} levels`);
    this.#count += nodes.length;
    if (this.#count > MOST_NODES)
      throw new TilewrightError(
        'unsupported-option',
        `${path || this.model.name}: more than ${MOST_NODES} nodes, with loops unrolled and functions in their places`,
      );
    this.#depth++;
    for (const node of sorted(nodes, this.model.name)) {
      const label = this.#label(node, path);
      const inputs = node.inputs.map((name) =>
        name === '' ? undefined : this.#named(name, names, `input '${name}' of ${label} (${node.op})`),
      );
      while (inputs.length && inputs.at(-1) === undefined) inputs.pop();
      const attributes = new Map<string, OnnxAttribute>();
      for (const [name, value] of node.attributes) {
        const given = typeof value === 'object' && 'ref' in value ? bound?.get(value.ref) : value;
        if (given !== undefined) attributes.set(name, given);
      }
      const outputs = this.#node(node, label, inputs, attributes, this.#scope(names, opsets, label, bound));
      this.watch?.({ label, node, attributes, inputs, outputs, opsets });
      node.outputs.forEach((name, i) => {
        const value = outputs[i];
        if (name === '') return;
        if (value === undefined)
          throw new TilewrightError(
            'unsupported-option',
            `${label} (${node.op}): its output ${i} is not computed here`,
          );
        names.set(name, value);
      });
    }
    this.#depth--;
  }

  #node(
    node: OnnxNode,
    label: string,
    inputs: readonly (Value | undefined)[],
    attributes: ReadonlyMap<string, OnnxAttribute>,
    scope: Scope,
  ): readonly (Value | undefined)[] {
    const key = keyOf(node);
    const body = this.#functions.get(key);
    if (body) return this.#call(body, label, inputs, attributes);
    const call = new Call(node, label, inputs, attributes, scope);
    const lowering = this.lowerings.get(key);
    const host = node.domain === '' && Object.hasOwn(HOST, node.op) ? HOST[node.op] : undefined;
    try {
      const made = (host && this.#onHost(call, host)) ?? lowering?.(call);
      if (made === undefined) throw new TilewrightError('invalid-graph', `${label}: the op ${key} is not known`);
      call.finish();
      return 'kind' in made ? [made] : made;
    } catch (error) {
      if (error instanceof OpNotLoaded || error instanceof NeedsNumbers) throw error;
      // Inputs and attributes are not all looked at beforehand: what an op trips over is the file's fault too.
      if (!(error instanceof TilewrightError))
        throw new TilewrightError('invalid-graph', `${label} (${key}) cannot be computed: ${reason(error)}`, {
          cause: error,
        });
      if (error.message.startsWith(label)) throw error;
      throw new TilewrightError(error.code, `${label} (${key}): ${error.message}`, { hint: error.hint, cause: error });
    }
  }

  /** The results, where all inputs are known and few. */
  #onHost(call: Call, host: (call: Call) => Value | readonly Value[]): Value | readonly Value[] | undefined {
    const given = call.inputs.filter((value) => value !== undefined);
    const small = (value: Value): boolean =>
      value.kind === 'tensor' && value.known !== undefined && value.known.length <= MOST_KNOWN;
    if (!given.every(small)) return undefined;
    try {
      const made = host(call);
      const list = 'kind' in made ? [made] : made;
      const few = list.every((value) => value.kind !== 'tensor' || elementCount(value.shape) <= MOST_KNOWN);
      return few ? made : undefined;
    } catch (error) {
      if (error instanceof Elsewhere) return undefined;
      throw error;
    }
  }

  /** What a node is for other inputs: where the host computes it, other numbers. */
  again({ node, label, attributes, opsets }: LoweredNode, inputs: LoweredNode['inputs']): LoweredNode['outputs'] {
    return this.#node(node, label, inputs, attributes, this.#scope(new Names(), opsets, label, undefined));
  }

  /** A function of the file, in the place of its call. */
  #call(
    { inputs: names, outputs, nodes, defaults, opsets }: OnnxFunction,
    label: string,
    given: readonly (Value | undefined)[],
    attributes: ReadonlyMap<string, OnnxAttribute>,
  ): Value[] {
    const inside = new Names();
    names.forEach((name, i) => {
      const value = given[i];
      if (value) inside.set(name, value);
    });
    this.#nodes(nodes, inside, opsets, label, new Map([...defaults, ...attributes]));
    return outputs.map((name) => this.#named(name, inside, `output '${name}' of ${label}`));
  }

  #scope(
    names: Names,
    opsets: ReadonlyMap<string, number>,
    path: string,
    bound: ReadonlyMap<string, OnnxAttribute> | undefined,
  ): Scope {
    return {
      opsets,
      operand: (tensor, label) => this.operand(tensor, label),
      tensorOf: (file) => this.tensorOf(file),
      known: (tensor, key) => {
        const found = this.facts.found.get(key);
        if (found) return found;
        throw new NeedsNumbers(tensor, key);
      },
      expectZeros: (flags, label) => this.checks.push({ flags, label }),
      inline: (graph, inputs, label) => {
        const inside = new Names(names);
        graph.inputs.forEach(({ name }, i) => {
          const value = inputs[i];
          if (value) inside.set(name, value);
        });
        return this.#graph(graph, inside, opsets, label || path, bound);
      },
    };
  }

  /** The operand of a tensor. What is not on the device comes there as a constant. */
  operand(tensor: Tensor, label: string): Operand {
    if (tensor.operand) return tensor.operand;
    const { type, file } = tensor;
    const dataType = this.deviceType(type, label);
    // A number is one that patterns can read.
    const alone = tensor.known?.length === 1;
    const made = file?.source && !alone ? this.#fromFile(file, dataType) : this.#fromHost(tensor, dataType, label);
    tensor.operand = made;
    return made;
  }

  #fromFile(file: OnnxTensor, dataType: DataType): Operand {
    const known = this.#files.get(file);
    if (known) return known;
    const stored = this.#builder.constant(file.source!);
    const made = stored.dataType === dataType ? stored : this.#builder.cast(stored, dataType);
    this.#files.set(file, made);
    return made;
  }

  #fromHost({ type, shape, known }: Tensor, dataType: DataType, label: string): Operand {
    if (!known) throw new TilewrightError('unsupported-type', `${label}: a tensor of ${type} has no numbers here`);
    const data = toDevice(label, { type, shape }, known, dataType);
    const key = `${dataType}[${shape}]${data}`;
    const made = this.#constants.get(key) ?? this.#builder.constant({ dataType, shape }, this.#sharedData(key, data));
    this.#constants.set(key, made);
    return made;
  }

  /** The same array for the same numbers: sessions share what it is on the device. */
  #sharedData(key: string, data: TensorData): TensorData {
    const one = this.shared.get(key) ?? data;
    this.shared.set(key, one);
    return one;
  }

  #label({ name, op, outputs }: OnnxNode, path: string): string {
    const own = `${path ? `${path}/` : ''}${name || outputs.find(Boolean) || op}`;
    let label = own;
    for (let i = this.#labels.get(own) ?? 1; this.#labels.has(label); label = `${own}#${i}`) this.#labels.set(own, ++i);
    this.#labels.set(label, 1);
    return label;
  }
}

const orders = new WeakMap<readonly OnnxNode[], readonly OnnxNode[]>();

/** Names of the graph around that graphs inside a node read. */
function innerNames({ attributes }: OnnxNode): string[] {
  const graphs = [...attributes.values()].flat().filter((value): value is OnnxGraph => {
    return typeof value === 'object' && 'nodes' in value;
  });
  return graphs.flatMap(({ nodes, outputs }) => [
    ...outputs.map(({ name }) => name),
    ...nodes.flatMap((node) => [...node.inputs, ...innerNames(node)]),
  ]);
}

/**
 * Nodes after those whose results they read. ONNX asks files to have that order, not all do. What has it stays as it is.
 * Error: `invalid-graph` for a circle, and for a name that two nodes compute.
 */
function sorted(nodes: readonly OnnxNode[], model: string): readonly OnnxNode[] {
  const known = orders.get(nodes);
  if (known) return known;
  const makers = new Map<string, OnnxNode>();
  for (const node of nodes)
    for (const name of node.outputs) {
      if (makers.has(name)) throw new TilewrightError('invalid-graph', `${model}: '${name}' is computed twice`);
      if (name) makers.set(name, node);
    }
  const order: OnnxNode[] = [];
  const state = new Map<OnnxNode, 'open' | 'done'>();
  for (const root of nodes) {
    const stack: { node: OnnxNode; names: readonly string[]; next: number }[] = [];
    const enter = (node: OnnxNode): void => {
      state.set(node, 'open');
      stack.push({ node, names: [...node.inputs, ...innerNames(node)], next: 0 });
    };
    if (!state.has(root)) enter(root);
    while (stack.length) {
      const top = stack.at(-1)!;
      const name = top.names[top.next++];
      if (name === undefined) {
        state.set(top.node, 'done');
        order.push(stack.pop()!.node);
        continue;
      }
      const maker = makers.get(name);
      if (!maker || state.get(maker) === 'done' || maker === top.node) continue;
      if (state.get(maker) === 'open')
        throw new TilewrightError('invalid-graph', `${model}: '${name}' depends on itself, through ${top.node.op}`);
      enter(maker);
    }
  }
  orders.set(nodes, order);
  return order;
}
