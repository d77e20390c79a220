import type { OnnxPort, OnnxReport, Unsupported } from '../../onnx/contents.ts';
import { bytes, count } from '../format.ts';
import { table } from '../table.ts';

/** Nodes that are named of an op that is not computed. */
const FEW = 5;

export function onnxLines(report: OnnxReport, heading: (text: string) => string = (text) => text): string[] {
  const { producer, opsets, metadata, inputs, outputs, tensors, parameters, ops, unsupported } = report;
  const ports = (title: string, list: readonly OnnxPort[]): string[] => [
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
