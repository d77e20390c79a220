import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TextStream } from '../../src/text/stream.ts';
import { loadTokenizer } from '../../src/text/tokenizer.ts';

/** Of tools/make_tokenizer_fixtures.py, or more texts of the same from a folder. */
const ROOT = process.env.TILEWRIGHT_TOKENIZERS ?? new URL('../fixtures/tokenizers', import.meta.url).pathname;
const read = (file: string) => JSON.parse(readFileSync(`${ROOT}/${file}`, 'utf8'));

interface Answers {
  readonly ids: readonly (readonly number[])[];
  /** How many of the first and of the last ids of every text are special tokens. */
  readonly around: readonly [before: number, after: number];
  /** By the index of the text, where it is not the text. */
  readonly decoded: Readonly<Record<number, string>>;
  readonly random: readonly (readonly [ids: readonly number[], text: string])[];
}

const texts: readonly string[] = read('texts.json');
const kinds = readdirSync(ROOT, { withFileTypes: true }).filter((entry) => entry.isDirectory());

describe.each(kinds.map(({ name }) => name))('a tokenizer as %s has it', async (kind) => {
  const tokenizer = await loadTokenizer(read(`${kind}/tokenizer.json`), read(`${kind}/tokenizer_config.json`));
  const { ids, around, decoded, random }: Answers = read(`${kind}/answers.json`);

  it('gives the ids of transformers, and those without special tokens', () => {
    expect(ids).toHaveLength(texts.length);
    for (const [i, text] of texts.entries()) {
      expect(tokenizer.encode(text), JSON.stringify(text)).toEqual(ids[i]);
      const bare = ids[i]!.slice(around[0], ids[i]!.length - around[1]);
      expect(tokenizer.encode(text, { addSpecialTokens: false }), JSON.stringify(text)).toEqual(bare);
    }
  });

  it('gives the texts of transformers, for ids of texts and for any', () => {
    for (const [i, text] of texts.entries()) expect(tokenizer.decode(ids[i]!)).toBe(decoded[i] ?? text);
    for (const [row, text] of random) expect(tokenizer.decode(row), row.join()).toBe(text);
  });

  it('streams the same text', () => {
    // A run of bytes that turns out to be no UTF-8 is none from its start on, of which a part may be out.
    for (const row of ids.filter((row) => !tokenizer.decode(row).includes('\ufffd'))) {
      const stream = new TextStream(tokenizer);
      expect([...row.map((id) => stream.push(id)), stream.flush()].join('')).toBe(tokenizer.decode(row));
    }
  });
});
