import { writeFile } from 'node:fs/promises';
import type { PresetName } from '../../../bench/cases.ts';
import type { BenchReport, BenchRow, SuiteName } from '../../../bench/report.ts';
import { adapterName } from '../../gpu/adapter.ts';
import { weightsFolder } from '../files.ts';
import { figures } from '../format.ts';
import { table } from '../table.ts';
import { type CommandContext, follow, withRuntime } from './context.ts';

export interface BenchOptions {
  readonly suite?: readonly SuiteName[];
  readonly preset?: PresetName;
  /** Where the report goes as JSON. */
  readonly file?: string;
}

/** The bench page's measurements, as a table. */
export async function bench({ suite, preset, file }: BenchOptions, context: CommandContext): Promise<void> {
  const { terminal, signal } = context;
  await withRuntime(context, async (runtime) => {
    const weights = await runtime.model(weightsFolder());
    const args = { weights, ...(suite && { suites: suite }), ...(preset && { preset }) };
    const report = await runtime.run('bench', args, { signal, onEvent: follow(context, runtime) });
    for (const line of benchLines(report, (text) => terminal.paint('bold', text))) terminal.print(line);
    terminal.result(report);
    if (file === undefined) return;
    await writeFile(file, `${JSON.stringify(report, null, 2)}\n`);
    terminal.note(`written to ${file}`);
  });
}

export function benchLines(
  { adapter, rows, notes }: BenchReport,
  heading: (text: string) => string = (text) => text,
): string[] {
  const numbers = ['ms', 'p10', 'p90', 'n', 'GFLOPS', 'GB/s', 'rate'].map((title) => ({ title, right: true }));
  const cells = ({ suite, name, shape, dtype, ms, gflops, gbps, rate }: BenchRow): string[] => [
    suite,
    name,
    shape,
    dtype,
    ...[ms.median, ms.p10, ms.p90].map(figures),
    String(ms.n),
    figures(gflops),
    figures(gbps),
    rate ? `${figures(rate.value)} ${rate.unit}` : '',
  ];
  const columns = [
    { title: 'suite' },
    { title: 'case', elastic: true },
    { title: 'shape', elastic: true },
    { title: 'type' },
    ...numbers,
  ];
  return [heading(adapterName(adapter)), ...table(columns, rows.map(cells), { heading }), ...notes];
}
