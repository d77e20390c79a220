import { statSync, utimesSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ensureChrome } from './chrome.mjs';
import { isFile, run, secondsSince, tail } from './system.mjs';
import { DENO, ensureLlvmpipe, findVulkanDriver } from './vulkan.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * Makes a bare clone ready on a machine that has only Node with npm: packages, then a Chrome, then (`native`) a driver
 * for WebGPU outside a browser. Each step says what it does in one line, and nothing where there is nothing to do.
 * @param {{ chrome?: boolean, native?: boolean, log?: (line: string) => void }} [options]
 * @returns {Promise<{ chrome: string | undefined, dawn: ReturnType<typeof findVulkanDriver>,
 *   wgpu: ReturnType<typeof findVulkanDriver> }>} the browser's path, and the drivers for Dawn in Node and for wgpu in
 *   Deno, each undefined where not asked for; a driver also where the machine has none that works
 * @throws {Error} when the packages or Chrome can neither be found nor installed
 */
export async function setup({ chrome = true, native = false, log = console.error } = {}) {
  await ensurePackages({ log });
  const browser = chrome ? await ensureChrome({ log }) : undefined;
  if (native) await ensureLlvmpipe({ log });
  const driver = (/** @type {import('./vulkan.mjs').Runtime | undefined} */ runtime = undefined) =>
    native ? findVulkanDriver({ chrome: browser, runtime }) : undefined;
  return { chrome: browser, dawn: driver(), wgpu: driver(DENO) };
}

/**
 * Installs the packages of `root` when they are missing or older than its package-lock.json.
 * @param {{ root?: string, log?: (line: string) => void }} [options] `root` ends in a separator
 * @throws {Error} when npm fails
 */
export async function ensurePackages({ root = ROOT, log = console.error } = {}) {
  const lock = `${root}package-lock.json`;
  const installed = `${root}node_modules/.package-lock.json`; // npm writes it last: a broken-off installation has none
  const locked = isFile(lock);
  if (isFile(installed) && (!locked || statSync(installed).mtimeMs >= statSync(lock).mtimeMs)) return;

  const args = [locked ? 'ci' : 'install', '--no-audit', '--no-fund'];
  log(`Installing packages (npm ${args[0]}).`);
  const started = Date.now();
  const options = {
    cwd: root,
    env: { PUPPETEER_SKIP_DOWNLOAD: '1', PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD: '1' },
    what: 'npm',
    log,
  };
  // npm is a batch file on Windows, which only a shell can start.
  const { ok, output } =
    process.platform === 'win32'
      ? await run(`npm.cmd ${args.join(' ')}`, [], { ...options, shell: true })
      : await run('npm', args, options);
  if (!ok) {
    log(tail(output));
    throw new Error(`The packages could not be installed: npm ${args[0]} failed, see above.`);
  }
  // Without a lock, npm writes one after its own record.
  if (isFile(installed)) utimesSync(installed, new Date(), new Date());
  log(`Packages installed in ${secondsSince(started)}.`);
}
