import { Chart } from '../../examples/shared/chart.ts';
import { byId, make } from '../../examples/shared/dom.ts';
import { barTable } from './bars.ts';
import { headlines } from './headlines.ts';
import { distribution, roofline, sizePlot, suiteBars, timePlot } from './plots.ts';
import { ResultsTable } from './table.ts';
import { caseKey, caseName, ceilingsText, runName, type Shown, suiteTitle, WHY_UNSTEADY } from './words.ts';

/** The part of the page that shows one run: headlines, pictures, table, notes. */
export class ReportView {
  readonly #results = byId('results', HTMLElement);
  readonly #size = new Chart(byId('plot-size', HTMLElement));
  readonly #roofline = new Chart(byId('plot-roofline', HTMLElement));
  readonly #distribution = new Chart(byId('plot-distribution', HTMLElement));
  readonly #time = new Chart(byId('plot-time', HTMLElement));
  readonly #case = byId('distribution-case', HTMLSelectElement);
  readonly #suite = byId('bars-suite', HTMLSelectElement);
  readonly #table = new ResultsTable(byId('table', HTMLTableElement));
  #report: Shown | undefined;
  #drawing = 0;
  #running = false;

  constructor() {
    this.#case.addEventListener('change', () => this.#drawCase());
    this.#suite.addEventListener('change', () => this.#drawSuite());
  }

  /**
   * Shows a run, at the next frame: rows may come faster. While it is `running`, what grows scrolls in itself, and so it stays when
   * the run ends before the eyes of someone; another that is shown has all its height.
   */
  show(report: Shown, running = false): void {
    this.#report = report;
    this.#results.hidden = false;
    this.#results.classList.toggle('watched', running || this.#running);
    this.#running = running;
    cancelAnimationFrame(this.#drawing);
    this.#drawing = requestAnimationFrame(() => this.#draw(report));
  }

  hide(): void {
    cancelAnimationFrame(this.#drawing);
    this.#report = undefined;
    this.#results.hidden = true;
  }

  #draw(report: Shown): void {
    const { rows, ceilings, notes } = report;
    byId('shown-name', HTMLElement).textContent = runName(report);
    byId('banner', HTMLElement).replaceChildren(...(report.void ? [voidNotice(report.void)] : []));
    byId('headlines', HTMLElement).replaceChildren(...headlines(report));
    byId('ceilings', HTMLElement).textContent = ceilings ? ceilingsText(ceilings) : '';
    this.#size.show(sizePlot(report));
    this.#roofline.show(roofline(report));
    this.#time.show(timePlot(report));
    options(
      this.#case,
      rows.map((row) => [caseKey(row), caseName(row)]),
    );
    options(
      this.#suite,
      [...new Set(rows.map(({ suite }) => suite))].map((suite) => [suite, suiteTitle(suite)]),
    );
    this.#drawCase();
    this.#drawSuite();
    this.#table.show(rows);
    const reasons = new Set(rows.flatMap(({ unsteady = [] }) => unsteady));
    const unsteady = [...reasons].map((why) => `unsteady, ${why}: ${WHY_UNSTEADY[why]}`);
    byId('notes', HTMLElement).replaceChildren(...[...unsteady, ...notes].map((note) => make('li', {}, note)));
  }

  #drawCase(): void {
    this.#distribution.show(distribution(this.#report?.rows.find((row) => caseKey(row) === this.#case.value)));
  }

  #drawSuite(): void {
    const bars = suiteBars(this.#report?.rows ?? [], this.#suite.value);
    byId('bars', HTMLElement).replaceChildren(barTable(`GFLOPS: ${suiteTitle(this.#suite.value)}`, bars));
  }
}

const voidNotice = (why: string): HTMLElement =>
  make(
    'div',
    { class: 'notice bad', id: 'void' },
    make('strong', {}, 'This run is void'),
    make('p', {}, `Nothing in it counts: ${why}.`),
  );

/** Gives a list these choices; what was chosen stays so where it is among them. */
function options(select: HTMLSelectElement, list: readonly (readonly [value: string, text: string])[]): void {
  const chosen = select.value;
  select.replaceChildren(...list.map(([value, text]) => make('option', { value, selected: value === chosen }, text)));
}
