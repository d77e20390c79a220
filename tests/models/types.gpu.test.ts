import { describe, expect, it } from 'vitest';
import type { LoadOptions } from '../../src/models/model.ts';
import type { TextGenerator } from '../../src/models/text-generator.ts';
import { forced, testEngine } from '../support/engine.ts';
import { repositoryFolder } from '../support/files.ts';
import { hasShared, readShared } from '../support/shared.ts';

/** By how much the perplexity may change, in either direction. */
const BOUNDS: readonly (LoadOptions & { readonly within: number })[] = [
  { dtype: 'float16', within: 0.001 },
  { dtype: 'int8', within: 0.005 },
  { dtype: 'int8', groupSize: 64, within: 0.005 },
  { dtype: 'int4', groupSize: 32, within: 0.05 },
  { dtype: { default: 'int4', wte: 'int8', 'h.0': 'float16' }, within: 0.05 },
];

/** Of the text: a run of all tests has no time for more. */
const WINDOWS = forced ? 12 : 2;

describe.skipIf(!hasShared)('the GPT that ships, in small types (needs ../shared)', () => {
  it('has the perplexity of float32 on windows of the held-out text', async () => {
    const text = new TextDecoder().decode(await readShared('data/text/tinyshakespeare.txt'));
    const engine = await testEngine();
    const perplexityOf = async (options: LoadOptions): Promise<number> => {
      using model = (await engine.load(repositoryFolder('weights/gpt-shakespeare'), options)) as TextGenerator;
      const ids = model.tokenizer.encode(text.slice(0.9 * text.length, 0.95 * text.length));
      return (await model.perplexity(ids.slice(0, WINDOWS * model.context))).perplexity;
    };
    const float = await perplexityOf({});
    for (const { within, ...options } of BOUNDS) {
      const off = (await perplexityOf(options)) / float - 1;
      console.log(`${JSON.stringify(options)}: perplexity ${(100 * off).toFixed(3)} % off`);
      expect(Math.abs(off), JSON.stringify(options)).toBeLessThan(within);
    }
  });
});
