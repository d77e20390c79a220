// Compares the 124 M shape of GPT-2 with PyTorch: logits and 64 greedy tokens.
//   python tools/reference_gpt2.py FOLDER     writes random weights and PyTorch's answers (500 MB, needs tools/requirements.txt)
//   node tools/verify-gpt2.mjs FOLDER [PROJECT]    runs them in headless Chrome (or in another project of the tests)
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { setup } from './setup.mjs';

const [folder, project = 'chrome'] = process.argv.slice(2);
if (!folder) {
  console.error('usage: node tools/verify-gpt2.mjs FOLDER [PROJECT]');
  process.exit(2);
}
await setup();
const args = [
  'node_modules/vitest/vitest.mjs',
  'run',
  '--project',
  project,
  'tests/models/gpt2.gpu.test.ts',
  '-t',
  '124 M',
];
const { status } = spawnSync(process.execPath, args, {
  stdio: 'inherit',
  env: { ...process.env, TILEWRIGHT_GPT2: resolve(folder) },
});
process.exit(status ?? 1);
