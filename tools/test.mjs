// npm test: everything there is to check, suite by suite. Arguments name suites (check build unit chrome dawn pages size).
// The last line is `N passed, N failed, N skipped`.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setup } from './setup.mjs';
import { secondsSince } from './system.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const REPORT = `${ROOT}.cache/test-report.json`;
const wanted = process.argv.slice(2);

const log = (/** @type {string} */ line) => console.log(line);
const total = { passed: 0, failed: 0, skipped: 0 };

/** @param {string} script @param {string[]} args */
const node = (script, ...args) =>
  spawnSync(process.execPath, [script, ...args], { cwd: ROOT, stdio: 'inherit', env: process.env }).status === 0;

/** A tool that passes or fails as one. @param {string} title @param {() => boolean} work */
function step(title, work) {
  const ok = work();
  total[ok ? 'passed' : 'failed']++;
  log(`${ok ? 'passed' : 'FAILED'}: ${title}`);
}

/** A project of Vitest: its tests are counted one by one. @param {string} project */
function vitest(project) {
  rmSync(REPORT, { force: true });
  const ok = node(
    'node_modules/vitest/vitest.mjs',
    'run',
    '--project',
    project,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${REPORT}`,
  );
  if (!existsSync(REPORT)) {
    total.failed++;
    return;
  }
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(readFileSync(REPORT, 'utf8'));
  total.passed += numPassedTests;
  total.failed += numFailedTests || (ok ? 0 : 1); // a file that cannot even be loaded has no tests
  total.skipped += numPendingTests + numTodoTests;
}

const { dawn } = await setup({ dawn: true, log });
mkdirSync(`${ROOT}.cache`, { recursive: true });
const { build } = await import('./build.mjs');

/** @type {Record<string, () => void | Promise<void>>} */
const suites = {
  check() {
    step('format and lint (biome)', () =>
      node('node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.'),
    );
    step('types (tsc)', () => node('node_modules/typescript/bin/tsc', '--noEmit'));
    step('imports point down the floors (dependency-cruiser)', () =>
      node(
        'node_modules/dependency-cruiser/bin/dependency-cruise.mjs',
        '--config',
        '.dependency-cruiser.cjs',
        'src',
        'bench',
        'examples',
      ),
    );
  },
  async build() {
    await build({ log });
    process.env.TILEWRIGHT_PAGES_BUILT = '1'; // the pages' tests would build them again
  },
  unit: () => vitest('unit'),
  chrome: () => vitest('chrome'),
  dawn() {
    if (dawn) vitest(`dawn-${dawn.name}`);
    else {
      total.skipped++;
      log(
        'SKIPPED: f16 and subgroup variants in Node: no Vulkan driver was found that Dawn takes (Mesa 23 or later has one)',
      );
    }
  },
  pages: () => vitest('pages'),
  size() {
    step('the core bundle is small (size-limit)', () => node('node_modules/size-limit/bin.js'));
    step('the package is well formed (publint)', () => node('node_modules/publint/src/cli.js'));
  },
};

for (const name of wanted) {
  if (name in suites) continue;
  console.error(`there is no suite '${name}' (${Object.keys(suites).join(', ')})`);
  process.exit(2);
}
for (const [name, run] of Object.entries(suites)) {
  if (wanted.length && !wanted.includes(name)) continue;
  log(`\n━━ ${name}`);
  const started = Date.now();
  await run();
  log(`${name}: ${secondsSince(started)}`);
}
log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed ? 1 : 0);
