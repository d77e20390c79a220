import { execFile } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { posix, win32 } from 'node:path';

const HEARTBEAT_MS = 15_000;

/**
 * Runs a command to its end with its output kept back. Never rejects: a command that is not there, fails or
 * outlasts `timeout` (milliseconds) has `ok` false. With `log`, says every 15 s that `what` goes on.
 * @param {string} command
 * @param {string[]} args
 * @param {{ timeout?: number, env?: Record<string, string | undefined>, cwd?: string, shell?: boolean,
 *   what?: string, log?: (line: string) => void }} [options]
 * @returns {Promise<{ ok: boolean, stdout: string, output: string }>} `output` is stdout, then stderr, or why there is none
 */
export function run(command, args, { timeout = 0, env, cwd, shell = false, what = command, log } = {}) {
  const started = Date.now();
  const heartbeat = log && setInterval(() => log(`  ${what}: ${secondsSince(started)} so far`), HEARTBEAT_MS);
  return new Promise((resolve) => {
    const options = { timeout, cwd, shell, env: { ...process.env, ...env }, maxBuffer: 2 ** 26, windowsHide: true };
    execFile(command, args, options, (error, stdout, stderr) => {
      clearInterval(heartbeat);
      const printed = [stdout, stderr].map((text) => text.trim()).filter(Boolean);
      resolve({ ok: error === null, stdout, output: printed.join('\n') || (error?.message ?? '') });
    });
  });
}

/** `23 s`. @param {number} started milliseconds, from Date.now() */
export const secondsSince = (started) => `${Math.round((Date.now() - started) / 1000)} s`;

/** The last lines of an output, indented, for a log. @param {string} output */
export const tail = (output, lines = 10) => output.split('\n').slice(-lines).join('\n').replace(/^/gm, '  | ');

/** False also for what may not be looked at, or lies in something that is no folder. @param {string} path */
export const isFile = (path) => existsSync(path) && statSync(path).isFile();

/** @returns {boolean} false on Windows, which has no such user */
export const isRoot = () => process.getuid?.() === 0;

/**
 * The keys that matter of an /etc/os-release.
 * @param {string} text
 * @returns {{ id: string, codename: string, debian: boolean }} `debian` is true for what descends from it too
 */
export function parseRelease(text) {
  const value = (/** @type {string} */ key) => text.match(new RegExp(`^${key}="?([^"\n]*)`, 'm'))?.[1] ?? '';
  const id = value('ID');
  return { id, codename: value('VERSION_CODENAME'), debian: [id, ...value('ID_LIKE').split(' ')].includes('debian') };
}

/** The distribution when packages can be installed here (root on Debian or a descendant), else undefined. */
export function aptRelease() {
  if (process.platform !== 'linux' || !isRoot() || !isFile('/etc/os-release')) return undefined;
  const release = parseRelease(readFileSync('/etc/os-release', 'utf8'));
  return release.debian ? release : undefined;
}

/**
 * `apt-get update`, then installs one package. Failure is tolerated and said.
 * @param {string} name
 * @param {string[]} options of `apt-get install`
 * @param {(line: string) => void} log
 * @returns {Promise<boolean>} whether it is installed now
 */
export async function aptInstall(name, options, log) {
  log(`Installing ${name} with apt-get.`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const shared = { env, timeout: 600_000, what: 'apt-get', log };
  // A mirror that fails may still leave older lists that serve.
  await run('apt-get', ['update'], shared);
  const { ok, output } = await run('apt-get', ['install', '-y', ...options, name], shared);
  if (!ok) log(`apt-get could not install ${name}:\n${tail(output, 4)}`);
  return ok;
}

/**
 * @typedef {{ platform?: string, env?: Record<string, string | undefined>, home?: string }} Machine this one where absent
 * @typedef {{ win32: readonly string[], darwin: readonly string[], linux: readonly string[] }} Programs most wanted first: paths within
 *   the folders of programs on Windows, within Applications on macOS, names in PATH elsewhere
 */

/**
 * Where a system keeps programs, most wanted first, whether or not anything is there.
 * @param {Programs} programs
 * @param {Machine} [machine]
 * @returns {string[]} absolute paths of executables
 */
export function placesOf(programs, { platform = process.platform, env = process.env, home = homedir() } = {}) {
  if (platform === 'win32') {
    const folders = [env.PROGRAMFILES, env['PROGRAMFILES(X86)'], env.LOCALAPPDATA].filter(
      (folder) => folder !== undefined,
    );
    return programs.win32.flatMap((file) => folders.map((folder) => win32.join(folder, file)));
  }
  if (platform === 'darwin') {
    return programs.darwin.flatMap((file) => ['/', home].map((root) => posix.join(root, 'Applications', file)));
  }
  const folders = (env.PATH ?? '').split(':').filter(Boolean);
  return programs.linux.flatMap((name) => folders.map((folder) => posix.join(folder, name)));
}

/**
 * Whether a browser starts at all: a snap stub and a browser whose libraries are missing are files, but do not.
 * @param {string} path
 */
export async function starts(path) {
  // On Windows `--version` opens a window and prints nothing.
  return isFile(path) && (process.platform === 'win32' || (await run(path, ['--version'], { timeout: 30_000 })).ok);
}

/**
 * The browser that the environment names, else the first of `places` that starts.
 * @param {string} variable of the environment: a path
 * @param {readonly string[]} places
 * @returns {Promise<string | undefined>} the executable's path; undefined where there is none
 * @throws {Error} when the variable is set but no browser
 */
export async function findBrowser(variable, places) {
  const asked = process.env[variable];
  if (asked) {
    if (!isFile(asked)) throw new Error(`${variable} is ${asked}, but there is no such file.`);
    if (!(await starts(asked))) throw new Error(`${variable} is ${asked}, but that does not run as a browser.`);
    return asked;
  }
  for (const path of places) if (await starts(path)) return path;
  return undefined;
}
