import { make } from '../../examples/shared/dom.ts';
import { number } from '../../examples/shared/format.ts';
import type { BenchReport } from '../report.ts';
import { barTable } from './bars.ts';
import {
  areScoresComparable,
  type ComparedCase,
  compareRuns,
  meanRatio,
  RATIO_FORMULA,
  type Ratio,
} from './compare.ts';
import type { Bar } from './plots.ts';
import { caseName, runName, suiteTitle } from './words.ts';

/** `2.05× ± 0.03`. */
export const ratioText = ({ value, plusMinus }: Ratio): string =>
  `${number(value)}×${plusMinus === undefined ? '' : ` ± ${number(plusMinus)}`}`;

const COLOURS = ['--series-1', '--series-2', '--series-3', '--series-4', '--series-5', '--series-6'];

/** A run beside others: bars of the mean ratio by suite, and all cases with a column of ratios for each. */
export function sideBySide(base: BenchReport, others: readonly BenchReport[]): HTMLElement[] {
  const compared = others.map((other) => compareRuns(base, other));
  const suites = [...new Set(base.rows.map(({ suite }) => suite))];
  const letters = others.map((_, i) => String.fromCharCode(66 + i));
  return [
    make(
      'ol',
      { class: 'run-letters small' },
      ...[base, ...others].map((run, i) =>
        make(
          'li',
          { style: `--colour:var(${i ? COLOURS[(i - 1) % COLOURS.length] : '--ink'})` },
          `${runName(run)}${run.void ? ' (void: it does not count)' : ''}`,
        ),
      ),
    ),
    scores(base, others),
    make('h3', {}, 'Speed beside A, geometric mean by suite'),
    barTable('Geometric mean of the ratios by suite', bars(compared, suites, letters)),
    make('h3', {}, 'All cases'),
    caseTable(base, compared, suites, letters),
    make('p', { class: 'soft small' }, RATIO_FORMULA),
  ];
}

function scores(base: BenchReport, others: readonly BenchReport[]): HTMLElement {
  const all = [base, ...others];
  const text = areScoresComparable(all)
    ? `Scores (version ${base.score!.version}): ${all.map(({ score }, i) => `${String.fromCharCode(65 + i)} ${number(score!.value)}`).join(', ')}.`
    : all.some(({ score }) => score)
      ? 'Scores are not shown side by side: a run has none, or one of another version or reference.'
      : 'None of these runs has a score.';
  return make('p', { class: 'small soft' }, text);
}

const ratiosOf = (cases: readonly ComparedCase[]): Ratio[] => cases.flatMap(({ ratio }) => ratio ?? []);

function bars(compared: readonly ComparedCase[][], suites: readonly string[], letters: readonly string[]): Bar[] {
  const line = (label: string, belongs: (entry: ComparedCase) => boolean): Bar[] =>
    compared.flatMap((cases, i) => {
      const ratios = ratiosOf(cases.filter(belongs));
      const mean = meanRatio(ratios);
      return mean
        ? [
            {
              label: `${label}, ${letters[i]}`,
              value: mean.value,
              text: `${ratioText(mean)} (${ratios.length})`,
              colour: COLOURS[i % COLOURS.length]!,
            },
          ]
        : [];
    });
  return [
    ...line('All common cases', () => true),
    ...suites.flatMap((suite) => line(suiteTitle(suite), ({ base }) => base.suite === suite)),
  ];
}

function caseTable(
  base: BenchReport,
  compared: readonly ComparedCase[][],
  suites: readonly string[],
  letters: readonly string[],
): HTMLElement {
  const head = ['Case', 'A, ms', ...letters.map((letter) => `${letter} beside A`)];
  const group = (suite: string): HTMLElement => {
    const lines = base.rows.flatMap((row, at) => {
      if (row.suite !== suite) return [];
      const cells = compared.map((cases) => {
        const { other, ratio } = cases[at]!;
        return other && ratio
          ? [
              make('span', { class: 'ratio' }, ratioText(ratio)),
              make('span', { class: 'soft' }, ` ${number(other.ms.median)} ms`),
              ...(other.unsteady ? [' unsteady'] : []),
            ]
          : ['not run'];
      });
      const own = `${number(row.ms.median)}${row.unsteady ? ' unsteady' : ''}`;
      return [
        make(
          'tr',
          {},
          make('td', { class: 'words' }, caseName(row)),
          make('td', {}, own),
          ...cells.map((cell) => make('td', {}, ...cell)),
        ),
      ];
    });
    return make(
      'tbody',
      {},
      make('tr', { class: 'group' }, make('th', { colspan: head.length, scope: 'rowgroup' }, suiteTitle(suite))),
      ...lines,
    );
  };
  return make(
    'div',
    { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Table of ratios' },
    make(
      'table',
      { class: 'figures beside', id: 'ratios' },
      make(
        'thead',
        {},
        make('tr', {}, ...head.map((text, i) => make('th', { scope: 'col', class: i ? undefined : 'words' }, text))),
      ),
      ...suites.map(group),
    ),
  );
}
