import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { precompiled } from '../../src/text/precompiled.ts';

const file = new URL('../fixtures/tokenizers/t5/tokenizer.json', import.meta.url);
const { normalizers } = JSON.parse(readFileSync(file, 'utf8')).normalizer;
const charsmap: string = normalizers[0].precompiled_charsmap;

it('characters become what the table says, with their marks where it says so', () => {
  const normalize = precompiled(charsmap);
  expect(normalize('ＡＢｃ　１')).toBe('ABc 1');
  expect(normalize('ﬁre e\u0301 e\u0301\u0323 a\u0301')).toBe('fire é é a\u0301'); // the shortest entry has all of a grapheme
  expect(normalize('a\u00adb\ufeff')).toBe('ab');
  // A grapheme of many bytes is looked up a character at a time.
  expect(normalize('👩‍👩‍👧‍👦')).toBe('woman‍woman‍👧‍👦');
  expect(normalize('plain')).toBe('plain');
});

it('what is no table is refused', () => {
  const bytes = (size: number, length: number): string => {
    const table = new Uint8Array(length);
    new DataView(table.buffer).setUint32(0, size, true);
    return btoa(String.fromCharCode(...table));
  };
  for (const wrong of [undefined, 7, '', '%', btoa('abc'), bytes(0, 16), bytes(6, 16), bytes(64, 16)])
    expect(() => precompiled(wrong), String(wrong)).toThrow(/precompiled_charsmap: expected a table in base64/);
  // Units that lead out of the table end the search.
  expect(precompiled(bytes(4, 8))('abc')).toBe('abc');
});
