import { describe, expect, it } from 'vitest';
import type { TextGenerator } from '../../src/models/text-generator.ts';
import { normwise } from '../support/compare.ts';
import { testEngine } from '../support/engine.ts';
import { readJson, readTensors, repositoryFolder } from '../support/files.ts';

interface Reference {
  ids: number[];
  positions: number[];
  greedy: { prompt: number[]; tokens: number[]; gaps: number[] };
}

describe('GPT-2 against transformers', () => {
  for (const name of ['gpt2-tiny', 'gpt2-tiny-bare']) {
    it(name, async () => {
      const engine = await testEngine();
      const folder = `tests/fixtures/${name}`;
      const reference = await readJson<Reference>(`${folder}/reference.json`);
      using model = (await engine.load(repositoryFolder(folder))) as TextGenerator;
      const logits = await model.logits(reference.ids);
      const error = normwise(logits, (await readTensors(`${folder}/reference.safetensors`)).get('logits')!.data);
      expect(error).toBeLessThan(5e-5);
      const tokens: number[] = [];
      for await (const { token } of model.generate(reference.greedy.prompt, { temperature: 0, maxNewTokens: 64 })) tokens.push(token);
      const parting = tokens.findIndex((token, i) => token !== reference.greedy.tokens[i]);
      if (parting >= 0) expect(reference.greedy.gaps[parting]).toBeLessThan(1e-4);
      expect(tokens).toHaveLength(64);
    });
  }
});
