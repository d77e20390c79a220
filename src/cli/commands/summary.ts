import type { ModelSummary, SummaryRow } from '../../models/summary.ts';
import { formatShape } from '../../tensor/types.ts';
import { resolveModel } from '../files.ts';
import { bytes, count, scaled } from '../format.ts';
import { graphsOf } from '../jobs/load.ts';
import { openOnPaper } from '../on-paper.ts';
import { table } from '../table.ts';
import type { CommandContext } from './context.ts';

export interface SummaryOptions {
  readonly plan?: string;
  readonly dims?: Readonly<Record<string, number>>;
}

/** The layers of a model, and what they ask for. Needs no GPU, and reads no weights. Errors: those of `engine.load`. */
export async function summary(
  model: string,
  { plan, dims }: SummaryOptions,
  { terminal, signal }: CommandContext,
): Promise<void> {
  const opened = await openOnPaper(await resolveModel(model), { signal, ...(dims && { dims }) });
  const plans = plan === undefined ? Object.keys(graphsOf(opened)) : [plan];
  const summaries = await Promise.all(plans.map((name) => opened.summary({ plan: name })));
  for (const one of summaries) {
    for (const line of summaryLines(one, (text) => terminal.paint('bold', text))) terminal.print(line);
    terminal.print();
  }
  terminal.result(summaries);
}

const cells = ({ label, op, dataType, shape, parameters, macs, activationBytes }: SummaryRow): string[] => [
  label,
  op,
  `${dataType}${formatShape(shape)}`,
  parameters ? parameters.toLocaleString('en') : '-',
  macs ? scaled(macs) : '-',
  bytes(activationBytes),
];

/** A summary for people: layers, then totals. */
export function summaryLines(
  { plan, rows, totals, buffers, weights, activations }: ModelSummary,
  heading: (text: string) => string = (text) => text,
): string[] {
  const { parameters, macs, flops } = totals;
  const byType = (types: ModelSummary['weights']): string =>
    Object.entries(types)
      .map(([type, numbers]) => `${bytes(numbers.bytes)} ${type}`)
      .join(', ');
  const figures = ['gives', 'parameters', 'MAC', 'activations'].map((title, i) => ({ title, right: i > 0 }));
  return [
    heading(plan),
    ...table([{ title: 'layer', elastic: true }, { title: 'op', elastic: true }, ...figures], rows.map(cells), {
      heading,
    }),
    `${count(parameters, 'parameter')}${buffers ? `, ${count(buffers, 'number')} that were not trained` : ''}; weights ${byType(weights)}`,
    `${scaled(macs)}MAC; FLOPs (B) for one forward pass: ${(flops / 1e9).toFixed(4)}`,
    `activations, each once: ${byType(activations)}`,
  ];
}
