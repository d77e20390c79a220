import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { aptInstall, aptRelease, findBrowser, isFile, isRoot, placesOf, run, starts, tail } from './system.mjs';

const PLAYWRIGHT_CLI = fileURLToPath(new URL('../node_modules/playwright/cli.js', import.meta.url));
const ADAPTER_CACHE = fileURLToPath(new URL('../node_modules/.cache/tilewright/adapter.json', import.meta.url));

/** Chrome and its kin, most wanted first. */
const CHROMES = {
  win32: [
    'Google\\Chrome\\Application\\chrome.exe',
    'Chromium\\Application\\chrome.exe',
    'Google\\Chrome SxS\\Application\\chrome.exe',
    'Microsoft\\Edge\\Application\\msedge.exe',
  ],
  darwin: ['Google Chrome', 'Chromium', 'Google Chrome Canary'].map((name) => `${name}.app/Contents/MacOS/${name}`),
  linux: ['google-chrome', 'google-chrome-stable', 'chromium', 'chromium-browser'],
};

/**
 * Where a system keeps Chrome and its kin, most wanted first, whether or not anything is there.
 * @param {import('./system.mjs').Machine} [machine]
 */
export const chromeCandidates = (machine) => placesOf(CHROMES, machine);

/** The browser that Playwright would start, there or not; undefined without Playwright. */
async function playwrightChrome() {
  try {
    return (await import('playwright')).chromium.executablePath();
  } catch {
    return undefined;
  }
}

/**
 * The Chrome to use: CHROME_PATH, else the system's, else Playwright's.
 * @returns {Promise<string | undefined>} the executable's path; undefined where there is none
 * @throws {Error} when CHROME_PATH is set but no browser
 */
export async function findChrome() {
  const found = await findBrowser('CHROME_PATH', chromeCandidates());
  if (found) return found;
  const path = await playwrightChrome();
  return path !== undefined && (await starts(path)) ? path : undefined;
}

/**
 * `findChrome`, and where there is none it is installed: by Playwright, else as root on Debian and Ubuntu by apt-get.
 * @param {{ log?: (line: string) => void }} [options]
 * @returns {Promise<string>} the executable's path
 * @throws {Error} when CHROME_PATH is set but no browser, or when none could be installed
 */
export async function ensureChrome({ log = console.error } = {}) {
  const found = await findChrome();
  if (found) return found;
  const release = aptRelease();
  if (isFile(PLAYWRIGHT_CLI)) {
    log('No Chrome found: letting Playwright install Chromium.');
    await playwright(['install', 'chromium'], log);
    const path = await playwrightChrome();
    if (path !== undefined && isFile(path)) {
      if (await starts(path)) return path;
      // A bare machine lacks the libraries that Chromium is linked with.
      if (release) await playwright(['install-deps', 'chromium'], log);
      if (await starts(path)) return path;
    }
  }
  if (release && (await aptInstall('chromium', ['--no-install-recommends'], log))) {
    const installed = await findChrome();
    if (installed) return installed;
  }
  throw new Error(
    'No Chrome was found and none could be installed: install Chrome or Chromium, or set CHROME_PATH to one.',
  );
}

/** @param {string[]} args @param {(line: string) => void} log */
async function playwright(args, log) {
  const { ok, output } = await run(process.execPath, [PLAYWRIGHT_CLI, ...args], {
    timeout: 600_000,
    what: 'Playwright',
    log,
  });
  if (!ok) log(`playwright ${args.join(' ')} failed:\n${tail(output, 4)}`);
}

/**
 * The command line that gives a headless Chrome WebGPU.
 * @param {{ software: boolean, frames?: boolean, platform?: string, root?: boolean, ci?: boolean }} options `software`
 *   asks for SwiftShader, else for the machine's GPU; `frames` for one that WebGPU has frames of videos from
 * @returns {string[]}
 */
export function chromeFlags({
  software,
  frames = false,
  platform = process.platform,
  root = isRoot(),
  ci = Boolean(process.env.CI),
}) {
  const linux = platform === 'linux';
  return [
    '--headless=new',
    // Chrome's sandbox refuses root, and needs user namespaces that containers withhold.
    ...(linux && (root || ci) ? ['--no-sandbox'] : []),
    '--enable-unsafe-webgpu',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--no-first-run',
    ...(software ? ['--use-webgpu-adapter=swiftshader'] : []),
    // Frames of videos come to WebGPU through the GPU process, which has no device of its own without these.
    ...(software && frames ? ['--enable-features=Vulkan', '--use-vulkan=swiftshader', '--use-angle=swiftshader'] : []),
    // Linux alone does not offer WebGPU on Vulkan by itself; a surface would need a display.
    ...(linux && !software ? ['--enable-features=Vulkan', '--use-angle=vulkan', '--disable-vulkan-surface'] : []),
  ];
}

/**
 * Whether an adapter computes on the CPU, by what it says of itself.
 * @param {{ vendor?: string, architecture?: string, device?: string, description?: string, isFallbackAdapter?: boolean }} info
 */
export function isSoftware({ vendor, architecture, device, description, isFallbackAdapter }) {
  const names = [vendor, architecture, device, description].join(' ');
  return Boolean(isFallbackAdapter) || /swiftshader|llvmpipe|lavapipe|basic render/i.test(names);
}

/** @type {Map<string, Promise<{ software: boolean }>>} */
const chosen = new Map();

/**
 * Whether a Chrome on this machine has a GPU to offer or takes SwiftShader. Asks the browser once a machine (the
 * answer is kept under node_modules/.cache); TILEWRIGHT_ADAPTER=gpu|swiftshader decides without asking.
 * @param {string} executablePath
 * @returns {Promise<{ software: boolean }>} what `chromeFlags` takes
 * @throws {Error} when TILEWRIGHT_ADAPTER is neither, or puppeteer-core is not installed
 */
export async function chooseAdapter(executablePath) {
  const asked = process.env.TILEWRIGHT_ADAPTER;
  if (asked) {
    if (asked !== 'gpu' && asked !== 'swiftshader')
      throw new Error(`TILEWRIGHT_ADAPTER is ${asked}, expected gpu or swiftshader.`);
    return { software: asked === 'swiftshader' };
  }
  const key = `${executablePath}@${statSync(executablePath).mtimeMs}`;
  const answer = chosen.get(key) ?? remembered(key, executablePath);
  chosen.set(key, answer);
  return answer;
}

/** @param {string} key @param {string} executablePath @returns {Promise<{ software: boolean }>} */
async function remembered(key, executablePath) {
  const cache = readCache();
  if (typeof cache[key]?.software === 'boolean') return cache[key];
  const patience = { timeout: 30_000, protocolTimeout: 30_000 };
  const info = await askAdapter((launch) =>
    launch({ executablePath, args: chromeFlags({ software: false }), ...patience }),
  );
  const answer = { software: !info || isSoftware(info) };
  // A launch that failed may go better the next time, so only an answer is kept.
  if (info !== undefined) writeCache({ ...cache, [key]: answer });
  return answer;
}

/** @returns {Record<string, { software: boolean } | undefined>} */
function readCache() {
  try {
    return JSON.parse(readFileSync(ADAPTER_CACHE, 'utf8')) ?? {};
  } catch {
    return {};
  }
}

/** @param {Record<string, { software: boolean } | undefined>} cache */
function writeCache(cache) {
  try {
    mkdirSync(dirname(ADAPTER_CACHE), { recursive: true });
    writeFileSync(ADAPTER_CACHE, `${JSON.stringify(cache, null, 2)}\n`);
  } catch {
    // Where node_modules is read-only the browser is asked every time.
  }
}

/**
 * Starts a browser and asks what adapter it has.
 * @param {(launch: typeof import('puppeteer-core').launch) => Promise<import('puppeteer-core').Browser>} start
 * @returns {Promise<Parameters<typeof isSoftware>[0] | null | undefined>} null: no adapter; undefined: the browser failed
 */
export async function askAdapter(start) {
  const { launch } = await import('puppeteer-core').catch((cause) => {
    throw new Error('puppeteer-core is not installed, so no browser can be asked for its adapter: run npm install.', {
      cause,
    });
  });
  // navigator.gpu exists in secure contexts only: 127.0.0.1 is one, about:blank is not.
  const server = createServer((_, response) => response.setHeader('content-type', 'text/html').end('<!doctype html>'));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  let browser;
  try {
    browser = await start(launch);
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${port}/`);
    return await page.evaluate(async () => {
      const info = (await navigator.gpu?.requestAdapter())?.info;
      if (!info) return null;
      const { vendor, architecture, device, description, isFallbackAdapter } = info;
      return { vendor, architecture, device, description, isFallbackAdapter };
    });
  } catch {
    return undefined;
  } finally {
    await browser?.close().catch(() => {});
    server.closeAllConnections();
    server.close();
  }
}
