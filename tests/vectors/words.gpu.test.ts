import { describe, expect, it } from 'vitest';
import type { NearWord, WordVectors } from '../../src/vectors/words/word-vectors.ts';
import wanted from '../fixtures/vectors/words.json' with { type: 'json' };
import { testEngine } from '../support/engine.ts';
import { codeOf } from '../support/errors.ts';
import { readAnywhere, repositoryFolder } from '../support/files.ts';

const FOLDER = repositoryFolder('tests/fixtures/vectors');
const FILES = ['glove.txt', 'word2vec.txt', 'word2vec.bin'];
const { words, texts } = wanted;

/** word2vec has no spaces in words: the fixture's one such word is written without. */
const nameIn = (file: string, word: string): string => (file === 'glove.txt' ? word : word.replace('. . .', '..'));

function expectWords(got: readonly NearWord[], want: readonly (string | number)[][], file: string): void {
  expect(got.map(({ word }) => word)).toEqual(want.map(([word]) => nameIn(file, word as string)));
  for (const [i, { score }] of got.entries()) expect(score).toBeCloseTo(want[i]![1] as number, 5);
}

const withWords = async (file: string, work: (loaded: WordVectors) => Promise<void>): Promise<void> => {
  const engine = await testEngine();
  using loaded = await engine.wordVectors(`${FOLDER}/${file}`);
  await work(loaded);
};

describe.each(FILES)('%s', (file) => {
  it('has the nearest words, analogies and similarities that NumPy finds', () =>
    withWords(file, async (loaded) => {
      expect(loaded).toMatchObject({ task: 'word-vectors', size: 60, dimension: 12, dtype: 'float32' });
      expect(loaded.vector(',')).toEqual(Float32Array.from(words.first));
      for (const [word, best] of Object.entries(words.nearest))
        expectWords(await loaded.nearest(nameIn(file, word)), best, file);
      for (const { positive, negative, best } of words.analogies) {
        const named = (list: string[]): string[] => list.map((word) => nameIn(file, word));
        expectWords(
          await loaded.analogy({ positive: named(positive), negative: named(negative) }, { topK: 5 }),
          best,
          file,
        );
      }
      expect(loaded.similarity('word14', 'word15')).toBeCloseTo(words.similarity, 6);
      expect(loaded.has('größe')).toBe(true);
      expect(loaded.has('Größe')).toBe(false);
      const [itself] = await loaded.nearest(loaded.vector('日本'), { topK: 1 });
      expect(itself).toEqual({ word: '日本', score: expect.closeTo(1, 5) });
      expect(await loaded.nearest('日本', { topK: 100 })).toHaveLength(59);
    }));

  it('is the same as a Blob, whatever pieces it comes in', async () => {
    const engine = await testEngine();
    const bytes = (await readAnywhere(`${FOLDER}/${file}`)) as Uint8Array<ArrayBuffer>;
    using loaded = await engine.wordVectors(new Blob([bytes]), { dtype: 'int8' });
    using named = await engine.wordVectors({ [file]: bytes });
    expect(loaded).toMatchObject({ size: 60, dtype: 'int8' });
    expect(named.vector('word3')).not.toEqual(loaded.vector('word3'));
    const [best] = await named.nearest('word3');
    expect((await loaded.nearest('word3'))[0]).toEqual({ word: best!.word, score: expect.closeTo(best!.score, 2) });
  });
});

describe('a folder of model2vec', () => {
  it('embeds texts as model2vec does, and finds tokens', () =>
    withWords('model2vec', async (loaded) => {
      expect(loaded).toMatchObject({ size: 40, dimension: 8 });
      const vectors = await loaded.embed(texts.map(({ text }) => text));
      for (const [i, { mean, text }] of texts.entries())
        for (const [j, x] of vectors[i]!.entries()) expect(x, text).toBeCloseTo(mean[j]!, 5);
      expect((await loaded.nearest('cat', { topK: 3 })).map(({ word }) => word)).not.toContain('cat');
      expect(await codeOf(loaded.embed([]))).toBe('invalid-argument');
      expect(await codeOf(loaded.embed('a cat' as never))).toBe('invalid-argument');
    }));
});

describe('refused', () => {
  it('words that are not there, and calls that mean nothing', () =>
    withWords('glove.txt', async (loaded) => {
      const calls: (() => unknown)[] = [
        () => loaded.vector('absent'),
        () => loaded.similarity('word1', 'absent'),
        () => loaded.nearest('absent'),
        () => loaded.nearest('word1', { topK: 0 }),
        () => loaded.nearest([]),
        () => loaded.analogy({ positive: [] }),
        () => loaded.analogy({ positive: ['word1', 'absent'] }),
        () => loaded.analogy({ positive: ['word1'], without: ['word2'] } as never),
        () => loaded.embed(['a text']),
      ];
      for (const call of calls) expect(await codeOf((async () => call())()), String(call)).toBe('invalid-argument');
      expect(await codeOf(loaded.nearest([1, 2]))).toBe('wrong-shape');
      loaded.dispose();
      expect(await codeOf(loaded.nearest(new Float32Array(12)))).toBe('disposed');
    }));

  it('sources that are not there or none', async () => {
    const engine = await testEngine();
    const { bytes } = engine.counters;
    for (const [code, source, options] of [
      ['not-found', `${FOLDER}/absent.txt`, {}],
      ['invalid-argument', { 'a.txt': new Uint8Array(9), 'b.bin': new Uint8Array(9) }, {}],
      ['invalid-argument', `${FOLDER}/glove.txt`, { dtype: 'int4' }],
      ['aborted', `${FOLDER}/glove.txt`, { signal: AbortSignal.abort() }],
    ] as const)
      expect(await codeOf(engine.wordVectors(source as string, options as object)), code).toBe(code);
    expect(engine.counters.bytes).toBe(bytes);
  });
});
