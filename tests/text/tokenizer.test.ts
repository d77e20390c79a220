import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadTokenizer } from '../../src/text/tokenizer.ts';
import { byteLevelTokenizer } from './byte-level.ts';

const gpt2 = new URL('../../../shared/data/tokenizer/gpt2/', import.meta.url);
const read = (name: string) => JSON.parse(readFileSync(new URL(name, gpt2), 'utf8'));

const withoutGpt2 = !existsSync(gpt2) && !process.env.CI && 'no shared/data/tokenizer/gpt2 beside the repository';
describe(`GPT-2's tokenizer${withoutGpt2 ? ` (skipped: ${withoutGpt2})` : ''}`, () => {
  it.skipIf(withoutGpt2)('gives the published ids, and the text back', async () => {
    const tokenizer = await loadTokenizer(read('tokenizer.json'), { eos_token: '<|endoftext|>' });
    const vectors: { text: string; ids: number[] }[] = read('vectors.json');
    expect(vectors).toHaveLength(23);
    for (const { text, ids } of vectors) {
      expect(tokenizer.encode(text), JSON.stringify(text)).toEqual(ids);
      expect(tokenizer.decode(ids)).toBe(text);
    }
    expect(tokenizer.size).toBe(50257);
    expect(tokenizer.eosTokenId).toBe(50256);
  });
});

describe('loadTokenizer', () => {
  it('gives any text back, spaces before punctuation included', async () => {
    const tokenizer = await loadTokenizer(byteLevelTokenizer());
    expect(tokenizer.decode(tokenizer.encode("I 'm here , you do n't ."))).toBe("I 'm here , you do n't .");
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => tokenizer.decode(tokenizer.encode(text)) === text));
  });

  it('knows its size and special tokens', async () => {
    const tokenizer = await loadTokenizer(byteLevelTokenizer(), { eos_token: { content: '<|end|>' } });
    expect(tokenizer).toMatchObject({ size: 257, eosTokenId: 256 });
    expect(tokenizer.encode('a<|end|>')).toEqual([97, 256]);
    expect(tokenizer.decode([97, 256])).toBe('a<|end|>');
  });

  it('leaves eosTokenId out where the configuration names none that is known', async () => {
    for (const config of [undefined, {}, { eos_token: null }, { eos_token: 7 }, { eos_token: '</s>' }]) {
      expect((await loadTokenizer(byteLevelTokenizer(), config)).eosTokenId).toBeUndefined();
    }
  });

  it('decodes nothing, and ids past the vocabulary, to nothing', async () => {
    const tokenizer = await loadTokenizer(byteLevelTokenizer());
    expect(tokenizer.decode([])).toBe('');
    expect(tokenizer.decode([9999, 97, -1])).toBe('a');
  });

  it.each([
    ['null', null],
    ['a string', 'tokenizer'],
    ['an empty object', {}],
    ['a model of an unknown kind', { ...byteLevelTokenizer(), model: { type: 'Telepathy' } }],
    ['no added tokens', { ...byteLevelTokenizer(), added_tokens: undefined }],
  ])('refuses %s', async (_, json) => {
    await expect(loadTokenizer(json)).rejects.toMatchObject({ code: 'invalid-file' });
  });
});
