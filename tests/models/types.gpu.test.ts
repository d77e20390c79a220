import { describe, expect, it } from 'vitest';
import type { LoadOptions } from '../../src/models/model.ts';
import type { TextGenerator } from '../../src/models/text-generator.ts';
import { forced, testEngine } from '../support/engine.ts';
import { repositoryFolder } from '../support/files.ts';
import { hasShared, readShared } from '../support/shared.ts';

interface Bound {
  readonly options: LoadOptions;
  /** By how much the perplexity may change, in either direction. */
  readonly within: number;
  /** Windows of the text, where the few that are read else do not tell. */
  readonly windows?: number;
}

const COMMON: readonly Bound[] = [
  { options: { dtype: 'float16' }, within: 0.001 },
  { options: { dtype: 'int8' }, within: 0.005 },
  { options: { dtype: 'int8', groupSize: 64 }, within: 0.005 },
];

const INT4: Bound = { options: { dtype: 'int4', groupSize: 32 }, within: 0.01 };

const MODELS: Readonly<Record<string, readonly Bound[]>> = {
  'gpt-shakespeare': [
    ...COMMON,
    INT4,
    { options: { dtype: { default: 'int4', wte: 'int8', 'h.0': 'float16' } }, within: 0.05 },
  ],
  // The first windows are 1.5 % off; from the 16th on it is 0.9 %, as over all of the text.
  'llama-shakespeare': [...COMMON, { ...INT4, windows: 24 }],
};

/** Of the text: a run of all tests has no time for more. */
const WINDOWS = forced ? 12 : 4;

describe.skipIf(!hasShared)('what ships for text, in small types (needs ../shared)', () => {
  it.each(Object.keys(MODELS))('%s has the perplexity of float32 on windows of the held-out text', async (name) => {
    const text = new TextDecoder().decode(await readShared('data/text/tinyshakespeare.txt'));
    const engine = await testEngine();
    const perplexityOf = async (options: LoadOptions, windows: number): Promise<number> => {
      using model = (await engine.load(repositoryFolder(`weights/${name}`), options)) as TextGenerator;
      const ids = model.tokenizer.encode(text.slice(0.9 * text.length, 0.95 * text.length));
      return (await model.perplexity(ids.slice(0, windows * model.context))).perplexity;
    };
    const float = await perplexityOf({}, WINDOWS);
    for (const { options, within, windows = WINDOWS } of MODELS[name]!) {
      const own = windows === WINDOWS ? float : await perplexityOf({}, windows);
      const off = (await perplexityOf(options, windows)) / own - 1;
      console.log(`${JSON.stringify(options)}: perplexity ${(100 * off).toFixed(3)} % off`);
      expect(Math.abs(off), JSON.stringify(options)).toBeLessThan(within);
    }
  });
});
