import type { BenchReport, BenchRow } from '../report.ts';
import { caseKey } from './words.ts';

/** How fast one is as a multiple of another, with half of the interval that 95 % of such ratios lie in. */
export interface Ratio {
  readonly value: number;
  /** Absent where a figure has one sample alone. */
  readonly plusMinus: number | undefined;
}

/** A case of two runs. */
export interface ComparedCase {
  readonly key: string;
  readonly base: BenchRow;
  /** Absent where the other run has not measured it. */
  readonly other: BenchRow | undefined;
  /** The base's median over the other's: 2 means that the other is twice as fast. */
  readonly ratio: Ratio | undefined;
}

/** Said wherever ratios are. */
export const RATIO_FORMULA =
  'A ratio is the median of the first run over that of the other: 2× is twice as fast. ± is 1.96 · ratio · √(u₁² + u₂²), where u = 1.253 · (p90 − p10) / (2.563 · √n · median) is the standard error of a median of n samples, relative and were they normal. What disturbs a whole run is not in it.';

/**
 * Standard error of a median, relative: that of a mean of normal samples times √(π/2), their deviation from p10 and p90.
 * Undefined for one sample.
 */
export function relativeError({ median, p10, p90, n }: BenchRow['ms']): number | undefined {
  return n > 1 ? (1.253 * (p90 - p10)) / (2.563 * Math.sqrt(n) * median) : undefined;
}

/** How fast `other` is as a multiple of `base`. */
export function ratioOf(base: BenchRow, other: BenchRow): Ratio {
  const value = base.ms.median / other.ms.median;
  const [a, b] = [relativeError(base.ms), relativeError(other.ms)];
  return { value, plusMinus: a === undefined || b === undefined ? undefined : 1.96 * value * Math.hypot(a, b) };
}

/** All cases of `base` beside those of `other`. */
export function compareRuns(base: Pick<BenchReport, 'rows'>, other: Pick<BenchReport, 'rows'>): ComparedCase[] {
  const theirs = new Map(other.rows.map((row) => [caseKey(row), row]));
  return base.rows.map((row) => {
    const match = theirs.get(caseKey(row));
    return { key: caseKey(row), base: row, other: match, ratio: match && ratioOf(row, match) };
  });
}

/** The geometric mean of ratios, its error from theirs; undefined without any. */
export function meanRatio(ratios: readonly Ratio[]): Ratio | undefined {
  if (!ratios.length) return undefined;
  const value = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio.value), 0) / ratios.length);
  const errors = ratios.map(({ value: own, plusMinus }) => (plusMinus === undefined ? Number.NaN : plusMinus / own));
  const relative = Math.hypot(...errors) / ratios.length;
  return { value, plusMinus: Number.isNaN(relative) ? undefined : value * relative };
}

/** Whether scores may stand side by side: all are there, of one version and against one reference. */
export const areScoresComparable = (reports: readonly Pick<BenchReport, 'score'>[]): boolean =>
  reports.every(
    ({ score }) =>
      score && score.version === reports[0]?.score?.version && score.reference === reports[0]?.score?.reference,
  );
