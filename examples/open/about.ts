import type { OnnxModel, OnnxNode } from '../../src/formats/onnx-model.ts';
import { type Graph, isLeaf, type Operand, topological } from '../../src/graph/ir.ts';
import type { GraphNode, GraphValue, Model } from '../../src/index.ts';
import { inspectOnnx, nodesOf, type OnnxPort, type OnnxReport } from '../../src/onnx/contents.ts';
import { keyOf } from '../../src/onnx/lowerer.ts';
import { facts, make } from '../shared/dom.ts';
import { bytes, count, milliseconds, whole } from '../shared/format.ts';
import type { ListedNode } from './graph-list.ts';

/** What is known of a file before anything of it is on the device. */
export interface FileFacts {
  readonly report: OnnxReport;
  readonly nodes: readonly ListedNode[];
}

const unshaped = (names: readonly string[]): GraphValue[] =>
  names.filter(Boolean).map((name) => ({ name, type: '', dims: undefined }));

/** What an ONNX file says, and its nodes: their shapes are known when those of its inputs are. */
export function factsOf(model: OnnxModel): FileFacts {
  const report = inspectOnnx(model);
  const wrong = new Set(report.unsupported.map(({ what }) => what));
  const listed = (node: OnnxNode): ListedNode => ({
    label: node.name || node.outputs.find(Boolean) || node.op,
    op: keyOf(node),
    inputs: unshaped(node.inputs),
    outputs: unshaped(node.outputs),
    wrong: wrong.has(keyOf(node)),
  });
  return { report, nodes: nodesOf(model).map(listed) };
}

/** The nodes of a graph of the engine's: those of a model that is no ONNX file. */
export function nodesOfGraph(graph: Graph): GraphNode[] {
  const value = ({ label = '', dataType, shape }: Operand): GraphValue => ({
    name: label,
    type: dataType,
    dims: shape,
  });
  return topological(graph)
    .filter((node) => !isLeaf(node))
    .map((node) => ({
      label: node.label ?? node.op,
      op: node.op,
      inputs: Object.values(node.inputs).map(value),
      outputs: [value(node)],
    }));
}

const dimsText = (dims: OnnxPort['dims']): string =>
  dims ? `[${dims.map((size) => (size === '' ? '?' : size)).join(', ')}]` : '';

function portTable(title: string, ports: readonly OnnxPort[]): HTMLElement {
  const cells = (tag: 'th' | 'td', texts: readonly string[]) =>
    make('tr', {}, ...texts.map((text) => make(tag, tag === 'th' ? { scope: 'col' } : {}, text)));
  const body = ports.map(({ name, type, dims }) => cells('td', [name, type, dimsText(dims)]));
  const head = make('thead', {}, cells('th', [title, 'Type', 'Dimensions']));
  return make(
    'section',
    { class: 'scroll', tabindex: '0', 'aria-label': title },
    make('table', { class: 'figures ports' }, head, make('tbody', {}, ...body)),
  );
}

/** Ops that are not computed here, and all places where they stand. */
function unsupportedNotice({ unsupported }: OnnxReport): HTMLElement {
  const lines = unsupported.map(({ what, where }) => make('li', {}, make('code', {}, what), ` at ${where.join(', ')}`));
  return make(
    'div',
    { class: 'notice bad', id: 'unsupported' },
    make('strong', {}, `Not computed here: ${unsupported.map(({ what }) => what).join(', ')}`),
    make('ul', { class: 'faults' }, ...lines),
  );
}

/** A model that is loaded, from the choice to the model in ms, and what its last run computed: 0 where none was. */
export interface LoadedFacts {
  readonly model: Model;
  readonly ms: number;
  readonly macs: number;
}

const loadedFacts = ({ model: { info }, ms, macs }: LoadedFacts): Record<string, string> => ({
  ...(macs && { 'One run': `${count(macs)} MAC` }),
  'Weights, file': bytes(info.weightBytes.file),
  ...(info.weightBytes.device && { 'Weights, GPU': bytes(info.weightBytes.device) }),
  'Ready after': milliseconds(ms),
});

/** What a file is: for people. */
export function aboutFile({ report }: FileFacts, loaded?: LoadedFacts): HTMLElement[] {
  const { producer, opsets, metadata, inputs, outputs, tensors, parameters, ops, unsupported } = report;
  const wrong = new Set(unsupported.map(({ what }) => what));
  const tags = Object.entries(ops).map(([op, n]) =>
    make('li', { class: wrong.has(op) ? 'wrong' : undefined }, `${op} ${whole(n)}`),
  );
  const sets = Object.entries(opsets).map(([domain, version]) => `${domain} ${version}`);
  return [
    ...(unsupported.length ? [unsupportedNotice(report)] : []),
    facts({
      'Made by': producer || 'not named',
      'Operator sets': sets.join(', '),
      Parameters: count(parameters),
      Tensors: `${whole(tensors)}, ${bytes(report.bytes)}`,
      ...(loaded && loadedFacts(loaded)),
    }),
    portTable('Inputs', inputs),
    portTable('Outputs', outputs),
    make('ul', { class: 'tags', 'aria-label': 'Nodes of each op' }, ...tags),
    ...(Object.keys(metadata).length ? [make('details', {}, make('summary', {}, 'Metadata'), facts(metadata))] : []),
  ];
}

/** What a model is that is no ONNX file. */
export const aboutModel = (loaded: LoadedFacts): HTMLElement[] => {
  const { info, task } = loaded.model;
  const known = { Network: info.architecture, Task: task.replace('-', ' '), Parameters: count(info.parameters) };
  return [facts({ ...known, ...loadedFacts(loaded) })];
};
