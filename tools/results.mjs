import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { between, markdownTable } from './markdown.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const RESULTS = join(ROOT, 'bench/results');
const PAGE = join(ROOT, 'docs/guides/bench.md');

/** @typedef {import('../bench/report.ts').BenchReport} BenchReport */
/** @typedef {import('../bench/report.ts').BenchRow} BenchRow */

/** The peers' columns. @type {readonly [engine: BenchRow['engine'], title: string][]} */
const PEERS = [
  ['onnxruntime-web', 'onnxruntime-web, WebGPU'],
  ['onnxruntime-web-wasm', 'the same, wasm'],
  ['tensorflow.js', 'TensorFlow.js, WebGPU'],
  ['jax-js', 'jax-js, WebGPU'],
];

/** All reports in bench/results. @returns {BenchReport[]} */
export const readReports = () =>
  readdirSync(RESULTS)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => JSON.parse(readFileSync(join(RESULTS, file), 'utf8')));

/**
 * The newest report of each adapter and choice of suites that has peers, as tables: our median, and each peer's with its ratio to ours.
 * @param {readonly BenchReport[]} reports
 * @returns {string} Markdown
 */
export function resultTables(reports) {
  /** @type {Map<string, BenchReport>} */
  const newest = new Map();
  for (const report of reports) {
    if (report.void !== undefined || report.rows.every(({ engine }) => engine === 'tilewright')) continue;
    const suites = [...new Set(report.rows.map(({ suite }) => suite))].sort();
    const key = `${report.adapter.vendor} ${report.adapter.architecture} ${suites}`;
    if (!(Date.parse(newest.get(key)?.date ?? '') > Date.parse(report.date))) newest.set(key, report);
  }
  return [...newest.values()].map(adapterTable).join('\n\n');
}

/** @param {BenchReport} report */
function adapterTable({ adapter, date, versions, ceilings, rows }) {
  const peers = PEERS.filter(([engine]) => rows.some((row) => row.engine === engine));
  const named = peers
    .filter(([engine]) => engine !== 'onnxruntime-web-wasm')
    .map(([engine]) => `${engine === 'tensorflow.js' ? 'TensorFlow.js' : engine} ${versions[engine]}`);
  const heading = [
    `**${adapter.description || `${adapter.vendor} ${adapter.architecture}`.trim() || 'adapter not told'}**, ${date.slice(0, 10)}`,
    browserOf(versions.browser ?? ''),
    ...named,
  ].join(', ');
  const roofs = `Ceilings: ${figure(ceilings.fmaF32)} GFLOPS of float32 multiply-adds, ${figure(ceilings.readGbps)} GB/s read.`;
  const lines = rows
    .filter(({ engine }) => engine === 'tilewright')
    .map((ours) => {
      const same = (/** @type {BenchRow} */ row) =>
        row.name === ours.name && row.shape === ours.shape && row.dtype === ours.dtype;
      const others = peers.map(([engine]) => {
        const row = rows.find((candidate) => candidate.engine === engine && same(candidate));
        return row ? `${milliseconds(row)}, ${figure(row.ratioToTilewright)}×` : '';
      });
      const share = ours.pctOfRoof === null ? '' : ` (${Math.round(ours.pctOfRoof)} %)`;
      const type = ours.dtype === 'float32' ? '' : `, ${ours.dtype}`;
      return [`${ours.name}, ${ours.shape}${type}`, `${milliseconds(ours)}${share}`, ...others];
    });
  const titles = ['case', 'Tilewright (of the roof)', ...peers.map(([, title]) => title)];
  return [`${heading}. ${roofs}`, '', ...markdownTable(titles, lines)].join('\n');
}

/** @param {BenchRow} row */
const milliseconds = ({ ms: { median } }) => `${figure(median)} ms`;

/** Three figures: `1234`, `123`, `12.3`, `0.123`. @param {number} value */
const figure = (value) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));

/** `Chrome 156`, or `Node`. @param {string} agent */
function browserOf(agent) {
  const browser = agent.match(/(Chrome|Firefox)\/\d+/)?.[0];
  return browser?.replace('/', ' ') ?? 'Dawn in Node';
}

/** The text with new tables between its marks. @param {string} text @param {string} tables */
export const withTables = (text, tables) => between(text, 'bench/results', tables);

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(PAGE, withTables(readFileSync(PAGE, 'utf8'), resultTables(readReports())));
