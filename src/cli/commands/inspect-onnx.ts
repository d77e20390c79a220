import type { OnnxModel, OnnxValueInfo } from '../../formats/onnx.ts';
import { nodesOf, parametersOf, tensorsOf, typeName, type Unsupported, unsupportedIn } from '../../onnx/contents.ts';
import { keyOf } from '../../onnx/lowerer.ts';
import { bytes, count } from '../format.ts';
import { table } from '../table.ts';

/** A value that a model takes or gives. Dimensions are numbers or symbols, `?` where the file has neither. */
interface Port {
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
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly tensors: number;
  readonly parameters: number;
  /** Bytes of all tensors, external data included. */
  readonly bytes: number;
  /** Nodes of each op, the most first. */
  readonly ops: Readonly<Record<string, number>>;
  readonly unsupported: readonly Unsupported[];
}

const port = ({ name, type }: OnnxValueInfo): Port => ({
  name,
  type: typeName(type),
  dims: type?.kind === 'tensor' ? type.dims?.map((size) => (size === '' ? '?' : size)) : undefined,
});

export async function inspectOnnx(model: OnnxModel): Promise<OnnxReport> {
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

/** Nodes that are named of an op that is not computed. */
const FEW = 5;

export function onnxLines(report: OnnxReport, heading: (text: string) => string = (text) => text): string[] {
  const { producer, opsets, metadata, inputs, outputs, tensors, parameters, ops, unsupported } = report;
  const ports = (title: string, list: readonly Port[]): string[] => [
    ...table(
      [{ title, elastic: true }, { title: 'type' }, { title: 'dims', elastic: true }],
      list.map(({ name, type, dims }) => [name, type, dims ? `[${dims}]` : '']),
      { heading },
    ),
    '',
  ];
  const kinds = new Set(unsupported.map(({ what }) => what));
  return [
    `producer: ${producer || 'not named'}`,
    `operator sets: ${Object.entries(opsets)
      .map(([domain, version]) => `${domain} ${version}`)
      .join(', ')}`,
    ...Object.entries(metadata).map(([key, value]) => `${key}: ${value}`),
    '',
    ...ports('input', inputs),
    ...ports('output', outputs),
    ...table(
      [{ title: 'op', elastic: true }, { title: 'nodes', right: true }, { title: '' }],
      Object.entries(ops).map(([op, n]) => [op, n.toLocaleString('en'), kinds.has(op) ? 'not computed here' : '']),
      { heading },
    ),
    '',
    `${count(tensors, 'tensor')}; ${count(parameters, 'parameter')}; ${bytes(report.bytes)}`,
    ...(unsupported.length ? unsupported.map(problem) : ['all ops and types are computed here']),
  ];
}

const problem = ({ what, where }: Unsupported): string => {
  const more = where.length > FEW ? ` and ${where.length - FEW} more` : '';
  return `not computed here: ${what}, at ${where.slice(0, FEW).join(', ')}${more}`;
};
