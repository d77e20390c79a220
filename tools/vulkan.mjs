import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromeCandidates, isSoftware } from './chrome.mjs';
import { aptInstall, aptRelease, isFile } from './system.mjs';

const PROBE = fileURLToPath(new URL('./probe-adapter.mjs', import.meta.url));
/** Runs a script in Deno (npm `deno`), whose WebGPU is wgpu with naga: Firefox's. @type {Runtime} */
export const DENO = [
  process.execPath,
  fileURLToPath(new URL('../node_modules/deno/bin.cjs', import.meta.url)),
  ...['run', '--allow-all', '--unstable-webgpu'],
];
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const BACKPORTS = '/etc/apt/sources.list.d/tilewright-backports.list';

/**
 * @typedef {{ vendor: string, architecture: string, device: string, description: string,
 *   isFallbackAdapter: boolean, features: string[] }} FoundAdapter
 * @typedef {readonly [command: string, ...args: string[]]} Runtime what runs a script
 * @typedef {{ name: 'llvmpipe' | 'swiftshader' | 'system', icd: string }} VulkanDriver `icd` is the driver's manifest;
 *   '' means the system's own choice (on macOS Metal, on Windows D3D12)
 */

/**
 * What a process that uses the driver needs in its environment from its start on. Chrome has a loader of Vulkan beside its
 * SwiftShader, where the system may have none.
 * @param {string} icd
 * @returns {Record<string, string>}
 */
export function vulkanEnv(icd) {
  if (!icd) return {};
  const folder = posix.dirname(icd);
  const paths = [folder, ...(process.env.LD_LIBRARY_PATH?.split(':') ?? [])];
  return {
    VK_DRIVER_FILES: icd,
    VK_ICD_FILENAMES: icd, // loaders before 1.3.207 know this name only
    ...(existsSync(posix.join(folder, 'libvulkan.so.1')) && { LD_LIBRARY_PATH: [...new Set(paths)].join(':') }),
  };
}

/**
 * The drivers to try, most wanted first: the system's GPU, llvmpipe (it has f16 and subgroups), Chrome's SwiftShader.
 * @param {{ platform?: string, env?: Record<string, string | undefined>, home?: string, chromes?: string[],
 *   list?: (folder: string) => string[] }} [machine] `chromes`: executables that may have SwiftShader beside them;
 *   `list`: the file names in a folder, none where it is not there
 * @returns {VulkanDriver[]}
 */
export function vulkanCandidates({
  platform = process.platform,
  env = process.env,
  home = homedir(),
  chromes = [],
  list = listFolder,
} = {}) {
  const asked = env.TILEWRIGHT_ADAPTER;
  const pinned = env.VK_DRIVER_FILES || env.VK_ICD_FILENAMES;
  const system = /** @type {VulkanDriver} */ ({ name: 'system', icd: pinned ?? '' });
  if (pinned || asked === 'gpu') return [system];

  const shares = [
    env.XDG_DATA_HOME || posix.join(home, '.local/share'),
    ...(env.XDG_DATA_DIRS || '/usr/local/share:/usr/share').split(':'),
    '/etc',
  ];
  const find = (/** @type {string[]} */ folders, /** @type {RegExp} */ pattern) =>
    [...new Set(folders)].flatMap((folder) =>
      list(folder)
        .filter((file) => pattern.test(file))
        .sort()
        .map((file) => posix.join(folder, file)),
    );
  const llvmpipe = find(
    shares.map((share) => posix.join(share, 'vulkan/icd.d')),
    /^lvp_icd.*\.json$/,
  );
  const swiftshader = find(
    [...chromes.map(posix.dirname), '/usr/lib/chromium', '/usr/lib/chromium-browser'],
    /^vk_swiftshader_icd\.json$/,
  );
  return [
    ...(asked === 'swiftshader' ? [] : [system]),
    ...(platform !== 'linux'
      ? []
      : [
          ...llvmpipe.map((icd) => /** @type {VulkanDriver} */ ({ name: 'llvmpipe', icd })),
          ...swiftshader.map((icd) => /** @type {VulkanDriver} */ ({ name: 'swiftshader', icd })),
        ]),
  ];
}

/** @param {string} folder */
function listFolder(folder) {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/**
 * The first driver that WebGPU outside a browser really works on, found by trying: Mesa before 23, for one, is refused
 * by Dawn. The system's own is taken for a GPU only; a software driver is named, so that tests are repeatable.
 * TILEWRIGHT_ADAPTER=gpu|swiftshader restricts it to a GPU or to software; VK_DRIVER_FILES decides outright.
 * @param {{ chrome?: string | undefined, runtime?: Runtime | undefined, here?: boolean }} [options] `chrome`: the one in use,
 *   which may bring SwiftShader; `runtime`: what runs a script with WebGPU, this Node (with Dawn, npm `webgpu`) or DENO (with wgpu);
 *   `here`: only what this very process can use, whose libraries are looked for where they were at its start
 * @returns {(VulkanDriver & { adapter: FoundAdapter }) | undefined}
 */
export function findVulkanDriver({ chrome, runtime = [process.execPath], here = false } = {}) {
  const chromes = [...(chrome ? [chrome] : []), ...chromeCandidates()]
    .filter(existsSync)
    .map((path) => realpathSync(path));
  for (const driver of vulkanCandidates({ chromes })) {
    const { LD_LIBRARY_PATH = process.env.LD_LIBRARY_PATH, ...env } = vulkanEnv(driver.icd);
    const adapter = probe(here ? env : { ...env, LD_LIBRARY_PATH }, runtime);
    if (adapter && (driver.icd || !isSoftware(adapter))) return { ...driver, adapter };
  }
  return undefined;
}

/**
 * What WebGPU finds in an environment, asked in a process of its own; undefined where it fails for any reason.
 * @param {Record<string, string | undefined>} env beside what this process has
 * @param {Runtime} runtime
 * @returns {FoundAdapter | undefined}
 */
function probe(env, [command, ...args]) {
  const { status, stdout } = spawnSync(command, [...args, PROBE], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
    timeout: 60_000,
    windowsHide: true,
  });
  // A driver may have printed lines of its own before.
  return status === 0 ? JSON.parse(stdout.trim().split('\n').at(-1) ?? '') : undefined;
}

/**
 * Installs Mesa's llvmpipe for the tests outside a browser, where there is neither it nor a GPU that Dawn takes: as root on Debian or
 * Ubuntu, from the backports on bookworm, whose own Mesa 22.3 Dawn refuses. Silent when it is there; where it cannot be had, one line
 * says so.
 * @param {{ log?: (line: string) => void }} [options]
 */
export async function ensureLlvmpipe({ log = console.error } = {}) {
  const works = () => {
    const driver = findVulkanDriver();
    return driver && driver.name !== 'swiftshader';
  };
  if (works()) return;
  const instead = "tests outside a browser run on Chrome's SwiftShader where it has one";
  if (!aptRelease()) return log(`No llvmpipe that Dawn takes, and none can be installed here: ${instead}.`);
  await installMesa('mesa-vulkan-drivers', log);
  if (!works()) log(`llvmpipe could not be had: ${instead}.`);
}

/**
 * Installs a package of Mesa, or one that shares libraries with Mesa's, as root on Debian or Ubuntu: from the backports on bookworm.
 * @param {string} name
 * @param {(line: string) => void} log
 */
export async function installMesa(name, log) {
  const old = aptRelease()?.codename === 'bookworm';
  if (old) addBackports(log);
  await aptInstall(name, old ? ['-t', 'bookworm-backports'] : [], log);
}

/** @param {(line: string) => void} log */
function addBackports(log) {
  const folder = '/etc/apt/sources.list.d';
  const files = ['/etc/apt/sources.list', ...listFolder(folder).map((file) => posix.join(folder, file))].filter(isFile);
  const line = backportsLine(
    files.map((file) => readFileSync(file, 'utf8')),
    isFile(KEYRING) ? KEYRING : undefined,
  );
  if (!line) return;
  log(`Adding bookworm-backports to apt's sources (${BACKPORTS}).`);
  writeFileSync(BACKPORTS, `${line}\n`);
}

/**
 * The apt source that adds bookworm's backports from the mirror in use.
 * @param {string[]} sources the contents of the machine's apt source files, one-line or deb822
 * @param {string} [keyring] the file with Debian's keys, where there is one
 * @returns {string | undefined} undefined when the backports are there already
 */
export function backportsLine(sources, keyring) {
  const active = sources.map((text) => text.replace(/^\s*#.*\n?/gm, ''));
  if (active.some((text) => /\bbookworm-backports\b/.test(text))) return undefined;
  const oneLine = active.map((text) => text.match(/^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+bookworm\s/m)?.[1]);
  const deb822 = active
    .flatMap((text) => text.split(/\n\s*\n/))
    .filter((stanza) => /^Suites:(.*\s)?bookworm(\s|$)/m.test(stanza))
    .map((stanza) => stanza.match(/^URIs:\s*(\S+)/m)?.[1]);
  const mirror = [...oneLine, ...deb822].find(Boolean) ?? 'http://deb.debian.org/debian';
  return `deb ${keyring ? `[signed-by=${keyring}] ` : ''}${mirror} bookworm-backports main`;
}
