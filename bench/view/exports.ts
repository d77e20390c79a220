import { number } from '../../examples/shared/format.ts';
import type { BenchReport, BenchRow } from '../report.ts';
import { browserName, ceilingsText, gpuName, ownRows, runName, suiteTitle, WHY_UNSTEADY } from './words.ts';

/** A run as it is kept in a file. */
export const jsonOf = (report: BenchReport): string => `${JSON.stringify(report, null, 2)}\n`;

/** The name of a file for a run, without its end. */
export const fileName = ({ date }: BenchReport): string => `tilewright-bench-${date.slice(0, 10)}`;

const COLUMNS: readonly (readonly [name: string, value: (row: BenchRow) => string | number | undefined | null])[] = [
  ['suite', (row) => row.suite],
  ['name', (row) => row.name],
  ['shape', (row) => row.shape],
  ['dtype', (row) => row.dtype],
  ['engine', (row) => row.engine],
  ['median_ms', (row) => row.ms.median],
  ['p10_ms', (row) => row.ms.p10],
  ['p90_ms', (row) => row.ms.p90],
  ['samples', (row) => row.ms.n],
  ['gflops', (row) => row.gflops],
  ['gbps', (row) => row.gbps],
  ['pct_of_roof', (row) => row.pctOfRoof],
  ['rate', (row) => row.rate?.value],
  ['rate_unit', (row) => row.rate?.unit],
  ['unsteady', (row) => row.unsteady?.join(' ')],
];

/** A line a row, as RFC 4180 has it: quotes where a field has a comma, a quote or a line break. */
export function csvOf({ rows }: Pick<BenchReport, 'rows'>): string {
  const field = (value: string | number | undefined | null): string => {
    const text = `${value ?? ''}`;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = [COLUMNS.map(([name]) => name), ...rows.map((row) => COLUMNS.map(([, value]) => value(row)))];
  return lines.map((line) => `${line.map(field).join(',')}\r\n`).join('');
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replace(/\s+/g, ' ');
const table = (head: readonly string[], lines: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...lines].map((line) => `| ${line.map(cell).join(' | ')} |`).join('\n');

/** What stands above the figures of a run: where it ran, its score, its ceilings, why it does not count. */
function summaryOf(report: BenchReport): string[] {
  const { score, ceilings, versions } = report;
  return [
    `**${cell(gpuName(report))}**, ${browserName(versions['browser'] ?? '')}, Tilewright ${versions['tilewright'] ?? '?'}, ${report.date.slice(0, 10)}${report.preset ? `, preset ${report.preset}` : ''}`,
    ...(report.void ? [`**Void**: ${report.void}`] : []),
    ...(score ? [`Score ${number(score.value)} (version ${score.version}; ${score.reference} is 100)`] : []),
    ceilingsText(ceilings),
  ];
}

/** A run for a page of Markdown: all figures in a table. */
export function markdownOf(report: BenchReport): string {
  const lines = report.rows.map((row) => [
    `${suiteTitle(row.suite)}: ${row.name}${row.engine === 'tilewright' ? '' : ` (${row.engine})`}`,
    row.shape,
    row.dtype,
    `${number(row.ms.median)}${row.unsteady ? ` (unsteady: ${row.unsteady.map((why) => WHY_UNSTEADY[why]).join(', ')})` : ''}`,
    `${number(row.ms.p10)}–${number(row.ms.p90)}`,
    number(row.gflops),
    number(row.gbps),
    row.pctOfRoof === null ? '' : `${number(row.pctOfRoof)} %`,
    row.rate ? `${number(row.rate.value)} ${row.rate.unit}` : '',
  ]);
  const head = ['case', 'shape', 'type', 'ms', 'p10–p90', 'GFLOPS', 'GB/s', 'of the roof', 'rate'];
  const notes = report.notes.map((note) => `- ${note}`).join('\n');
  return `${[...summaryOf(report), table(head, lines), ...(notes ? [notes] : [])].join('\n\n')}\n`;
}

/** The address of an issue that is filled in; undefined where the repository has none. The JSON is for the person to add. */
export function issueAddress(report: BenchReport, repository: string): string | undefined {
  const base = /^(?:git\+)?(https:\/\/github\.com\/[\w.-]+\/[\w.-]+?)(?:\.git)?\/?$/.exec(repository)?.[1];
  if (!base) return undefined;
  const body = [...summaryOf(report), 'Please drop the downloaded JSON file here.'].join('\n\n').slice(0, 4000);
  return `${base}/issues/new?${new URLSearchParams({ title: `Bench: ${runName(report)}`, body })}`;
}

/** A card of 1200 by 630 pixels: the GPU, its score or headlines, and a bar for the share of the roof. */
export function drawCard(canvas: HTMLCanvasElement, report: BenchReport, headlines: readonly CardLine[]): void {
  [canvas.width, canvas.height] = [1200, 630];
  const context = canvas.getContext('2d')!;
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const write = (text: string, x: number, y: number, size: number, ink = '--ink', weight = 400): void => {
    context.fillStyle = colour(ink);
    context.font = `${weight} ${size}px ${colour('--sans')}`;
    context.fillText(text, x, y, 1080);
  };
  context.fillStyle = colour('--paper');
  context.fillRect(0, 0, 1200, 630);
  write('Tilewright bench', 60, 84, 28, '--soft', 500);
  write(gpuName(report), 60, 150, 52, '--ink', 650);
  const { versions, date, preset, score } = report;
  write(
    [browserName(versions['browser'] ?? ''), date.slice(0, 10), ...(preset ? [preset] : [])].join(' · '),
    60,
    196,
    28,
    '--soft',
  );
  if (report.void) write(`Void: ${report.void}`, 60, 240, 28, '--bad', 600);
  else if (score) write(`Score ${number(score.value)}, version ${score.version}`, 60, 240, 28, '--accent', 600);
  for (const [i, { title, figure, detail, share }] of headlines.slice(0, 4).entries()) {
    const [x, y] = [60 + 550 * (i % 2), 310 + 160 * Math.floor(i / 2)];
    write(title, x, y, 24, '--soft');
    write(figure, x, y + 44, 40, '--ink', 650);
    context.font = `17px ${colour('--sans')}`;
    context.fillStyle = colour('--soft');
    context.fillText(detail, x, y + 74, 500);
    context.fillStyle = colour('--tile');
    context.fillRect(x, y + 90, 500, 8);
    context.fillStyle = colour('--accent');
    context.fillRect(x, y + 90, 500 * Math.min(1, share), 8);
  }
  const own = ownRows(report.rows);
  const unsteady = own.filter((row) => row.unsteady).length;
  write(
    `${own.length} cases${unsteady ? `, ${unsteady} unsteady` : ''}. Bars: share of the measured roof.`,
    60,
    604,
    20,
    '--soft',
  );
}

/** A headline as it stands on a card. */
export interface CardLine {
  readonly title: string;
  readonly figure: string;
  readonly detail: string;
  /** Of the roof, 0 to 1. */
  readonly share: number;
}
