import type { Normalize } from './tokenizer-parts.ts';

/** The bytes that the printable characters of byte-level tokens stand for (GPT-2's table). */
const BYTES = new Map<string, number>();
{
  let next = 256;
  for (let byte = 0; byte < 256; byte++) {
    const printable = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
    BYTES.set(String.fromCharCode(printable ? byte : next++), byte);
  }
}

/** What a token adds to a text or takes from it at its edges: marks of a word's begin, inside and end, and spaces. */
const MARKS = /^##|<\/w>$|[\s\u2581]/gu;
const BYTE_TOKEN = /^<0x([\dA-F]{2})>$/;
const SPACES = [9, 10, 11, 12, 13, 32];
const utf8 = new TextEncoder();

/** A word as the tokenizer cuts it from the normalised text, and its tokens. */
interface Word {
  readonly word: string;
  readonly tokens: readonly string[];
}

/**
 * Where tokens stand in their text: first code unit and the one after the last. Words, and the tokens of each, are laid along the normalised text,
 * byte by byte, spaces apart; each byte knows the character that it came from. A token that is not found, for it is the unknown one, has what is left
 * before the next of its word.
 */
export function offsetsOf(
  text: string,
  words: readonly Word[],
  normalize: Normalize,
  byteLevel: boolean,
): (readonly [number, number] | undefined)[] {
  const { bytes, from, to } = laidOut(text, normalize);
  let at = 0;
  return words.flatMap(({ word, tokens }) => {
    const own = surface(word, byteLevel);
    const start = found(bytes, at, own);
    if (start < 0) return tokens.map(() => undefined);
    at = start;
    const end = start + own.length;
    const surfaces = tokens.map((token) => surface(token, byteLevel));
    return surfaces.map((token, i) => {
      let stop = at + token.length;
      if (!token.length || !matches(bytes, at, token)) {
        const next = surfaces
          .slice(i + 1)
          .map((other) => found(bytes, at, other))
          .find((place) => place >= 0);
        stop = Math.min(end, next ?? end);
      }
      const place = stop > at ? ([from[at]!, to[stop - 1]!] as const) : undefined;
      at = stop;
      return place;
    });
  });
}

const matches = (bytes: readonly number[], at: number, own: readonly number[]): boolean =>
  own.every((byte, i) => bytes[at + i] === byte);

/** Where these bytes stand from `from` on; -1 where they do not, or are none. */
function found(bytes: readonly number[], from: number, own: readonly number[]): number {
  if (!own.length) return -1;
  for (let at = from; at < bytes.length; at++) if (matches(bytes, at, own)) return at;
  return -1;
}

/** The bytes of a normalised text without its spaces; of each, where its character begins and ends in the text. */
function laidOut(text: string, normalize: Normalize): { bytes: number[]; from: number[]; to: number[] } {
  const [bytes, from, to]: [number[], number[], number[]] = [[], [], []];
  // A character with its marks: normal forms change these together.
  for (const { 0: character, index } of text.matchAll(/\P{M}\p{M}*|\p{M}+/gu)) {
    for (const byte of utf8.encode(normalize(character).replaceAll('\u2581', ''))) {
      if (SPACES.includes(byte)) continue;
      bytes.push(byte);
      from.push(index);
      to.push(index + character.length);
    }
  }
  return { bytes, from, to };
}

/** The bytes of a token that are text. */
function surface(token: string, byteLevel: boolean): readonly number[] {
  const byte = BYTE_TOKEN.exec(token);
  if (byte) return [Number.parseInt(byte[1]!, 16)];
  const bytes = byteLevel
    ? Array.from(token, (one) => BYTES.get(one) ?? -1)
    : [...utf8.encode(token.replace(MARKS, ''))];
  return bytes.filter((one) => !SPACES.includes(one));
}
