import { describe, expect, it } from 'vitest';
import { openFolder } from '../../src/hub/folder.ts';
import { loadModel } from '../../src/models/index.ts';
import type { TextGenerator } from '../../src/models/text-generator.ts';
import { normwise } from '../../src/verify/compare.ts';
import { testEngine } from '../support/engine.ts';
import { parseTensors, readAnywhere, repositoryFolder } from '../support/files.ts';

/** A model of tests/fixtures/decoders, the variant of its config that the file has, and the context for which it was computed. */
const MODELS = [
  ['llama', 'plain', 37],
  ['qwen2', 'whole', 37],
  ['gemma3', 'plain', 37],
  ['phi3', 'plain', 96],
] as const;

describe('GGUF files give the logits of transformers for the folders that they were made from', () => {
  it.each(MODELS)('%s', async (name, variant, context) => {
    const folder = repositoryFolder(`tests/fixtures/decoders/${name}`);
    const { ids, positions } = JSON.parse(new TextDecoder().decode(await readAnywhere(`${folder}/reference.json`))) as {
      ids: number[];
      positions: number[];
    };
    const expected = (await parseTensors(await readAnywhere(`${folder}/reference.safetensors`))).get(variant)!.data;
    // No tokens are drawn, so the graphs for that are not built.
    const { gpu } = await testEngine();
    const file = await openFolder(repositoryFolder(`tests/fixtures/gguf/${name}.gguf`));
    using model = (await loadModel(gpu, file, { onPaper: true, context })) as TextGenerator;
    const { vocabulary } = model.shape;
    const all = await model.logits(ids);
    const got = Float32Array.from(
      expected,
      (_, i) => all[positions[Math.floor(i / vocabulary)]! * vocabulary + (i % vocabulary)]!,
    );
    expect(normwise(got, expected)).toBeLessThan(5e-5); // as tests/models/decoders.gpu.test.ts has it
  });
});
