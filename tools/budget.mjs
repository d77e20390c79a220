import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const BUDGET = fileURLToPath(new URL('../tests/budget.json', import.meta.url));

/**
 * @typedef {{ seconds: number, pipelines?: number }} Cost of a suite: by the clock, which no two machines share, and in pipelines
 *   compiled, which an adapter does
 * @typedef {{ suite: string, name: string, ms: number, pipelines: number, skipped: boolean }} Test
 * @typedef {{ name: string, status?: string, message?: string, assertionResults: { fullName: string, status: string,
 *   duration?: number | null, failureMessages?: readonly string[], meta?: { pipelines?: number } }[] }} TestFile
 */

/** What each suite may cost. @returns {Record<string, Cost>} */
export const readBudget = () => JSON.parse(readFileSync(BUDGET, 'utf8'));

/** The tests of a run with what each cost. @param {string} suite @param {{ testResults: TestFile[] }} report Vitest's, as JSON */
export const testsOf = (suite, { testResults }) =>
  testResults.flatMap(({ assertionResults }) =>
    assertionResults.map(({ fullName, status, duration, meta }) => ({
      suite,
      name: fullName.trim(),
      ms: duration ?? 0,
      pipelines: meta?.pipelines ?? 0,
      skipped: status !== 'passed' && status !== 'failed',
    })),
  );

/** The first line of a message, as much as fits. @param {string} [message] */
const firstLine = (message = '') => message.trim().split('\n', 1)[0]?.slice(0, 200) ?? '';

/** What failed, a line each: tests, and files that could not be loaded. @param {{ testResults: TestFile[] }} report Vitest's, as JSON */
export const failuresOf = ({ testResults }) =>
  testResults.flatMap(({ name, status, message, assertionResults }) => {
    const failed = assertionResults.filter((test) => test.status === 'failed');
    if (status === 'failed' && !failed.length) return [`${name}: ${firstLine(message)}`];
    return failed.map(({ fullName, failureMessages }) => `${fullName.trim()}: ${firstLine(failureMessages?.[0])}`);
  });

/**
 * `123 of 300 s, 410 of 600 pipelines`, and whether that is within the budget.
 * @param {Cost} cost
 * @param {Cost | undefined} budget
 * @returns {{ within: boolean, text: string }}
 */
export function judge(cost, budget) {
  if (!budget) return { within: false, text: 'tests/budget.json has no such suite' };
  const { pipelines = 0 } = cost;
  const counted = budget.pipelines === undefined ? '' : `, ${pipelines} of ${budget.pipelines} pipelines`;
  return {
    within: cost.seconds <= budget.seconds && pipelines <= (budget.pipelines ?? Number.POSITIVE_INFINITY),
    text: `${Math.round(cost.seconds)} of ${budget.seconds} s${counted}`,
  };
}

/** The tests that took longest, a line each. @param {readonly Test[]} tests */
export const slowest = (tests, count = 10) =>
  [...tests]
    .sort((a, b) => b.ms - a.ms)
    .slice(0, count)
    .map(({ suite, name, ms, pipelines }) => {
      const compiled = pipelines ? `, ${pipelines} pipelines` : '';
      return `${(ms / 1000).toFixed(1).padStart(6)} s  ${suite}: ${name}${compiled}`;
    });
