import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rowsOf } from './compiler.mjs';
import { FOLDER, runOn } from './drivers.mjs';
import { boundOf, GPUS } from './gpus.mjs';

const RUN = fileURLToPath(new URL('run-peers.mjs', import.meta.url));

/**
 * @typedef {import('./dump.mjs').Row} Row
 * @typedef {import('./gpus.mjs').Bound} Bound
 * @typedef {import('./run-peers.mjs').Run} Run
 * @typedef {import('./run-peers.mjs').Dispatch} Dispatch
 * @typedef {Pick<import('./kernels.ts').PeerCase, 'products' | 'macs' | 'tensors'>} Work
 *
 * @typedef {object} Sum of the bounds of dispatches, which run one after another, in microseconds
 * @property {number} us
 * @property {number} products those of products alone
 * @property {number} issue those of the products' vector instructions alone
 * @property {readonly Part[]} dispatches
 *
 * @typedef {object} Part
 * @property {string} name of the kernel
 * @property {readonly number[]} [workgroups]
 * @property {boolean} multiplies whether it is a product
 * @property {Bound} bound
 */

/**
 * Runs the engines of bench/peers on a GPU that is not there: each picks the kernels that it would pick on that GPU.
 * @param {string} gpu
 * @param {readonly string[]} workloads by name
 * @returns {Promise<{ runs: Run[], rows: Map<string, Row> }>} what each does, and what the compiler made of its kernels
 */
export async function runPeers(gpu, workloads) {
  mkdirSync(FOLDER, { recursive: true });
  const file = join(FOLDER, `${gpu}.peers.json`);
  // A process ends no sooner than V8 has optimised onnxruntime-web's wasm, which takes a minute.
  const args = ['--liftoff-only', RUN, file, ...workloads];
  const dump = readFileSync(await runOn(gpu, args, `${gpu}.peers`), 'utf8');
  return { runs: JSON.parse(readFileSync(file, 'utf8')), rows: rowsOf(gpu, dump) };
}

/**
 * A lower bound of a dispatch's time. Multiplications apart count as multiply-accumulates, for our kernels and theirs: a kernel that sums a few
 * products before it adds them to its sum begins each with a multiplication.
 * @param {import('./gpus.mjs').Gpu} gpu
 * @param {Row} row
 * @param {{ macs: number, bytes: number }} work
 */
export function boundBeside(gpu, row, work) {
  const { hot } = row;
  return boundOf(gpu, { ...row, hot: { ...hot, macs: hot.macs + hot.multiplications } }, work);
}

/**
 * The bytes of a dispatch's operands. A buffer may be longer than what is in it: that is the largest tensor of the case that fits.
 * @param {readonly number[]} bindings
 * @param {readonly number[]} tensors
 */
export const bytesOf = (bindings, tensors) =>
  bindings.reduce((sum, size) => {
    const fitting = tensors.filter((bytes) => bytes <= size);
    return sum + (fitting.length ? Math.max(...fitting) : size);
  }, 0);

/**
 * The bound of a run. Its products are the dispatches with the most multiply-accumulates in a turn of the hot loop, as many as the case has, and
 * share its work. The others (transposes, copies, softmax) read and write their operands once.
 * @param {import('./gpus.mjs').Gpu} gpu
 * @param {Work} work
 * @param {readonly Dispatch[]} dispatches
 * @param {ReadonlyMap<string, Row>} rows
 * @returns {Sum}
 * @throws {Error} that names the kernels where the compiler said nothing of one, or too few multiply
 */
export function boundOfRun(gpu, { products, macs, tensors }, dispatches, rows) {
  const known = dispatches.map((dispatch) => {
    const row = rows.get(dispatch.name);
    if (!row) throw new Error(`the compiler said nothing of ${dispatch.name}`);
    return { ...dispatch, row };
  });
  const multiplying = known
    .filter(({ row }) => row.hot.macs > 0)
    .sort((a, b) => b.row.hot.macs - a.row.hot.macs)
    .slice(0, products);
  if (multiplying.length < products) {
    const others = known.filter((dispatch) => !multiplying.includes(dispatch)).map(({ name }) => name);
    throw new Error(`no multiply-accumulate was found in the hot loop of ${others.join(', ') || 'any kernel'}`);
  }
  const bounds = known.map((dispatch) => {
    const multiplies = multiplying.includes(dispatch);
    const bytes = bytesOf(dispatch.bindings, tensors);
    return {
      ...dispatch,
      multiplies,
      bound: boundBeside(gpu, dispatch.row, { macs: multiplies ? macs / products : 0, bytes }),
    };
  });
  return sumOf(bounds.map(({ name, workgroups, multiplies, bound }) => ({ name, workgroups, multiplies, bound })));
}

/** @param {readonly Part[]} parts @returns {Sum} */
function sumOf(parts) {
  const total = (/** @type {readonly Part[]} */ some, /** @type {'us' | 'issue'} */ what) =>
    some.reduce((sum, { bound }) => sum + bound[what], 0);
  const products = parts.filter(({ multiplies }) => multiplies);
  return {
    us: total(parts, 'us'),
    products: total(products, 'us'),
    issue: total(products, 'issue'),
    dispatches: parts,
  };
}

/**
 * The bound of our run: the first choice of every step.
 * @param {import('./gpus.mjs').Gpu} gpu
 * @param {string} workload
 * @param {readonly import('./kernels.ts').Kernel[]} kernels
 * @param {readonly Row[]} rows of the kernels
 * @returns {Sum}
 */
export function boundOfOurs(gpu, workload, kernels, rows) {
  return sumOf(
    kernels.flatMap(({ uses }, i) => {
      const row = rows[i];
      if (!row) return [];
      return uses
        .filter((use) => use.workload === workload && use.choice === 0)
        .map((use) => ({ name: row.name, multiplies: use.macs > 0, bound: boundBeside(gpu, row, use) }));
    }),
  );
}

/**
 * @typedef {object} Engine
 * @property {string} name with its version
 * @property {Sum} [sum]
 * @property {string} [error] why there is none
 */

/**
 * Cases on a GPU that is not there: every engine's bound, ours first.
 * @param {string} name of the GPU
 * @param {readonly import('./kernels.ts').Workload[]} cases
 * @param {readonly import('./kernels.ts').Kernel[]} kernels ours
 * @param {readonly Row[]} rows of ours
 * @returns {Promise<{ workload: string, engines: Engine[] }[]>}
 */
export async function comparePeers(name, cases, kernels, rows) {
  const gpu = /** @type {import('./gpus.mjs').Gpu} */ (GPUS[name]);
  const { runs, rows: theirs } = await runPeers(
    name,
    cases.map((workload) => workload.name),
  );
  return cases.map(({ name: workload, contest }) => ({
    workload,
    engines: [
      { name: 'tilewright', sum: boundOfOurs(gpu, workload, kernels, rows) },
      ...runs
        .filter((run) => run.workload === workload)
        .map(({ engine, version, dispatches, error }) => {
          const peer = { name: `${engine} ${version}` };
          if (error) return { ...peer, error };
          try {
            return { ...peer, sum: boundOfRun(gpu, /** @type {Work} */ (contest), dispatches, theirs) };
          } catch (error) {
            return { ...peer, error: /** @type {Error} */ (error).message };
          }
        }),
    ],
  }));
}

/**
 * A line an engine, under a line of titles: its bound, that of its products, that of their instructions, each with its ratio to the first
 * engine's; its dispatches.
 * @param {readonly Engine[]} engines
 * @returns {string[]}
 */
export function besideLines(engines) {
  const WIDTH = 13;
  const first = engines[0]?.sum;
  const lines = engines.map(({ name, sum, error }) => {
    if (!sum || !first) return `${' '.repeat(6 * WIDTH)}  ${name} has no bound: ${error}`;
    const figures = /** @type {const} */ (['us', 'products', 'issue']).flatMap((what) => [
      sum[what].toFixed(1),
      (sum[what] / first[what]).toFixed(2),
    ]);
    const parts = sum.dispatches.map(({ name: kernel, workgroups, bound }) =>
      [
        kernel.replace(`${name.split(' ')[0]} `, ''),
        ...(workgroups ? [workgroups.join('x')] : []),
        `(${bound.by})`,
      ].join(' '),
    );
    return `${figures.map((figure) => figure.padStart(WIDTH)).join('')}  ${name}: ${parts.join(', ')}`;
  });
  const titles = ['all', 'ratio', 'products', 'ratio', 'instructions', 'ratio'];
  return [titles.map((title) => title.padStart(WIDTH)).join(''), ...lines];
}
