import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FOLDER, runOn } from './drivers.mjs';
import { readAmd, readIntel } from './dump.mjs';
import { GPUS } from './gpus.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const COMPILE = fileURLToPath(new URL('compile.mjs', import.meta.url));

/** A kernel as the compiler takes it. @typedef {{ name: string, code: string, entry?: string, constants?: object }} Source */

/**
 * What a GPU's compiler makes of kernels, in their order.
 * @param {keyof typeof GPUS} gpu
 * @param {readonly Source[]} kernels
 * @returns {Promise<import('./dump.mjs').Row[]>}
 * @throws {Error} when the compiler cannot be had, or refuses a kernel
 */
export async function compileOn(gpu, kernels) {
  mkdirSync(FOLDER, { recursive: true });
  const list = join(FOLDER, `${String(gpu)}.json`);
  writeFileSync(
    list,
    JSON.stringify(kernels.map(({ name, code, entry, constants }) => ({ name, code, entry, constants }))),
  );
  const rows = rowsOf(gpu, readFileSync(await runOn(gpu, [COMPILE, list]), 'utf8'));
  return kernels.map(({ name }) => {
    const row = rows.get(name);
    if (!row) throw new Error(`the compiler of ${String(gpu)} said nothing of ${name}`);
    return row;
  });
}

/**
 * The kernels of a dump by their names.
 * @param {keyof typeof GPUS} gpu
 * @param {string} dump
 */
export function rowsOf(gpu, dump) {
  const rows = (GPUS[gpu]?.vendor === 'amd' ? readAmd : readIntel)(dump);
  return new Map(rows.map((row) => [row.name, row])); // Intel's driver may try several widths: what it tried last is what it takes
}

/**
 * The workloads of kernels.ts and what makes kernels of them: sources of the project, which Vite's server brings here as they are asked for.
 * @returns {Promise<typeof import('./kernels.ts')>}
 */
export async function loadKernels() {
  const { createServer } = await import('vite');
  const server = await createServer({
    root: ROOT,
    mode: 'gpu-compiler',
    appType: 'custom',
    logLevel: 'error',
    server: { middlewareMode: true, ws: false },
    optimizeDeps: { noDiscovery: true },
    oxc: { target: 'es2022' }, // Node 20 has no `using`
  });
  return /** @type {Promise<typeof import('./kernels.ts')>} */ (server.ssrLoadModule('/tools/gpu-compiler/kernels.ts'));
}
