import { make } from '../../examples/shared/dom.ts';
import { number } from '../../examples/shared/format.ts';
import type { BenchRow, SuiteName } from '../report.ts';
import type { CardLine } from './exports.ts';
import { casesText } from './plots.ts';
import { ownRows, type Shown, timingText, unsteadyMark } from './words.ts';

interface Kind {
  readonly title: string;
  readonly suite: SuiteName;
  readonly name?: string;
  readonly unit: string;
  readonly value: (row: BenchRow) => number | undefined;
}

const KINDS: readonly Kind[] = [
  { title: 'Matrix product', suite: 'matmul', unit: 'GFLOPS', value: ({ gflops }) => gflops },
  { title: 'Convolution', suite: 'conv', unit: 'GFLOPS', value: ({ gflops }) => gflops },
  { title: 'ResNet', suite: 'resnet', unit: 'images/s', value: ({ rate }) => rate?.value },
  { title: 'GPT, decoding', suite: 'gpt', name: 'decode', unit: 'tokens/s', value: ({ rate }) => rate?.value },
];

interface Headline extends CardLine {
  readonly row: BenchRow;
  readonly unit: string;
  readonly number: string;
}

/** The best float32 figure of each kind: one type, so that two machines show the same. */
function headlineRows(rows: readonly BenchRow[]): Headline[] {
  return KINDS.flatMap(({ title, suite, name = '', unit, value }) => {
    const able = ownRows(rows).filter(
      (row) => row.suite === suite && row.dtype === 'float32' && row.name.includes(name) && value(row) !== undefined,
    );
    const row = able.reduce<BenchRow | undefined>(
      (best, one) => (best && value(best)! >= value(one)! ? best : one),
      undefined,
    );
    if (!row) return [];
    const best = able.length > 1 ? `best of ${casesText(able.length)}` : '1 case';
    const text = number(value(row)!);
    return [
      {
        row,
        unit,
        number: text,
        title: `${title}, ${row.dtype}`,
        figure: `${text} ${unit}`,
        detail: `${row.name} ${row.shape}, ${best}: ${timingText(row)}`,
        share: (row.pctOfRoof ?? 0) / 100,
      },
    ];
  });
}

/** What stands on the card of a run. */
export const cardLines = (rows: readonly BenchRow[]): CardLine[] => headlineRows(rows);

const card = (title: string, figure: string, unit: string, ...detail: (string | Node)[]): HTMLElement =>
  make(
    'div',
    { class: 'card headline' },
    make('span', { class: 'soft small' }, title),
    make('span', { class: 'figure' }, `${figure} `, make('span', { class: 'unit' }, unit)),
    make('span', { class: 'soft small' }, ...detail),
  );

/** The score with its formula, the headlines with size, type, median and spread, the roof. What is not there keeps its place: nothing moves when it comes. */
export function headlines({ rows, score, ceilings }: Shown): HTMLElement[] {
  const found = headlineRows(rows);
  const list = KINDS.map(({ title, unit }) => {
    const own = found.find((one) => one.title.startsWith(title));
    if (!own) return card(`${title}, float32`, '–', unit, 'Not measured.');
    const mark = own.row.unsteady ? [' ', unsteadyMark(own.row.unsteady)] : [];
    return card(own.title, own.number, unit, own.detail, ...mark);
  });
  return [scoreCard(score), ...list, roofCard(ceilings)];
}

function scoreCard(score: Shown['score']): HTMLElement {
  if (!score) return card('Score', '–', '', 'None: not every case of it was run, or the run has not ended.');
  const unsteady = score.unsteady?.length ? ` ${casesText(score.unsteady.length)} of them unsteady.` : '';
  const formula = `100 × the geometric mean of reference time over own time in ${casesText(score.cases.length)}`;
  return card(
    `Score, version ${score.version}`,
    number(score.value),
    '',
    `${formula}; ${score.reference} is 100.${unsteady}`,
  );
}

const roofCard = (ceilings: Shown['ceilings']): HTMLElement =>
  card(
    'Roof, float32',
    ceilings ? number(ceilings.fmaF32) : '–',
    'GFLOPS',
    ceilings ? `${number(ceilings.readGbps)} GB/s read; the best of what was measured first` : 'Measured first.',
  );
