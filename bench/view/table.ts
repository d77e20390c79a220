import { make } from '../../examples/shared/dom.ts';
import { number, whole } from '../../examples/shared/format.ts';
import type { BenchRow } from '../report.ts';
import { suiteTitle, unsteadyMark } from './words.ts';

interface Column {
  readonly title: string;
  /** Its width, and what is seen of it on a narrow screen: `folded` is not. */
  readonly class: string;
  /** What it sorts by. */
  readonly key: (row: BenchRow) => string | number;
  readonly cell: (row: BenchRow) => string | readonly (Node | string)[];
}

const COLUMNS: readonly Column[] = [
  { title: 'Case', class: 'words', key: ({ name }) => name, cell: nameCell },
  { title: 'Shape', class: 'words folded wide', key: ({ shape }) => shape, cell: ({ shape }) => shape },
  { title: 'Type', class: 'words folded type', key: ({ dtype }) => dtype, cell: ({ dtype }) => dtype },
  { title: 'ms', class: 'main number', key: ({ ms }) => ms.median, cell: ({ ms }) => number(ms.median) },
  {
    title: 'p10–p90',
    class: 'folded wide',
    key: ({ ms }) => ms.p90 / ms.p10,
    cell: ({ ms }) => `${number(ms.p10)}–${number(ms.p90)}`,
  },
  { title: 'n', class: 'folded count', key: ({ ms }) => ms.n, cell: ({ ms }) => whole(ms.n) },
  { title: 'GFLOPS', class: 'number', key: ({ gflops }) => gflops, cell: ({ gflops }) => number(gflops) },
  { title: 'GB/s', class: 'folded number', key: ({ gbps }) => gbps, cell: ({ gbps }) => number(gbps) },
  {
    title: 'Of roof',
    class: 'roof',
    key: ({ pctOfRoof }) => pctOfRoof ?? -1,
    cell: ({ pctOfRoof }) => (pctOfRoof === null ? '' : shareCell(pctOfRoof)),
  },
  {
    title: 'Rate',
    class: 'folded wide',
    key: ({ rate }) => rate?.value ?? -1,
    cell: ({ rate }) => (rate ? `${number(rate.value)} ${rate.unit}` : ''),
  },
];

function nameCell({ name, shape, dtype, engine, unsteady }: BenchRow): (Node | string)[] {
  return [
    name,
    ...(engine === 'tilewright' ? [] : [make('span', { class: 'soft' }, ` ${engine}`)]),
    make('span', { class: 'unfolded soft' }, `${shape}, ${dtype}`),
    ...(unsteady ? [unsteadyMark(unsteady)] : []),
  ];
}

const shareCell = (percent: number): (Node | string)[] => [
  make('span', { class: 'share', style: `--share:${Math.min(100, percent).toFixed(1)}%` }, `${number(percent)} %`),
];

/** The table of all rows: a group a suite, in which a column sorts. */
export class ResultsTable {
  #rows: readonly BenchRow[] = [];
  #sorted: { column: number; down: boolean } | undefined;

  constructor(readonly table: HTMLTableElement) {
    const heads = COLUMNS.map(({ title, class: name }, column) => {
      const button = make('button', { type: 'button', class: 'sort' }, title);
      button.addEventListener('click', () => this.#sort(column));
      return make('th', { scope: 'col', class: name }, button);
    });
    table.replaceChildren(make('thead', {}, make('tr', {}, ...heads)));
  }

  show(rows: readonly BenchRow[]): void {
    this.#rows = rows;
    for (const body of [...this.table.tBodies]) body.remove();
    const suites = [...new Set(rows.map(({ suite }) => suite))];
    this.table.append(...suites.map((suite) => this.#group(suite)));
  }

  #group(suite: string): HTMLTableSectionElement {
    const own = this.#rows.filter((row) => row.suite === suite);
    if (this.#sorted) {
      const { key } = COLUMNS[this.#sorted.column]!;
      const order = this.#sorted.down ? -1 : 1;
      own.sort((a, b) => order * compare(key(a), key(b)));
    }
    const folded = COLUMNS.filter(({ class: name }) => name.includes('folded')).length;
    const heading = make(
      'tr',
      { class: 'group' },
      make('th', { colspan: COLUMNS.length - folded, scope: 'rowgroup' }, suiteTitle(suite)),
      make('td', { colspan: folded, class: 'folded' }), // a span of what is folded would make columns of its own
    );
    const lines = own.map((row) =>
      make('tr', {}, ...COLUMNS.map(({ class: name, cell }) => make('td', { class: name }, ...[cell(row)].flat()))),
    );
    return make('tbody', {}, heading, ...lines);
  }

  /** Figures begin with the largest, words with the first; again turns the order round. */
  #sort(column: number): void {
    const words = COLUMNS[column]!.class.includes('words');
    const down = this.#sorted?.column === column ? !this.#sorted.down : !words;
    this.#sorted = { column, down };
    for (const [i, head] of [...this.table.tHead!.rows[0]!.cells].entries()) {
      if (i === column) head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
      else head.removeAttribute('aria-sort');
    }
    this.show(this.#rows);
  }
}

const compare = (a: string | number, b: string | number): number =>
  typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b), 'en', { numeric: true });
