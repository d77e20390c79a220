import { ByteLevelDecoder } from '@huggingface/tokenizers';
import { byType, each, type Fields, replacer } from './tokenizer-parts.ts';

/** Tokens to texts, which joined are the text. */
export type Decode = (tokens: readonly string[]) => string[];

const REPLACEMENT = '\ufffd';
const BYTE = /^<0x([\da-f]{2})>$/i;
const lossy = new TextDecoder('utf-8', { ignoreBOM: true });
const strict = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });

/** Bytes of a run that are no UTF-8 are a U+FFFD each, all of them. */
function runText(bytes: readonly number[]): string {
  try {
    return strict.decode(Uint8Array.from(bytes));
  } catch {
    return REPLACEMENT.repeat(bytes.length);
  }
}

/** What the package leaves to a setting, and the library does where `cleanup` is set. */
const TIDY: readonly (readonly [from: string, to: string])[] = [
  ...['.', '?', '!', ',', "n't", "'m", "'s", "'ve", "'re"].map((end) => [` ${end}`, end] as const),
  [" ' ", "'"],
  [' do not', " don't"],
];

const tidied = (token: string): string => TIDY.reduce((text, [from, to]) => text.replaceAll(from, to), token);

/**
 * Decoders as Hugging Face's Rust library has them. Those of the package differ for bytes that are no UTF-8, for a mark of
 * order at the start, and for spaces before a first word.
 */
const DECODERS: Readonly<Record<string, (part: Fields) => Decode>> = {
  ByteFallback: () => (tokens) => {
    const texts: string[] = [];
    let bytes: number[] = [];
    const settle = (): void => {
      if (bytes.length) texts.push(runText(bytes));
      bytes = [];
    };
    for (const token of tokens) {
      const byte = BYTE.exec(token);
      if (byte) bytes.push(Number.parseInt(byte[1]!, 16));
      else {
        settle();
        texts.push(token);
      }
    }
    settle();
    return texts;
  },
  ByteLevel() {
    const { byte_decoder: byteOf } = new ByteLevelDecoder({ type: 'ByteLevel' } as never);
    const encoder = new TextEncoder();
    const bytesOf = (token: string): Iterable<number> => {
      const bytes = Array.from(token, (character) => byteOf[character]);
      return bytes.includes(undefined as never) ? encoder.encode(token) : bytes.map(Number);
    };
    return (tokens) => [lossy.decode(Uint8Array.from(tokens.flatMap((token) => [...bytesOf(token)])))];
  },
  BPEDecoder:
    ({ suffix = '</w>' }) =>
    (tokens) =>
      tokens.map((token, i) => token.replaceAll(String(suffix), i === tokens.length - 1 ? '' : ' ')),
  Fuse: () => (tokens) => [tokens.join('')],
  Metaspace: ({ replacement = '\u2581', prepend_scheme, add_prefix_space }) => {
    const begins = (prepend_scheme ?? (add_prefix_space === false ? 'never' : 'always')) === 'never' ? ' ' : '';
    return (tokens) => tokens.map((token, i) => token.replaceAll(String(replacement), i === 0 ? begins : ' '));
  },
  Replace(part) {
    const replace = replacer(part);
    return (tokens) => tokens.map(replace);
  },
  Sequence({ decoders }) {
    const steps = each(decoders, (part) => byType(part as Fields, 'decoder', DECODERS));
    return (tokens) => steps.reduce<string[]>((texts, step) => step(texts), [...tokens]);
  },
  Strip: ({ content, start, stop }) => {
    const cut = (characters: string[], most: unknown): string[] => {
      const kept = characters.findIndex((character, i) => i >= (most as number) || character !== content);
      return characters.slice(kept < 0 ? characters.length : kept);
    };
    return (tokens) =>
      tokens.map((token) =>
        cut(cut([...token], start).reverse(), stop)
          .reverse()
          .join(''),
      );
  },
  WordPiece:
    ({ prefix = '##', cleanup = true }) =>
    (tokens) => {
      const mark = String(prefix);
      return tokens.map((token, i) => {
        const word = i === 0 ? token : token.startsWith(mark) ? token.slice(mark.length) : ` ${token}`;
        return cleanup ? tidied(word) : word;
      });
    },
};

/** What a file's decoder makes of tokens; without one there is a space between them. Error: `unsupported-option`. */
export function readDecoder(part: unknown): (tokens: readonly string[]) => string {
  if (!part) return (tokens) => tokens.join(' ');
  const decode = byType(part as Fields, 'decoder', DECODERS);
  return (tokens) => decode(tokens).join('');
}
