import { make } from '../../examples/shared/dom.ts';
import { number } from '../../examples/shared/format.ts';
import type { BenchRow, SuiteName } from '../report.ts';
import type { CardLine } from './exports.ts';
import { casesText } from './plots.ts';
import { ownRows, type Shown, timingText, WHY_UNSTEADY } from './words.ts';

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

/** The score, with its formula, where the run has one, and the headlines: each says its size, type, median and spread. */
export function headlines({ rows, score, ceilings }: Shown): HTMLElement[] {
  const list = headlineRows(rows).map(({ title, number: figure, unit, detail, row }) =>
    card(
      title,
      figure,
      unit,
      detail,
      ...(row.unsteady
        ? [
            make(
              'span',
              { class: 'mark-unsteady' },
              ` Unsteady: ${row.unsteady.map((why) => WHY_UNSTEADY[why]).join(', ')}.`,
            ),
          ]
        : []),
    ),
  );
  const scored = score
    ? [
        card(
          `Score, version ${score.version}`,
          number(score.value),
          '',
          `100 × the geometric mean of reference time over own time in ${casesText(score.cases.length)}; ${score.reference} is 100.${score.unsteady?.length ? ` ${casesText(score.unsteady.length)} of them unsteady.` : ''}`,
        ),
      ]
    : [];
  const roof = ceilings
    ? [
        card(
          'Roof, float32',
          number(ceilings.fmaF32),
          'GFLOPS',
          `${number(ceilings.readGbps)} GB/s read; the best of what was measured first`,
        ),
      ]
    : [];
  return [...scored, ...list, ...roof];
}
