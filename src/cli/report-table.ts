import type { ModelReport, OpReport } from '../models/report.ts';
import { formatShape } from '../tensor/types.ts';
import { bytes, count } from './format.ts';
import { table } from './table.ts';

/** A report for people: a row a layer, a row for each kind of layer and for all, and what the model's output lost. */
export function reportLines(
  { model, architecture, adapter, samples, layers, ops, totals, output }: ModelReport,
  heading: (text: string) => string = (text) => text,
): string[] {
  const right = (title: string) => ({ title, right: true });
  const rows = layers.map(({ name, op, shape, dtype, perScale, bytes: size, shared, weightError, outputError }) => [
    name,
    op,
    formatShape(shape),
    perScale === null ? dtype : `${dtype} / ${perScale}`,
    ...(shared ? ['shared', ''] : [bytes(size.float32), bytes(size.device)]),
    small(weightError?.relative),
    weightError ? `${small(weightError.worst.relative)} (${weightError.worst.channel})` : '-',
    small(outputError?.relative),
    small(outputError?.absolute),
  ]);
  const columns = [
    { title: 'layer', elastic: true },
    { title: 'op' },
    { title: 'shape' },
    { title: 'type' },
    right('float32'),
    right('device'),
    right('weights'),
    right('worst channel'),
    right('output'),
    right('worst'),
  ];
  const summary = [...ops, { op: 'all', ...totals }].map((row) => [row.op, ...sumCells(row)]);
  const sums = ['op', 'layers', 'parameters', 'float32', 'file', 'device', 'share', 'weights', 'worst output'];
  const known = output
    ? `output against float32: ${small(output.relative)} off (normwise), ${small(output.absolute)} at the worst, over ${count(samples, 'sample')}`
    : 'The checkpoint has its weights quantised: what they were made from, and so what they cost, is not known.';
  return [
    `${heading(model)}: ${architecture}, on ${adapter}`,
    ...table(columns, rows, { heading, width: 132 }),
    '',
    ...table(
      sums.map((title, i) => (i ? right(title) : { title })),
      summary,
      { heading, width: 132 },
    ),
    '',
    known,
  ];
}

const sumCells = ({ layers, parameters, bytes: size, weightError, worstOutput }: Omit<OpReport, 'op'>): string[] => [
  String(layers),
  parameters.toLocaleString('en'),
  bytes(size.float32),
  bytes(size.file),
  bytes(size.device),
  `${(size.device / size.float32).toFixed(3)}`,
  small(weightError),
  worstOutput ? `${small(worstOutput.relative)} (${worstOutput.layer})` : '-',
];

/** `6.1e-3`; 0 as it is, `-` where it is not known. */
const small = (value: number | null | undefined): string =>
  value === null || value === undefined ? '-' : value === 0 ? '0' : value.toExponential(1);
