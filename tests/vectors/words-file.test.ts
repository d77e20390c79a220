import { describe, expect, it } from 'vitest';
import { byteSource, bytesSource } from '../../src/hub/source.ts';
import { readWords } from '../../src/vectors/words/file.ts';
import { codeOf } from '../support/errors.ts';
import { readAnywhere, repositoryFolder } from '../support/files.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const read = (file: Uint8Array | string) =>
  readWords(bytesSource('words', typeof file === 'string' ? bytesOf(file) : file), 'float32', undefined);

/** A file of word2vec: `count` and `dimension` as its first line says, then what it has. */
function binary(first: string, words: readonly (readonly [string, readonly number[]])[], newline = '\n'): Uint8Array {
  const parts = words.flatMap(([word, vector]) => [
    ...bytesOf(`${word} `),
    ...new Uint8Array(Float32Array.from(vector).buffer),
    ...bytesOf(newline),
  ]);
  return Uint8Array.from([...bytesOf(`${first}\n`), ...parts]);
}

describe('a file of words', () => {
  it.each(['a 1 2\nb 3 4\n', 'a 1 2\nb 3 4', 'a 1 2 \r\nb 3 4 \r\n', '2 2\na 1 2\nb 3 4\n', 'a\t1\t2\nb\t3\t4\n'])(
    'is read as text: %j',
    async (text) => {
      const { ids, table } = await read(text);
      expect([...ids]).toEqual([
        ['a', 0],
        ['b', 1],
      ]);
      expect(table.values).toEqual(Float32Array.of(1, 2, 3, 4));
    },
  );

  it.each(['\n', ''])('is read in binary, with %j between words', async (newline) => {
    const { ids, table } = await read(
      binary(
        '2 2',
        [
          ['a', [1, 2]],
          ['größe', [1e-30, -4]],
        ],
        newline,
      ),
    );
    expect([...ids.keys()]).toEqual(['a', 'größe']);
    expect(table.values).toEqual(Float32Array.of(1, 2, 1e-30, -4));
  });

  it.each(['glove.txt', 'word2vec.txt', 'word2vec.bin'])('%s is the same in pieces of any size', async (name) => {
    const bytes = await readAnywhere(`${repositoryFolder('tests/fixtures/vectors')}/${name}`);
    const whole = await read(bytes);
    for (const size of [1, 7, 64, 1000]) {
      const source = byteSource(name, bytes.length, async function* (start, end) {
        for (let at = start; at < end; at += size) yield bytes.slice(at, Math.min(end, at + size));
      });
      const { ids, table } = await readWords(source, 'float32', undefined);
      expect([...ids]).toEqual([...whole.ids]);
      expect(table.values).toEqual(whole.table.values);
    }
  });

  it.each(['word2vec.txt', 'word2vec.bin'])('%s is refused wherever it is cut', async (name) => {
    const bytes = await readAnywhere(`${repositoryFolder('tests/fixtures/vectors')}/${name}`);
    const end = name.endsWith('txt') ? bytes.lastIndexOf(0x2e) : bytes.length - 1; // the last number of text may be cut
    for (let length = 0; length < end; length += 37)
      expect(await codeOf(read(bytes.slice(0, length)))).toBe('invalid-file');
  });

  const NAN = binary('1 2', [['a', [1, Number.NaN]]]);
  it.each<[string, Uint8Array | string]>([
    ['nothing', ''],
    ['no numbers', 'only words\n'],
    ['a page', '<!doctype html><p>Not found'],
    ['a row that is short', 'a 1 2 3\nb 1 2\n'],
    ['a row that is long', 'a 1 2\nb 1 2 3\n'],
    ['an empty line', 'a 1 2\n\nb 1 2\n'],
    ['a word that is no number', 'a 1 2\nb 1 x\n'],
    ['a word twice', 'a 1 2\nb 1 2\na 3 4\n'],
    ['infinity', 'a 1 2\nb 1 Infinity\n'],
    ['more than float32', 'a 1 2\nb 1 1e39\n'],
    ['bytes that are no text', Uint8Array.of(...bytesOf('a 1 2\nb'), 0xff, ...bytesOf(' 1 2\n'))],
    ['fewer words than are said', '3 2\na 1 2\nb 3 4\n'],
    ['more words than are said', '1 2\na 1 2\nb 3 4\n'],
    ['a count that would take all memory', '999999999999 300\na 1 2\n'],
    ['a dimension that would', '2 999999999999\na 1 2\n'],
    ['no words', '0 2\n'],
    ['words of no numbers', '2 0\na\nb\n'],
    [
      'binary: fewer words than are said',
      binary('3 2', [
        ['a', [1, 2]],
        ['b', [3, 4]],
      ]),
    ],
    [
      'binary: more words than are said',
      binary('1 2', [
        ['a', [1, 2]],
        ['b', [3, 4]],
      ]),
    ],
    [
      'binary: another dimension',
      binary('2 3', [
        ['a', [1, 2]],
        ['b', [3, 4]],
      ]),
    ],
    [
      'binary: a word twice',
      binary('2 2', [
        ['a', [1, 2]],
        ['a', [3, 4]],
      ]),
    ],
    ['binary: no word', binary('1 2', [['', [1, 2]]])],
    ['binary: NaN', NAN],
  ])('is refused: %s', async (_, file) => {
    expect(await codeOf(read(file))).toBe('invalid-file');
  });
});
