import { showAdapter } from '../../examples/shared/adapter.ts';
import { byId, make } from '../../examples/shared/dom.ts';
import { number } from '../../examples/shared/format.ts';
import { ProblemBox } from '../../examples/shared/problem.ts';
import type { BenchReport, BenchRow } from '../report.ts';
import { barTable } from './bars.ts';
import { repositoryNames, repositoryReport } from './repository.ts';
import { browserName, caseKey, caseName, gpuName, suiteTitle, timingText } from './words.ts';

interface Entry {
  readonly name: string;
  readonly report: BenchReport;
}

const choice = byId('case', HTMLSelectElement);
const marked = new Set<string>();
const compare = byId('compare-chosen', HTMLButtonElement);
compare.addEventListener('click', () => location.assign(compareAddress([...marked])));

/** The bench page with these results side by side. */
const compareAddress = (names: readonly string[]): string =>
  `../index.html#compare=${names.map(encodeURIComponent).join(',')}`;

/** Scores of the newest version first, the highest first; then runs without one, the newest first. */
const byScore = (a: Entry, b: Entry): number =>
  (b.report.score?.version ?? 0) - (a.report.score?.version ?? 0) ||
  (b.report.score?.value ?? 0) - (a.report.score?.value ?? 0) ||
  b.report.date.localeCompare(a.report.date);

function showAdapters(entries: readonly Entry[]): void {
  const head = ['Marked', 'Adapter', 'Score', 'Roof, GFLOPS', 'GB/s', 'Cases'];
  const heads = head.map((text, i) => make('th', { scope: 'col', class: i === 1 ? 'words' : undefined }, text));
  byId('adapters', HTMLTableElement).replaceChildren(
    make('thead', {}, make('tr', {}, ...heads)),
    make('tbody', {}, ...entries.toSorted(byScore).map(line)),
  );
}

function line({ name, report }: Entry): HTMLTableRowElement {
  const { date, versions, ceilings, rows, score } = report;
  const mark = make('input', { type: 'checkbox', 'aria-label': `Mark ${name}` });
  mark.addEventListener('change', () => {
    if (mark.checked) marked.add(name);
    else marked.delete(name);
    compare.disabled = marked.size === 0;
  });
  const detail = `${browserName(versions['browser'] ?? '')}, Tilewright ${versions['tilewright'] ?? '?'}, ${date.slice(0, 10)}${report.void ? `, void: ${report.void}` : ''}`;
  const link = make('a', { href: compareAddress([name]) }, gpuName(report));
  return make(
    'tr',
    {},
    make('td', {}, mark),
    make('td', { class: 'words' }, link, make('span', { class: 'soft small detail' }, detail)),
    make('td', { class: 'main' }, score ? `${number(score.value)} (v${score.version})` : '–'),
    make('td', {}, number(ceilings.fmaF32)),
    make('td', {}, number(ceilings.readGbps)),
    make('td', {}, String(rows.length)),
  );
}

function showCases(entries: readonly Entry[]): void {
  const suites = new Map<string, Map<string, BenchRow>>();
  for (const row of entries.flatMap(({ report }) => report.rows)) {
    if (!suites.has(row.suite)) suites.set(row.suite, new Map());
    suites.get(row.suite)!.set(caseKey(row), row);
  }
  choice.replaceChildren(
    ...[...suites].map(([suite, cases]) =>
      make(
        'optgroup',
        { label: suiteTitle(suite) },
        ...[...cases].map(([key, row]) => make('option', { value: key }, caseName(row))),
      ),
    ),
  );
  choice.addEventListener('change', () => showCase(entries));
  showCase(entries);
}

function showCase(entries: readonly Entry[]): void {
  const bars = entries
    .flatMap(({ report }) => report.rows.filter((row) => caseKey(row) === choice.value).map((row) => ({ report, row })))
    .sort((a, b) => a.row.ms.median - b.row.ms.median)
    .map(({ report, row }) => ({
      label: `${gpuName(report)}, ${report.date.slice(0, 10)}`,
      value: 1 / row.ms.median,
      text: timingText(row),
      colour: '--series-1',
    }));
  byId('case-bars', HTMLElement).replaceChildren(barTable('Median by adapter', bars));
}

void showAdapter();
try {
  const entries = await Promise.all(
    repositoryNames().map(async (name) => ({ name, report: await repositoryReport(name) })),
  );
  showAdapters(entries);
  showCases(entries);
} catch (error) {
  new ProblemBox(byId('problem', HTMLElement)).show(error);
}
