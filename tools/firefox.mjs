import { askAdapter } from './chrome.mjs';
import { aptInstall, aptRelease, findBrowser, placesOf } from './system.mjs';
import { vulkanEnv } from './vulkan.mjs';

/** Debian's is `firefox-esr`; Ubuntu's `firefox` may be a stub of a snap, which does not start. */
const FIREFOXES = {
  win32: ['Mozilla Firefox\\firefox.exe', 'Firefox Nightly\\firefox.exe'],
  darwin: ['Firefox.app/Contents/MacOS/firefox', 'Firefox Nightly.app/Contents/MacOS/firefox'],
  linux: ['firefox', 'firefox-esr'],
};

/** On Linux Firefox has WebGPU behind a preference, and blocks software adapters. */
const PREFERENCES = {
  'dom.webgpu.enabled': true,
  'gfx.webgpu.ignore-blocklist': true,
  // A camera that is played, and no question whether a page may use it.
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
};

/**
 * Where a system keeps Firefox, most wanted first, whether or not anything is there.
 * @param {import('./system.mjs').Machine} [machine]
 */
export const firefoxCandidates = (machine) => placesOf(FIREFOXES, machine);

/**
 * The Firefox to use: FIREFOX_PATH, else the system's.
 * @returns {Promise<string | undefined>} the executable's path; undefined where there is none
 * @throws {Error} when FIREFOX_PATH is set but no browser
 */
export const findFirefox = () => findBrowser('FIREFOX_PATH', firefoxCandidates());

/**
 * Starts Firefox headless with WebGPU, driven over WebDriver BiDi.
 * @param {string} executablePath
 * @param {string} icd the manifest of the Vulkan driver to use; '' means the system's own choice
 * @param {{ protocolTimeout?: number }} [options] milliseconds that it may take to answer; 0, without end, where a test says itself how
 *   long it waits
 */
export async function launchFirefox(executablePath, icd, { protocolTimeout = 0 } = {}) {
  const { launch } = await import('puppeteer-core');
  return launch({
    browser: 'firefox',
    executablePath,
    headless: true,
    env: { ...process.env, ...vulkanEnv(icd) },
    extraPrefsFirefox: PREFERENCES,
    timeout: 120_000,
    protocolTimeout,
  });
}

/**
 * Finds Firefox, and installs it as root on Debian by apt-get where there is none. Then it is asked for a WebGPU adapter.
 * @param {string} icd as of `launchFirefox`
 * @param {{ log?: (line: string) => void }} [options]
 * @returns {Promise<string | undefined>} why nothing can be run in it; undefined where it can
 * @throws {Error} when FIREFOX_PATH is set but no browser
 */
export async function ensureFirefox(icd, { log = console.error } = {}) {
  let path = await findFirefox();
  if (!path && aptRelease() && (await aptInstall('firefox-esr', ['--no-install-recommends'], log)))
    path = await findFirefox();
  if (!path) return 'no Firefox was found and none could be installed: install one, or set FIREFOX_PATH to it';
  const executable = path;
  const adapter = await askAdapter(() => launchFirefox(executable, icd, { protocolTimeout: 120_000 }));
  if (adapter) return undefined;
  return `${path} ${adapter === null ? 'has no WebGPU adapter' : 'does not start, or has no WebGPU'}`;
}
