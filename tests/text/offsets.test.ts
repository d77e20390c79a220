import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { loadTokenizer } from '../../src/text/tokenizer.ts';

const tokenizerOf = (name: string) => {
  const read = (file: string) =>
    JSON.parse(readFileSync(new URL(`../fixtures/encoders/${name}/${file}`, import.meta.url), 'utf8'));
  return loadTokenizer(read('tokenizer.json'), read('tokenizer_config.json'));
};
const parts = (text: string, offsets: readonly (readonly [number, number] | undefined)[]) =>
  offsets.map((place) => place && text.slice(...place));

it('WordPiece: what is normalised away counts, an unknown word is one token', async () => {
  const tokenizer = await tokenizerOf('bert');
  const text = '  The CAFÉ\u0301, 東京 xyz';
  expect(parts(text, tokenizer.offsets(text))).toEqual(expect.arrayContaining(['The', ',', '東', '京']));
  expect(
    parts(text, tokenizer.offsets(text))
      .filter((part) => part !== undefined)
      .join(''),
  ).toBe(text.replaceAll(' ', ''));
});

it('bytes: tokens of one character have all of it', async () => {
  const tokenizer = await tokenizerOf('roberta');
  const text = 'a 東 b';
  const ids = tokenizer.encode(text, { addSpecialTokens: false });
  const offsets = tokenizer.offsets(text);
  expect(offsets).toHaveLength(ids.length);
  // A token that is a space alone is no text.
  expect(new Set(parts(text, offsets))).toEqual(new Set(['a', '東', 'b', undefined]));
});

it('a text without tokens has none; a pair is framed with kinds of segments', async () => {
  const tokenizer = await tokenizerOf('bert');
  expect(tokenizer.offsets('')).toEqual([]);
  const [cls, sep] = ['[CLS]', '[SEP]'].map((token) => tokenizer.encode(token, { addSpecialTokens: false })[0]);
  expect(tokenizer.frame([7, 8], [9])).toEqual({
    ids: [cls, 7, 8, sep, 9, sep],
    types: [0, 0, 0, 0, 1, 1],
    starts: [1, 4],
  });
  expect(tokenizer.frame([7])).toEqual({ ids: [cls, 7, sep], types: [0, 0, 0], starts: [1] });
});
