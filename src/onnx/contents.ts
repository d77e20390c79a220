import { TilewrightError } from '../errors.ts';
import type {
  OnnxAttribute,
  OnnxGraph,
  OnnxModel,
  OnnxNode,
  OnnxTensor,
  OnnxType,
  OnnxValueInfo,
} from '../formats/onnx-model.ts';
import type { Checkpoint, CheckpointTensor } from '../formats/safetensors.ts';
import { elementCount } from '../tensor/types.ts';
import { isLowered } from './lower/index.ts';
import { keyOf } from './lowerer.ts';
import { fromBytes, isFloating, isKnownType, MOST_KNOWN, type Scalar } from './values.ts';

/** What is not computed here, and where it stands: names of nodes, inputs or tensors, in the order of the file. */
export interface Unsupported {
  readonly what: string;
  readonly where: readonly string[];
}

/** `float`, `sequence(float)`. */
export const typeName = (type: OnnxValueInfo['type']): string =>
  type === undefined
    ? 'unknown'
    : type.kind === 'tensor'
      ? type.type
      : 'of' in type
        ? `${type.kind}(${typeName(type.of)})`
        : type.kind;

/** Attributes of one kind: single ones, and those of lists. */
function attributesOf<T extends OnnxGraph | OnnxTensor>({ attributes }: OnnxNode, field: keyof T): T[] {
  const all = [...attributes.values()].flatMap((value): readonly OnnxAttribute[] =>
    Array.isArray(value) ? value : [value as OnnxAttribute],
  );
  return all.filter((value) => typeof value === 'object' && field in value) as unknown as T[];
}

/** A graph, or the body of a function. */
type Body = Pick<OnnxGraph, 'nodes'> & { readonly initializers?: readonly OnnxTensor[] };

/** All graphs of a model: its own, the bodies of its functions, and those inside nodes. */
function graphsOf(model: OnnxModel): Body[] {
  const found: Body[] = [model.graph, ...model.functions];
  for (const { nodes } of found) for (const node of nodes) found.push(...attributesOf<OnnxGraph>(node, 'nodes'));
  return found;
}

/** All nodes of a model, those of inner graphs and functions too. */
export const nodesOf = (model: OnnxModel): OnnxNode[] => graphsOf(model).flatMap(({ nodes }) => nodes);

/** All tensors of a model: initialisers and attributes, those of inner graphs and functions too. */
export const tensorsOf = (model: OnnxModel): OnnxTensor[] =>
  graphsOf(model).flatMap(({ initializers = [], nodes }) => [
    ...initializers,
    ...nodes.flatMap((node) => attributesOf<OnnxTensor>(node, 'bytes')),
  ]);

/** Floats among the tensors of a model. */
export const parametersOf = (model: OnnxModel): number =>
  tensorsOf(model).reduce((sum, { type, dims }) => sum + (isFloating(type) ? elementCount(dims) : 0), 0);

/** Every op and type of a model that is not computed here. */
export function unsupportedIn(model: OnnxModel): Unsupported[] {
  const functions = new Set(model.functions.map(({ domain, name }) => keyOf({ domain, op: name })));
  const isComputed = (node: OnnxNode): boolean => functions.has(keyOf(node)) || isLowered(keyOf(node));
  const found = new Map<string, string[]>();
  const add = (what: string, where: string): void => {
    const places = found.get(what) ?? [];
    places.push(where);
    found.set(what, places);
  };
  for (const node of nodesOf(model))
    if (!isComputed(node)) add(keyOf(node), node.name || node.outputs.find(Boolean) || '');
  for (const { name, type } of model.graph.inputs)
    if (type?.kind === 'tensor' && !isKnownType(type.type)) add(`inputs of ${type.type}`, name);
  for (const { name, type } of tensorsOf(model)) if (!isKnownType(type)) add(`tensors of ${type}`, name);
  return [...found].map(([what, where]) => ({ what, where }));
}

/** A value that a model takes or gives. Dimensions are numbers or symbols, `?` where the file has neither. */
export interface OnnxPort {
  readonly name: string;
  readonly type: string;
  /** Undefined where the file says nothing of them. */
  readonly dims: readonly (number | string)[] | undefined;
}

/** What is in an ONNX file. */
export interface OnnxReport {
  readonly producer: string;
  /** Versions of operator sets by domain. */
  readonly opsets: Readonly<Record<string, number>>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly inputs: readonly OnnxPort[];
  readonly outputs: readonly OnnxPort[];
  readonly tensors: number;
  readonly parameters: number;
  /** Bytes of all tensors, external data included. */
  readonly bytes: number;
  /** Nodes of each op, the most first. */
  readonly ops: Readonly<Record<string, number>>;
  readonly unsupported: readonly Unsupported[];
}

const port = ({ name, type }: OnnxValueInfo): OnnxPort => ({
  name,
  type: typeName(type),
  dims: type?.kind === 'tensor' ? type.dims?.map((size) => (size === '' ? '?' : size)) : undefined,
});

/** All that a file says of itself, and what of it is not computed here. */
export function inspectOnnx(model: OnnxModel): OnnxReport {
  const { producer, opsets, metadata, graph } = model;
  const ops = new Map<string, number>();
  for (const node of nodesOf(model)) ops.set(keyOf(node), (ops.get(keyOf(node)) ?? 0) + 1);
  const tensors = tensorsOf(model);
  const defaults = new Set(graph.initializers.map(({ name }) => name));
  return {
    producer,
    opsets: Object.fromEntries([...opsets].map(([domain, version]) => [domain || 'ai.onnx', version])),
    metadata: Object.fromEntries(metadata),
    inputs: graph.inputs.filter(({ name }) => !defaults.has(name)).map(port),
    outputs: graph.outputs.map(port),
    tensors: tensors.length,
    parameters: parametersOf(model),
    bytes: tensors.reduce((sum, { byteLength }) => sum + byteLength, 0),
    ops: Object.fromEntries([...ops].sort(([, a], [, b]) => b - a)),
    unsupported: unsupportedIn(model),
  };
}

/** Indices of a tensor of the file that are read to memory: places of a scatter, which then is a gather. */
const MOST_PLACES = 65536;
const INDICES: readonly OnnxType[] = ['int32', 'int64'];
/** The numbers of the tensors that the host may compute with. */
export async function smallNumbers(
  model: OnnxModel,
  signal?: AbortSignal,
): Promise<Map<OnnxTensor, readonly Scalar[]>> {
  const found = new Map<OnnxTensor, readonly Scalar[]>();
  for (const tensor of tensorsOf(model)) {
    const count = elementCount(tensor.dims);
    if (tensor.type !== 'string' && count <= (INDICES.includes(tensor.type) ? MOST_PLACES : MOST_KNOWN))
      found.set(tensor, fromBytes(tensor.type, count, await tensor.bytes(signal)));
  }
  return found;
}

/** Error: `unsupported-op`, with every op and type that is not computed here. */
export function checkSupported(model: OnnxModel): void {
  const problems = unsupportedIn(model).map(
    ({ what, where }) => `${what} (${where.length > 1 ? `${where.length} times, first ` : ''}${where[0]})`,
  );
  if (!problems.length) return;
  const versions = [...model.opsets].map(([domain, version]) => `${domain || 'ai.onnx'} ${version}`).join(', ');
  throw new TilewrightError('unsupported-op', `${model.name} (${versions}): not computed here: ${problems.join(', ')}`);
}

/** The tensors of a model, as reports and quantisation know them. */
export function checkpointOf(model: OnnxModel): Checkpoint {
  const tensors = new Map<string, CheckpointTensor>();
  let byteLength = 0;
  for (const tensor of tensorsOf(model)) {
    byteLength += tensor.byteLength;
    const { name, source } = tensor;
    if (source)
      tensors.set(name, {
        ...source,
        typeName: source.storedType,
        byteLength: tensor.byteLength,
        file: model.name,
      });
  }
  return { tensors, metadata: model.metadata, byteLength };
}
