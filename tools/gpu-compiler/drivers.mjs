import { existsSync, mkdirSync, openSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { aptRelease, isFile, run, tail } from '../system.mjs';
import { installMesa } from '../vulkan.mjs';
import { GPUS } from './gpus.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
/** What the drivers are built into, and what they are given and print. */
export const FOLDER = fileURLToPath(new URL('../../.cache/gpu-compiler/', import.meta.url));
const MANIFEST = join(FOLDER, 'icd.json');

/** The folder of the system's libraries, '' where it has none of that form. */
function libraries() {
  if (!existsSync('/usr/lib')) return '';
  const name = readdirSync('/usr/lib').find((entry) => /-linux-gnu$/.test(entry));
  return name ? join('/usr/lib', name) : '';
}

/** Mesa's driver of a vendor. @param {'amd' | 'intel'} vendor */
const driverOf = (vendor) => join(libraries(), `libvulkan_${vendor === 'amd' ? 'radeon' : 'intel'}.so`);

/** What the compilers are made from: a file that tells whether it is there, and the package of Debian that has it. */
const needs = () => [
  { file: '/usr/bin/gcc', apt: 'gcc' },
  { file: driverOf('amd'), apt: 'mesa-vulkan-drivers' },
  { file: driverOf('intel'), apt: 'mesa-vulkan-drivers' },
  { file: '/usr/include/vulkan/vulkan.h', apt: 'libvulkan-dev' },
  { file: '/usr/include/xf86drm.h', apt: 'libdrm-dev' },
];

/** What is missing for compilers of GPUs that are not there, in words; '' where nothing is. */
export function missing() {
  if (process.platform !== 'linux') return 'the compilers of GPUs are those of Mesa on Linux';
  const absent = needs().filter(({ file }) => !existsSync(file));
  return absent.length ? `missing: ${absent.map(({ file, apt }) => `${file} (${apt})`).join(', ')}` : '';
}

/**
 * Installs what is missing, as root on Debian or Ubuntu. Silent where nothing is missing.
 * @param {{ log?: (line: string) => void }} [options]
 */
export async function ensureCompilers({ log = console.error } = {}) {
  if (!aptRelease()) return;
  for (const { file, apt } of needs()) if (!existsSync(file)) await installMesa(apt, log);
}

/** Mesa's version, from the strings of its driver: rows of one version are not those of another. */
export function mesaVersion() {
  const text = readFileSync(driverOf('amd'), 'latin1');
  return text.match(/Mesa (\d+\.\d+\.\d+)/)?.[1] ?? 'unknown';
}

/** @type {Promise<void> | undefined} */
let built;

/**
 * Builds the driver around Mesa's and the GPU that is not there, where they are older than their sources.
 * @throws {Error} when something is missing, or gcc fails
 */
async function buildDrivers() {
  const why = missing();
  if (why) throw new Error(why);
  mkdirSync(FOLDER, { recursive: true });
  /** @type {[source: string, library: string, ...flags: string[]][]} */
  const parts = [
    ['offline_icd.c', 'liboffline_icd.so'],
    ['intel_shim.c', 'libintel_shim.so', '-I/usr/include/libdrm'],
  ];
  for (const [source, library, ...flags] of parts) {
    const [from, to] = [join(HERE, source), join(FOLDER, library)];
    if (isFile(to) && statSync(to).mtimeMs > statSync(from).mtimeMs) continue;
    const { ok, output } = await run('gcc', ['-shared', '-fPIC', '-O1', ...flags, from, '-o', to, '-ldl']);
    if (!ok) throw new Error(`${source} could not be built:\n${tail(output)}`);
  }
  const ICD = { library_path: join(FOLDER, 'liboffline_icd.so'), api_version: '1.4.305' };
  writeFileSync(MANIFEST, JSON.stringify({ file_format_version: '1.0.0', ICD }));
}

/**
 * Runs a script in Node with WebGPU on a GPU that is not there: pipelines are compiled, and nothing is computed.
 * @param {keyof typeof GPUS} gpu
 * @param {readonly string[]} args of Node
 * @param {string} [name] of the file with what the driver prints
 * @returns {Promise<string>} the file with what the driver printed
 * @throws {Error} when the drivers cannot be had, or the script fails
 */
export async function runOn(gpu, args, name = String(gpu)) {
  built ??= buildDrivers(); // once, for scripts that run side by side
  await built;
  const { spawn } = await import('node:child_process');
  const { vendor, id } = /** @type {import('./gpus.mjs').Gpu} */ (GPUS[gpu]);
  const dump = join(FOLDER, `${name}.log`);
  const env = {
    ...process.env,
    VK_DRIVER_FILES: MANIFEST,
    VK_ICD_FILENAMES: MANIFEST, // loaders before 1.3.207 know this name only
    MESA_SHADER_CACHE_DISABLE: '1',
    OFFLINE_DRIVER: driverOf(vendor),
    ...(vendor === 'amd'
      ? { RADV_FORCE_FAMILY: id, RADV_DEBUG: 'shaders,shaderstats' }
      : { INTEL_SHIM_ID: id, INTEL_DEBUG: 'cs', LD_PRELOAD: join(FOLDER, 'libintel_shim.so') }),
  };
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', openSync(dump, 'w')] });
  const status = await new Promise((resolve) => child.on('close', resolve));
  if (status !== 0) throw new Error(`${args[0]} failed on ${String(gpu)}:\n${tail(readFileSync(dump, 'utf8'))}`);
  return dump;
}
