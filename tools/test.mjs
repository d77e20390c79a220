// npm test: everything there is to check, suite by suite. Arguments name suites (check build unit chrome dawn wgpu firefox compiler package pages size);
// `exhaustive`, every kernel variant in every forced mode with ratios of times, runs only when it is named. The last line is `N passed, N failed, N skipped`.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { failuresOf, judge, readBudget, slowest, testsOf } from './budget.mjs';
import { ensureFirefox } from './firefox.mjs';
import { ensureCompilers, missing } from './gpu-compiler/drivers.mjs';
import { columnOf, keepColumn, parityTable, readColumns } from './parity.mjs';
import { setup } from './setup.mjs';
import { secondsSince } from './system.mjs';
import { DENO, vulkanEnv } from './vulkan.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const REPORT = `${ROOT}.cache/test-report.json`;
const wanted = process.argv.slice(2);

const log = (/** @type {string} */ line) => console.log(line);
const total = { passed: 0, failed: 0, skipped: 0 };
/** What Vitest ran, in all suites. @type {import('./budget.mjs').Test[]} */
const tests = [];
/** A line for each that failed: what it was, and why where that fits. @type {string[]} */
const failures = [];
let suite = '';

/**
 * @param {readonly string[]} args
 * @param {{ runtime?: import('./vulkan.mjs').Runtime, env?: Record<string, string> }} [options] `runtime`: what runs the script, this Node
 *   where absent
 */
function node(args, { runtime: [command, ...before] = [process.execPath], env } = {}) {
  const options = { cwd: ROOT, env: { ...process.env, ...env } };
  return spawnSync(command, [...before, ...args], { ...options, stdio: 'inherit' }).status === 0;
}

/** Counts a failure and keeps it for the end, where who reads only the last lines finds it. @param {string} what */
function fail(what) {
  total.failed++;
  failures.push(what);
}

/** A tool that passes or fails as one. @param {string} title @param {() => boolean} work */
function step(title, work) {
  const ok = work();
  if (ok) total.passed++;
  else fail(title);
  log(`${ok ? 'passed' : 'FAILED'}: ${title}`);
}

/**
 * A project of Vitest: its tests are counted one by one.
 * @param {string} project
 * @param {{ files?: readonly string[], runtime?: import('./vulkan.mjs').Runtime, env?: Record<string, string> }} [options] `files`: parts of
 *   the paths of those to run, all where absent
 * @returns what Vitest reports; undefined where it got nowhere
 */
function vitest(project, { files = [], ...options } = {}) {
  rmSync(REPORT, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${REPORT}`];
  const ok = node(['node_modules/vitest/vitest.mjs', 'run', ...files, '--project', project, ...reporters], options);
  if (!existsSync(REPORT)) {
    fail(`${suite}: Vitest wrote no report`);
    return undefined;
  }
  const report = JSON.parse(readFileSync(REPORT, 'utf8'));
  total.passed += report.numPassedTests;
  total.skipped += report.numPendingTests + report.numTodoTests;
  const failed = failuresOf(report);
  if (!ok && !failed.length) failed.push('an error outside all tests, see above');
  for (const what of failed) fail(`${suite}: ${what}`);
  tests.push(...testsOf(suite, report));
  return report;
}

/** What cannot be run on this machine is skipped and says why; in CI it fails. @param {string} title @param {string} reason */
function unavailable(title, reason) {
  if (process.env.CI) fail(`${title}: ${reason}`);
  else total.skipped++;
  log(`${process.env.CI ? 'FAILED' : 'SKIPPED'}: ${title}: ${reason}`);
}

const { dawn, wgpu } = await setup({ native: true, log });
mkdirSync(`${ROOT}.cache`, { recursive: true });
const { build } = await import('./build.mjs');

const NO_DRIVER = 'no Vulkan driver was found that it takes (Mesa 23 or later has one)';

/**
 * WebGPU implementations that run all tests: Vitest's project, how it is run, and what to say where there is none of it.
 * @type {Record<Exclude<import('./parity.mjs').Suite, 'firefox'>, { project?: string, options?: Parameters<typeof vitest>[1], reason: string }>}
 */
const devices = {
  chrome: { project: 'chrome*', reason: '' }, // frames of videos have a browser of their own
  dawn: { ...(dawn && { project: `dawn-${dawn.name}` }), reason: `Dawn in Node: ${NO_DRIVER}` },
  wgpu: {
    ...(wgpu && { project: 'wgpu', options: { runtime: DENO, env: vulkanEnv(wgpu.icd) } }),
    reason: `wgpu in Deno: ${existsSync(DENO[1] ?? '') ? NO_DRIVER : 'npm has no deno for this platform'}`,
  },
};

/** What a run says of the ops, for the table. @param {import('./parity.mjs').Suite} suite @param {ReturnType<typeof vitest>} report */
function keepScores(suite, report) {
  const column = report && columnOf(suite, new Date().toISOString(), report);
  if (column) keepColumn(column);
}

/** All tests that need a GPU, or those of `files` in a forced mode. @param {keyof typeof devices} suite @param {string} [mode] */
function onDevice(suite, mode) {
  const { project, options, reason } = devices[suite];
  const title = mode ? `${suite}, ${mode}` : suite;
  if (!project) return unavailable(title, reason);
  if (!mode) {
    return keepScores(suite, vitest(project, options));
  }
  log(`\n━━ ${title}`);
  const started = Date.now();
  const env = { ...options?.env, TILEWRIGHT_MODE: mode };
  vitest(project, {
    ...options,
    files: ['tests/ops/ops.gpu', 'tests/ops/forced', 'tests/ops/ratios', 'tests/models/types', 'tests/conformance'],
    env,
  });
  log(`${title}: ${secondsSince(started)}`);
}

/** @type {Record<string, () => void | Promise<void>>} */
const suites = {
  check() {
    step('format and lint (biome)', () =>
      node(['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.']),
    );
    step('types (tsc)', () => node(['node_modules/typescript/bin/tsc', '--noEmit']));
    step('imports point down the floors (dependency-cruiser)', () =>
      node([
        'node_modules/dependency-cruiser/bin/dependency-cruise.mjs',
        '--config',
        '.dependency-cruiser.cjs',
        'src',
        'bench',
        'examples',
      ]),
    );
  },
  async build() {
    await build({ log });
    process.env.TILEWRIGHT_PAGES_BUILT = '1'; // the pages' tests would build them again
  },
  unit: () => void vitest('unit'),
  chrome: () => onDevice('chrome'),
  dawn: () => onDevice('dawn'),
  wgpu: () => onDevice('wgpu'),
  async firefox() {
    const reason = await ensureFirefox(dawn?.icd ?? '', { log });
    if (reason) return unavailable('Firefox', reason);
    keepScores('firefox', vitest('firefox*')); // the tests and the pages, side by side
  },
  async compiler() {
    await ensureCompilers({ log });
    const reason = missing();
    if (reason) unavailable('compilers of GPUs', reason);
    else vitest('compiler');
  },
  package: () => void vitest('package'),
  pages: () => void vitest('pages'),
  size() {
    step('the core bundle is small (size-limit)', () => node(['node_modules/size-limit/bin.js']));
    step('the package is well formed (publint)', () => node(['node_modules/publint/src/cli.js']));
    step('its types are found by whoever imports it (are-the-types-wrong)', () =>
      node(['node_modules/@arethetypeswrong/cli/dist/index.js', '--pack', '.', '--profile', 'esm-only', '--quiet']),
    );
  },
  exhaustive() {
    for (const mode of ['every', 'bare', 'limits', 'gpu', 'lean'])
      for (const suite of keysOf(devices)) onDevice(suite, mode);
  },
};

/** @template {string} K @param {Record<K, unknown>} record */
const keysOf = (record) => /** @type {K[]} */ (Object.keys(record));

for (const name of wanted) {
  if (name in suites) continue;
  console.error(`there is no suite '${name}' (${Object.keys(suites).join(', ')})`);
  process.exit(2);
}
const chosen = keysOf(suites).filter((name) => (wanted.length ? wanted.includes(name) : name !== 'exhaustive'));
const budget = readBudget();
for (const name of chosen) {
  suite = name;
  log(`\n━━ ${name}`);
  const started = Date.now();
  await suites[name]?.();
  const seconds = (Date.now() - started) / 1000;
  const pipelines = tests.reduce((sum, test) => sum + (test.suite === name ? test.pipelines : 0), 0);
  const { within, text } = judge({ seconds, pipelines }, budget[name]);
  if (name === 'exhaustive') log(`${name}: ${secondsSince(started)}`);
  else step(`${name} is within its budget (tests/budget.json): ${text}`, () => within);
}
if (chosen.some((name) => name in devices || name === 'firefox')) log(`\n${parityTable(readColumns())}`);
if (tests.length) log(`\nThe slowest tests:\n${slowest(tests).join('\n')}`);
const skipped = tests.filter((test) => test.skipped);
if (skipped.length) log(`\nSkipped:\n${skipped.map((test) => `  ${test.suite}: ${test.name}`).join('\n')}`);
if (failures.length) log(`\nFailed:\n${failures.map((what) => `  ${what}`).join('\n')}`);
log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed ? 1 : 0);
