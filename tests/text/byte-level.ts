/** The printable characters that GPT-2's byte-level BPE writes bytes as. */
const BYTE_CHARACTERS: readonly string[] = (() => {
  const printable = (byte: number): boolean =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255);
  let others = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : others++));
})();

const written = (bytes: readonly number[]): string => bytes.map((byte) => BYTE_CHARACTERS[byte]).join('');

/**
 * A tokenizer.json: one token a byte (its id is the byte), then the byte strings of `more`, then the special token
 * `<|end|>`. It has no merges, so encode gives bytes.
 */
export function byteLevelTokenizer(more: readonly (readonly number[])[] = []) {
  const tokens = [...BYTE_CHARACTERS, ...more.map(written)];
  const pre = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  return {
    version: '1.0',
    added_tokens: [
      {
        id: tokens.length,
        content: '<|end|>',
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: false,
        special: true,
      },
    ],
    normalizer: null,
    pre_tokenizer: pre,
    post_processor: null,
    decoder: pre,
    model: { type: 'BPE', vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), merges: [] },
  };
}
