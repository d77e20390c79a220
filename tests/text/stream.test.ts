import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TextStream } from '../../src/text/stream.ts';
import { loadTokenizer, type Tokenizer } from '../../src/text/tokenizer.ts';
import { byteLevelTokenizer } from './byte-level.ts';

// Tokens that start or end amid a character, as real vocabularies have them.
const tokenizer = await loadTokenizer(
  byteLevelTokenizer([
    [0x20, 0xf0, 0x9f],
    [0xf0, 0x9f],
    [0x98, 0x80],
    [0x80, 0x61],
    [0x61, 0xe4],
    [0xbd, 0xa0, 0xe5],
    [0xe4, 0xbd, 0xa0],
    [0x80, 0x80, 0x80, 0xf0],
    [0xff, 0xc3],
    [0xef, 0xbf, 0xbd],
    [0xef, 0xbb, 0xbf],
    [0x20, 0x74, 0x68, 0x65],
  ]),
);

function pieces(ids: readonly number[], through: Pick<Tokenizer, 'decode'> = tokenizer): string[] {
  const stream = new TextStream(through);
  return [...ids.map((id) => stream.push(id)), stream.flush()];
}

const anyIds = fc.array(fc.integer({ min: 0, max: tokenizer.size }), { maxLength: 60 });
/** Mostly bytes of unfinished and impossible characters. */
const roughIds = fc.array(fc.oneof(fc.integer({ min: 0x7f, max: 0xff }), fc.integer({ min: 256, max: 269 })), {
  maxLength: 60,
});

describe('TextStream', () => {
  it('joins to the text of all ids, whatever the bytes', () => {
    const joins = (ids: number[]): void => {
      expect(pieces(ids).join('')).toBe(tokenizer.decode(ids));
    };
    fc.assert(fc.property(anyIds, joins), { numRuns: 1000 });
    fc.assert(fc.property(roughIds, joins), { numRuns: 3000 });
  });

  it('lets out whole characters only', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const whole = new Set([...text, '']);
        expect(pieces(tokenizer.encode(text)).every((piece) => whole.has(piece))).toBe(true);
      }),
    );
  });

  it('holds a character back until its last byte, and lets the text before it out', () => {
    expect(pieces([0x61, 0x20, 0xf0, 0x9f, 0x98, 0x80, 0x62])).toEqual(['a', ' ', '', '', '', '😀', 'b', '']);
    expect(pieces([256, 258])).toEqual([' ', '😀', '']);
  });

  it('shows what never becomes a character when the text goes on, or ends', () => {
    expect(pieces([0xf0, 0x61])).toEqual(['', '\ufffda', '']);
    expect(pieces([0xf0, 0x9f])).toEqual(['', '', '\ufffd']);
    const special = tokenizer.size - 1;
    expect(pieces([0xf0, special, 0x9f])).toEqual(['', '\ufffd<|end|>', '', '\ufffd']);
  });

  it('starts anew after flush', () => {
    const stream = new TextStream(tokenizer);
    stream.push(0xf0);
    expect(stream.flush()).toBe('\ufffd');
    expect(stream.push(0x9f)).toBe('');
    expect(stream.flush()).toBe('\ufffd');
    expect(stream.flush()).toBe('');
  });

  it.each([
    ['words', [0x61, 267, 0x2e, 0x20]],
    ['emoji', [0xf0, 0x9f, 0x98, 0x80]],
    ['bytes that are no UTF-8', [0x80]],
    ['characters that never end', [0xf0, 0x9f]],
    ['tokens past the vocabulary', [9999]],
  ])('decodes a window that does not grow: %s', (_, pattern) => {
    let longest = 0;
    const counting = {
      decode(ids: readonly number[]) {
        longest = Math.max(longest, ids.length);
        return tokenizer.decode(ids);
      },
    };
    const ids = Array.from({ length: 2000 }, (_, i) => pattern[i % pattern.length]!);
    expect(pieces(ids, counting).join('')).toBe(tokenizer.decode(ids));
    expect(longest).toBeLessThan(24);
  });

  it('keeps the space that some decoders drop from a first token', () => {
    const words = ['▁the', '▁cat', 's', '▁', '.'];
    const metaspace = {
      decode: (ids: readonly number[]) =>
        ids
          .map((id) => words[id])
          .join('')
          .replaceAll('▁', ' ')
          .replace(/^ /, ''),
    };
    expect(pieces([0, 1, 2, 3, 0, 4], metaspace)).toEqual(['the', ' cat', 's', ' ', ' the', '.', '']);
    expect(pieces([3, 0], metaspace).join('')).toBe(metaspace.decode([3, 0]));
  });

  it('follows decoders that spell a whole run of bytes as unfinished', () => {
    const fallback = {
      decode(ids: readonly number[]) {
        try {
          return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(ids));
        } catch {
          return '\ufffd'.repeat(ids.length);
        }
      },
    };
    const bytes = [...new TextEncoder().encode('你好😀')];
    expect(pieces(bytes, fallback).filter((piece) => piece !== '')).toEqual(['你', '好', '😀']);
  });
});
