import { type BenchRow, caseName, type Score } from './report.ts';
import reference from './score.json';

/** How a score of this version is made: reference times in ms, by case. The file never changes but for a new version. */
export interface ScoreFormula {
  readonly version: number;
  /** The adapter whose score is 100, and the report in bench/results that its times are of. */
  readonly reference: string;
  readonly report: string;
  readonly ms: Readonly<Record<string, number>>;
}

/** The formula now: 100 times the geometric mean, over its cases, of reference time over own time. */
export const FORMULA: ScoreFormula = reference;

/** The score of Tilewright's rows; undefined where a case is missing. */
export function scoreOf(rows: readonly BenchRow[], formula = FORMULA): Score | undefined {
  const own = new Map(rows.filter(({ engine }) => engine === 'tilewright').map((row) => [caseName(row), row]));
  const cases = Object.entries(formula.ms);
  let logs = 0;
  const unsteady: string[] = [];
  for (const [name, ms] of cases) {
    const row = own.get(name);
    if (!row) return undefined;
    logs += Math.log(ms / row.ms.median);
    if (row.unsteady) unsteady.push(name);
  }
  return {
    version: formula.version,
    value: 100 * Math.exp(logs / cases.length),
    reference: formula.reference,
    cases: cases.map(([name]) => name),
    ...(unsteady.length && { unsteady }),
  };
}

/** The first score over the second; undefined where one is missing or they are of different versions. */
export const scoreRatio = (one: Score | undefined, other: Score | undefined): number | undefined =>
  one && other && one.version === other.version ? one.value / other.value : undefined;
