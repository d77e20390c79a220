import { refuse } from '../options.ts';

/** What bytes are looked up in: units of a double array (darts-clone), of which each has a label and says where its children are. */
type Trie = Uint32Array;

const offsetOf = (unit: number): number => (unit >>> 10) << ((unit & 0x200) >>> 6);
const LABEL = 0x800000ff;

/** A grapheme of more bytes is looked up a character at a time. */
const LONGEST = 5;

const utf8 = new TextEncoder();

/**
 * SentencePiece's table of characters and what they become, as Hugging Face's Rust library (spm_precompiled) reads it: each grapheme that begins with
 * an entry becomes what the shortest says; of one without, each character does so by itself. `charsmap`: in base64, the bytes of the trie as uint32, the
 * trie, and texts that end with a zero. Error: `invalid-file`.
 */
export function precompiled(charsmap: unknown): (text: string) => string {
  const { trie, texts } = parsed(charsmap);
  const segments = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  const known = new Map<string, string | undefined>();
  const lookup = (part: string): string | undefined => {
    if (!known.has(part)) known.set(part, mapped(trie, texts, utf8.encode(part)));
    return known.get(part);
  };
  return (text) => {
    let done = '';
    for (const { segment } of segments.segment(text)) {
      const whole = utf8.encode(segment).length <= LONGEST ? lookup(segment) : undefined;
      done += whole ?? Array.from(segment, (character) => lookup(character) ?? character).join('');
    }
    return done;
  };
}

/** What the shortest entry that the bytes begin with becomes. */
function mapped(trie: Trie, texts: Uint8Array, bytes: Uint8Array): string | undefined {
  let at = offsetOf(trie[0] ?? 0);
  for (const byte of bytes) {
    if (byte === 0) return undefined;
    at ^= byte;
    const unit = trie[at] ?? 0;
    if ((unit & LABEL) >>> 0 !== byte) return undefined;
    at ^= offsetOf(unit);
    if (!((unit >>> 8) & 1)) continue;
    const start = (trie[at] ?? 0) & 0x7fffffff;
    const end = texts.indexOf(0, start);
    return new TextDecoder().decode(texts.subarray(start, end < 0 ? undefined : end));
  }
  return undefined;
}

function parsed(charsmap: unknown): { trie: Trie; texts: Uint8Array } {
  const fail = (got: unknown): never =>
    refuse('invalid-file', 'tokenizer.json: Precompiled', 'precompiled_charsmap', 'a table in base64', got);
  if (typeof charsmap !== 'string') return fail(charsmap);
  let bytes: Uint8Array;
  try {
    bytes = Uint8Array.from(atob(charsmap), (one) => one.charCodeAt(0));
  } catch {
    return fail(charsmap);
  }
  const view = new DataView(bytes.buffer);
  const size = bytes.length >= 4 ? view.getUint32(0, true) : 0;
  if (!size || size % 4 || size > bytes.length - 4) return fail(charsmap);
  const trie = Uint32Array.from({ length: size / 4 }, (_, i) => view.getUint32(4 + 4 * i, true));
  return { trie, texts: bytes.subarray(4 + size) };
}
