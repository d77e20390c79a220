import { describe, expect, it } from 'vitest';
import type { TextGenerator } from '../../src/models/text-generator.ts';
import { normwise } from '../../src/verify/compare.ts';
import { testEngine } from '../support/engine.ts';
import { parseTensors, readAnywhere, repositoryFolder } from '../support/files.ts';
import { outsideFolder } from '../support/shared.ts';

/** What tools/make_fixtures.py and tools/reference_gpt2.py write beside the weights. */
interface Reference {
  ids: number[];
  positions: number[];
  greedy: { prompt: number[]; tokens: number[]; gaps: number[] };
}

/** Logits within 5e-5 of PyTorch's, normwise; greedy tokens equal, unless PyTorch's top two were nearly so. */
async function agreesWithPyTorch(folder: string): Promise<void> {
  const engine = await testEngine();
  const reference = JSON.parse(new TextDecoder().decode(await readAnywhere(`${folder}/reference.json`))) as Reference;
  const expected = (await parseTensors(await readAnywhere(`${folder}/reference.safetensors`))).get('logits')!.data;
  using model = (await engine.load(folder)) as TextGenerator;
  const { vocabulary } = model.shape;
  const all = await model.logits(reference.ids);
  const logits = new Float32Array(expected.length);
  for (const [i, position] of reference.positions.entries()) {
    logits.set(all.subarray(position * vocabulary, (position + 1) * vocabulary), i * vocabulary);
  }
  const error = normwise(logits, expected);
  const { prompt, tokens: wanted, gaps } = reference.greedy;
  const tokens: number[] = [];
  for await (const { token } of model.generate(prompt, { temperature: 0, maxNewTokens: wanted.length }))
    tokens.push(token);
  const parting = tokens.findIndex((token, i) => token !== wanted[i]);
  console.log(
    `${model.files.name}: logits ${error.toExponential(1)} off, ${parting < 0 ? tokens.length : parting} of ${wanted.length} greedy tokens equal`,
  );
  expect(error).toBeLessThan(5e-5);
  expect(tokens).toHaveLength(wanted.length);
  if (parting >= 0) expect(gaps[parting]).toBeLessThan(1e-4);
}

describe('GPT-2 against transformers', () => {
  for (const name of ['gpt2-tiny', 'gpt2-tiny-bare'])
    it(name, () => agreesWithPyTorch(repositoryFolder(`tests/fixtures/${name}`)));

  const large = import.meta.env['TILEWRIGHT_GPT2'] as string | undefined;
  // Its file is 500 MB: made by tools/reference_gpt2.py, run by tools/verify-gpt2.mjs.
  if (large) it('the 124 M shape', () => agreesWithPyTorch(outsideFolder(large)), 1_800_000);
});
