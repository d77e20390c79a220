import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { loadTokenizer } from '../../src/text/tokenizer.ts';

const shipped = new URL('../../weights/gpt-shakespeare/tokenizer.json', import.meta.url);

/** Characters of each text. */
const LENGTH = 100_000;

/** Texts that are one word, one gap, or cut at every character. */
const TEXTS: Readonly<Record<string, string>> = {
  'one letter': 'a',
  'a word without end': 'thequickbrownfox',
  spaces: ' ',
  'spaces and a letter': `${' '.repeat(1000)}x`,
  lines: '\n',
  apostrophes: "'",
  digits: '1234567890',
  'half of a pair': '\ud800',
  'pairs of surrogates': '\u{1f600}',
  'combining marks': 'e\u0301\u0323',
  'joiners and marks of direction': '\u200d\u202e',
  'almost special tokens': '<|endoftext|',
  'special tokens': '<|endoftext|>',
  'bytes of 0': '\0',
};

it.each(Object.entries(TEXTS))('100,000 characters of %s: tokens within 10 seconds', async (_, unit) => {
  const tokenizer = await loadTokenizer(JSON.parse(await readFile(shipped, 'utf8')));
  const text = unit.repeat(LENGTH / unit.length);
  const began = performance.now();
  const ids = tokenizer.encode(text);
  expect(performance.now() - began).toBeLessThan(10_000); // what grows with the square takes minutes
  expect(ids.length).toBeGreaterThan(0);
  expect(tokenizer.decode(ids).length).toBeGreaterThan(0);
});
