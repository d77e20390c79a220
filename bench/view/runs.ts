import { byId, make, makeButton } from '../../examples/shared/dom.ts';
import { number } from '../../examples/shared/format.ts';
import type { BenchReport } from '../report.ts';
import { sideBySide } from './side-by-side.ts';
import { runName } from './words.ts';

/** Where a run comes from, as the list says it. */
export type Origin = 'measured now' | 'kept here' | 'file' | 'pasted' | 'link' | 'repository';

interface Run {
  readonly report: BenchReport;
  readonly origin: Origin;
  beside: boolean;
}

/** A run by what it has in it: two of one adapter at one time are the same. */
const keyOf = ({ date, adapter, rows }: BenchReport): string =>
  [date, adapter.description, adapter.vendor, rows.length].join('|');

/** The list of runs: one is shown, others stand beside it. */
export class Runs {
  #runs: Run[] = [];
  #shown: Run | undefined;
  readonly #table = byId('runs-table', HTMLTableElement);
  readonly #compare = byId('compare', HTMLElement);

  constructor(
    private readonly onShow: (report: BenchReport | undefined) => void,
    private readonly onForget: (report: BenchReport) => void,
  ) {
    this.#list();
  }

  get shown(): BenchReport | undefined {
    return this.#shown?.report;
  }

  /** Adds a run, once: shown, beside the one that is shown, or in the list alone. */
  add(report: BenchReport, origin: Origin, as: 'shown' | 'beside' | 'listed'): void {
    const known = this.#runs.find((run) => keyOf(run.report) === keyOf(report));
    const run = known ?? { report, origin, beside: false };
    if (!known) this.#runs = origin === 'measured now' ? [run, ...this.#runs] : [...this.#runs, run];
    if (as === 'shown' || (as === 'beside' && !this.#shown)) this.show(run);
    else if (as === 'beside' && run !== this.#shown) run.beside = true;
    this.#list();
  }

  show(run: Run | undefined): void {
    this.#shown = run;
    if (run) run.beside = false;
    this.onShow(run?.report);
    this.#list();
  }

  #forget(run: Run): void {
    this.#runs = this.#runs.filter((other) => other !== run);
    this.onForget(run.report);
    if (run === this.#shown) this.show(undefined);
    this.#list();
    byId('runs-heading', HTMLElement).focus();
  }

  #list(): void {
    const focused = this.#table.contains(document.activeElement) ? document.activeElement?.id : undefined;
    const lines = this.#runs.map((run, i) => this.#line(run, i));
    const head = ['Shown', 'Beside', 'Run'].map((text, i) =>
      make('th', { scope: 'col', class: i === 2 ? 'words' : undefined }, text),
    );
    head.push(make('th', { scope: 'col' }, make('span', { class: 'for-readers' }, 'Remove')));
    const none = make('tr', {}, make('td', { colspan: 4, class: 'words' }, 'None yet.'));
    this.#table.replaceChildren(
      make('thead', {}, make('tr', {}, ...head)),
      make('tbody', {}, ...(lines.length ? lines : [none])),
    );
    if (focused) document.getElementById(focused)?.focus();
    const others = this.#runs.filter((run) => run.beside).map(({ report }) => report);
    this.#compare.replaceChildren(...(this.#shown && others.length ? sideBySide(this.#shown.report, others) : []));
  }

  #line(run: Run, i: number): HTMLTableRowElement {
    const { report, origin } = run;
    const name = runName(report);
    const shown = make('input', { type: 'radio', name: 'shown', id: `shown-${i}`, 'aria-label': `Show ${name}` });
    shown.checked = run === this.#shown;
    shown.addEventListener('change', () => this.show(run));
    const beside = make('input', {
      type: 'checkbox',
      id: `beside-${i}`,
      disabled: run === this.#shown,
      'aria-label': `Put ${name} beside it`,
    });
    beside.checked = run.beside;
    beside.addEventListener('change', () => {
      run.beside = beside.checked;
      this.#list();
    });
    const remove = makeButton('×', () => this.#forget(run), 'remove');
    remove.setAttribute('aria-label', `Remove ${name}`);
    const score = report.score && `score ${number(report.score.value)} (version ${report.score.version})`;
    const details = [score, origin, report.preset, `${report.rows.length} rows`, report.void && 'void']
      .filter(Boolean)
      .join(', ');
    return make(
      'tr',
      {},
      make('td', {}, shown),
      make('td', {}, beside),
      make(
        'td',
        { class: 'words' },
        name,
        make('span', { class: 'soft small detail' }, `${details}, ${timeOf(report.date)}`),
      ),
      make('td', {}, remove),
    );
  }
}

const timeOf = (date: string): string => new Date(date).toLocaleTimeString('en', { timeStyle: 'short' });
