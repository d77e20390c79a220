// The command that main.mjs starts.
import { writeFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { compileOn, loadKernels } from './compiler.mjs';
import { ensureCompilers, mesaVersion } from './drivers.mjs';
import { boundOf, GPUS } from './gpus.mjs';
import { besideLines, comparePeers } from './peers.mjs';
import { table } from './table.mjs';

/** @param {string} text */
function count(text) {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError('An integer of 1 or more is expected.');
  return number;
}

const program = new Command('gpu-compiler')
  .description('Compiles kernels with the compilers of GPUs that are not there, and says what they made of them.')
  .addOption(new Option('--gpu <names...>', 'whose compiler').choices(Object.keys(GPUS)).default(['tgl', 'navi31']))
  .option(
    '--case <words...>',
    'workloads with one of these in their name: the cases of the bench, models, and ops alone',
  )
  .option('--choices <count>', "candidates of a step, from the table's first on", count, 1)
  .option('--unknown', 'kernels for a GPU that does not tell its vendor, as in Firefox')
  .option(
    '--peers',
    'beside the kernels of onnxruntime-web, TensorFlow.js and jax-js, where a workload is a float32 case of the bench',
  )
  .option('--mix', 'the other vector instructions of the hot loop')
  .option('--list', 'the names of the workloads, and nothing else')
  .option('--json <file>', 'writes the rows too');
program.parse();
const { gpu: gpus, case: words, choices, unknown, peers, mix, list, json } = program.opts();

const { capsOf, kernelsOf, workloads } = await loadKernels();
const all = workloads();
const chosen = all.filter(({ name }) => !words || words.some((/** @type {string} */ word) => name.includes(word)));
if (list || !chosen.length) {
  if (!list) console.error(`No workload has ${words.join(' or ')} in its name. There are:`);
  console.log(all.map(({ name }) => name).join('\n'));
  process.exit(list ? 0 : 2);
}
const cases = peers ? chosen.filter(({ contest }) => contest) : [];
if (peers && !cases.length) {
  console.error('None of these workloads is a float32 case of the bench: the peers do no other.');
  process.exit(2);
}
await ensureCompilers();
const report = [];
try {
  for (const name of gpus) {
    const gpu = /** @type {import('./gpus.mjs').Gpu} */ (GPUS[name]);
    const kernels = await kernelsOf(chosen, choices, capsOf(gpu, unknown));
    const rows = await compileOn(name, kernels);
    const bounds = rows.map((row, i) =>
      (kernels[i]?.uses ?? []).map((use) => ({ ...use, bound: boundOf(gpu, row, use) })),
    );
    console.log(`\n${gpu.title}, Mesa ${mesaVersion()}: ${rows.length} kernels of ${chosen.length} workloads`);
    console.log(table(gpu.vendor, rows, { mix }).join('\n'));
    console.log(`\nLower bounds of the time, by a model and published figures (${gpu.source}), in microseconds:`);
    for (const { name: workload } of chosen) {
      const uses = bounds.flatMap((all, i) =>
        all
          .filter((use) => use.workload === workload && use.choice === 0)
          .map((use) => ({ ...use, kernel: rows[i]?.name })),
      );
      const total = uses.reduce((sum, { bound }) => sum + bound.us, 0);
      console.log(`${total.toFixed(1).padStart(10)}  ${workload}`);
      if (uses.length > 1 || mix)
        for (const { bound, kernel, dispatches } of uses)
          console.log(`${bound.us.toFixed(1).padStart(14)}  ${bound.by.padEnd(9)}  ${dispatches} × ${kernel}`);
    }
    const beside = peers ? await comparePeers(name, cases, kernels, rows) : [];
    if (peers) {
      console.log(`
Beside the peers, each with the kernels that it picks on this GPU. Lower bounds in microseconds: of all dispatches, of the products alone, and of
the products' vector instructions alone, each with its ratio to ours (above 1: ours is lower). Then the dispatches, and what bounds each.`);
      for (const { workload, engines } of beside) console.log(`\n${workload}\n${besideLines(engines).join('\n')}`);
    }
    report.push({ gpu: name, mesa: mesaVersion(), rows: rows.map((row, i) => ({ ...row, uses: bounds[i] })), beside });
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
if (json) writeFileSync(json, `${JSON.stringify(report, undefined, 1)}\n`);
process.exit(0);
