import { writeFile } from 'node:fs/promises';
import type { VerifyReport, VerifyRow } from '../../verify/verify.ts';
import { resolveModel } from '../files.ts';
import { count, duration } from '../format.ts';
import { table } from '../table.ts';
import { type CommandContext, follow, loadArgs, type ModelOptions, withRuntime } from './context.ts';

export interface VerifyOptions extends ModelOptions {
  /** Every candidate, not only the one that runs. */
  readonly all?: boolean;
  readonly op?: readonly string[];
  readonly forget?: boolean;
  /** Where the first node of an ONNX model that is off is written. */
  readonly save?: string;
}

/** Checks kernels on this device. Whether all that runs from now on is right. */
export async function verify(
  model: string | undefined,
  { all = false, op, forget = false, save, ...options }: VerifyOptions,
  context: CommandContext,
): Promise<boolean> {
  const { terminal, signal } = context;
  const source = model && (await resolveModel(model));
  return withRuntime(context, async (runtime) => {
    const args = {
      ...(source && { model: { model: await runtime.model(source), load: loadArgs(options) } }),
      ...(op && { ops: op }),
      all,
      forget,
    };
    const pieces: Uint8Array[] = [];
    const sink = runtime.take((bytes) => void pieces.push(bytes));
    const onEvent = follow(context, runtime);
    const { written, ...report } = await runtime.run('verify', { ...args, sink }, { signal, onEvent });
    const file = written === undefined ? undefined : (save ?? `${encodeURIComponent(written)}.onnx`);
    if (file !== undefined) await writeFile(file, pieces);
    for (const line of verifyLines(report, (text) => terminal.paint('bold', text))) terminal.print(line);
    if (file !== undefined) terminal.print(`the first node that is off, ${written}, alone: ${file}`);
    terminal.result({ ...report, ...(file !== undefined && { file }) });
    return report.passed;
  });
}

/** `2.4e-7`; `0` where nothing may be lost. */
const small = (value: number | null): string => (value === null ? '' : value === 0 ? '0' : value.toExponential(1));

/** A row for each kernel and shape of a model, or for each op; then what is wrong, and what came of it. */
export function verifyLines(report: VerifyReport, heading: (text: string) => string = (text) => text): string[] {
  const { rows, summary, aside, experimental, passed, ms } = report;
  const faults = rows.filter(({ verdict }) => verdict !== 'right');
  const { checked, right, replaced, failed } = summary;
  const kernels = new Set(rows.map(({ variant }) => variant)).size;
  const before = Object.keys(aside).filter((label) => !faults.some(({ variant }) => variant === label));
  return [
    ...(report.model === undefined ? opTable(rows, heading) : rowTable(rows, heading)),
    ...faults.flatMap(({ variant, case: test, fault, replacedBy }) => [
      '',
      `${heading(variant)} on ${test}`,
      `  ${fault}`,
      `  ${replacedBy === undefined ? 'nothing can take its place' : `replaced by ${replacedBy}`}`,
    ]),
    ...before.map((label) => `set aside earlier: ${label}`),
    ...Object.entries(experimental).map(([family, fault]) =>
      fault === null ? `experimental, and right here: ${family}` : `experimental, and set aside: ${family} (${fault})`,
    ),
    `${count(kernels, 'kernel')} checked on ${count(checked, 'case')} in ${duration(ms / 1000)}: ${right} right, ${replaced} replaced, ${failed} failed`,
    passed ? 'what runs here is right' : 'RESULTS ON THIS DEVICE CANNOT BE TRUSTED',
  ];
}

function rowTable(rows: readonly VerifyRow[], heading: (text: string) => string): string[] {
  const columns = [
    { title: 'where', elastic: true },
    { title: 'n', right: true },
    { title: 'kernel' },
    { title: 'shapes', elastic: true },
    { title: 'error', right: true },
    { title: 'allowed', right: true },
    { title: 'ms', right: true },
    { title: '' },
  ];
  const lines = rows.map(({ label, count: n, variant, shape, error, tolerance, ms, verdict }) => [
    label,
    String(n),
    variant,
    shape,
    small(error),
    small(tolerance),
    ms.toFixed(0),
    verdict,
  ]);
  return table(columns, lines, { heading });
}

function opTable(rows: readonly VerifyRow[], heading: (text: string) => string): string[] {
  const columns = [
    { title: 'op' },
    { title: 'kernels', right: true },
    { title: 'cases', right: true },
    { title: 'wrong', right: true },
    { title: 'error', right: true },
    { title: 'allowed', right: true },
    { title: 'ms', right: true },
  ];
  const lines = [...new Set(rows.map(({ op }) => op))].map((op) => {
    const own = rows.filter((row) => row.op === op);
    const worst = own.reduce((a, b) => (shareOf(b) > shareOf(a) ? b : a));
    const wrong = own.filter(({ verdict }) => verdict !== 'right').length;
    return [
      op,
      String(new Set(own.map(({ variant }) => variant)).size),
      String(own.length),
      wrong ? String(wrong) : '',
      small(worst.error),
      small(worst.tolerance),
      own.reduce((sum, { ms }) => sum + ms, 0).toFixed(0),
    ];
  });
  return table(columns, lines, { heading });
}

const shareOf = ({ error, tolerance }: VerifyRow): number => (error ? error / tolerance! : 0);
