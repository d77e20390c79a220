import type { ModelSummary, Numbers } from '../../../src/index.ts';
import { bytes, count, number, whole } from '../format.ts';
import { type Cell, esc, factList, figureCell, sortableTable, textCell } from './html.ts';

/** Bits of a number of a weight, by the types that weights may be loaded in. */
const BITS: Readonly<Record<string, number>> = { float32: 32, float16: 16, int8: 8, int4: 4 };

const byType = (table: Readonly<Record<string, Numbers>>): string =>
  Object.entries(table)
    .map(([type, numbers]) => `${bytes(numbers.bytes)} ${type}`)
    .join(', ');

/** Layers of a model with what each asks for, in the manner of torchinfo. */
export function summaryHtml({ rows, totals, buffers, weights, activations }: ModelSummary): string {
  const body = rows.map(({ label, op, shape, dataType, parameters, macs, activationBytes }): Cell[] => [
    textCell(label),
    textCell(op),
    { html: esc(`${dataType} [${shape.join(', ')}]`), value: shape.reduce((a, b) => a * b, 1) },
    figureCell(parameters, whole),
    figureCell(macs, count),
    figureCell(activationBytes, bytes),
  ]);
  const types = Object.entries(BITS).map(([type, bits]) => `${bytes((totals.parameters * bits) / 8)} ${type}`);
  return [
    factList({
      Parameters: `${count(totals.parameters)} (${whole(totals.parameters)})`,
      ...(buffers && { 'Numbers that were not trained': whole(buffers) }),
      'Multiply-adds of one forward pass': `${count(totals.macs)} MAC`,
      'FLOPs (B) for one forward pass': number(totals.flops / 1e9),
      'Weights in the graph': byType(weights),
      'Parameters would take': types.join(', '),
      'Activations, each once': byType(activations),
    }),
    sortableTable('Table of layers', ['Layer', 'Op', 'Gives', 'Parameters', 'MAC', 'Activations'], body),
  ].join('');
}
