import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { between, markdownTable } from './markdown.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const RESULTS = join(ROOT, '.cache/parity');
const DOCUMENT = join(ROOT, 'docs/parity.md');

/** What the suites run on, in the order of the columns. */
const SUITES = { chrome: 'Dawn in Chrome', dawn: 'Dawn in Node', wgpu: 'wgpu in Deno', firefox: 'wgpu in Firefox' };

/**
 * @typedef {import('../tests/support/parity.ts').Parity} Parity
 * @typedef {import('../tests/support/parity.ts').Score} Score
 * @typedef {keyof typeof SUITES} Suite
 * @typedef {{ suite: Suite, adapter: string, date: string, own: Record<string, Score>,
 *   webnn: Record<string, Score> }} Column op to how many of its cases passed on an adapter: ours, the W3C's
 */

/**
 * Adds up what the tests of a run say of the ops.
 * @param {Suite} suite
 * @param {string} date
 * @param {{ testResults: { assertionResults: { meta: { parity?: Parity } }[] }[] }} report Vitest's, as JSON
 * @returns {Column | undefined} undefined where no test did
 */
export function columnOf(suite, date, { testResults }) {
  const sheets = testResults.flatMap(({ assertionResults }) =>
    assertionResults.flatMap(({ meta }) => meta.parity ?? []),
  );
  if (!sheets.length) return undefined;
  /** @type {Column} */
  const column = { suite, adapter: sheets[0]?.adapter ?? '', date, own: {}, webnn: {} };
  for (const { cases, ops } of sheets) {
    for (const [op, { passed, total }] of Object.entries(ops)) {
      const sum = column[cases][op] ?? { passed: 0, total: 0 };
      column[cases][op] = { passed: sum.passed + passed, total: sum.total + total };
    }
  }
  return column;
}

/** Keeps a column until the suite is run again. @param {Column} column */
export function keepColumn(column) {
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(join(RESULTS, `${column.suite}.json`), `${JSON.stringify(column, null, 2)}\n`);
}

/** @returns {Column[]} */
export function readColumns() {
  const files = existsSync(RESULTS) ? readdirSync(RESULTS) : [];
  return Object.keys(SUITES)
    .filter((suite) => files.includes(`${suite}.json`))
    .map((suite) => JSON.parse(readFileSync(join(RESULTS, `${suite}.json`), 'utf8')));
}

/**
 * Op by adapter: how many of our cases passed, and of the W3C's.
 * @param {readonly Column[]} columns
 * @returns {string} Markdown
 */
export function parityTable(columns) {
  const ops = new Set(columns.flatMap(({ own, webnn }) => [...Object.keys(own), ...Object.keys(webnn)]));
  const score = (/** @type {Score | undefined} */ sum) => (sum ? `${sum.passed}/${sum.total}` : '');
  const told = columns.flatMap(({ suite, own, webnn }) => [
    { title: SUITES[suite], scores: own },
    ...(Object.keys(webnn).length ? [{ title: 'WebNN', scores: webnn }] : []),
  ]);
  const cells = told.map(({ scores }) => scores);
  const rows = [...ops].sort().map((op) => [op, ...cells.map((scores) => score(scores[op]))]);
  const all = cells.map((scores) => {
    const sums = Object.values(scores);
    const add = (/** @type {keyof Score} */ key) => sums.reduce((sum, each) => sum + each[key], 0);
    return score({ passed: add('passed'), total: add('total') });
  });
  const titles = ['op', ...told.map(({ title }) => title)];
  const adapters = columns.map(({ suite, adapter, date }) => `- ${SUITES[suite]}: ${adapter}, ${date.slice(0, 10)}`);
  return [...adapters, '', ...markdownTable(titles, [...rows, ['all', ...all]])].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = readFileSync(DOCUMENT, 'utf8');
  writeFileSync(DOCUMENT, between(text, 'parity', parityTable(readColumns())));
}
