import { TilewrightError } from '../errors.ts';

export interface Tokenizer {
  /** Token ids of a text, with the special tokens that the tokenizer adds by itself (GPT-2's adds none). */
  encode(text: string): number[];
  /** The text of token ids, special tokens included; ids that the vocabulary lacks give nothing. */
  decode(ids: readonly number[]): string;
  /** One more than the largest id of the vocabulary, added tokens included. */
  readonly size: number;
  /** From the tokenizer's configuration; undefined where it names none. */
  readonly eosTokenId: number | undefined;
}

/**
 * A tokenizer from the contents of tokenizer.json and, where there is one, tokenizer_config.json.
 * `missing-dependency` without the package `@huggingface/tokenizers`; `invalid-file` when the contents are not a
 * tokenizer, or one of a kind that the package does not know.
 */
export async function loadTokenizer(tokenizerJson: unknown, tokenizerConfig?: unknown): Promise<Tokenizer> {
  const { Tokenizer: Backend } = await loadBackend();
  const config = (tokenizerConfig ?? {}) as Readonly<Record<string, unknown>>;
  const backend = buildOrRefuse(() => new Backend(tokenizerJson as object, config));
  const eosToken = contentOf(config.eos_token);
  return {
    encode: (text) => backend.encode(text).ids,
    decode(ids) {
      const known = ids.filter((id) => backend.id_to_token(id) !== undefined);
      // "Cleaning up" would drop spaces before punctuation: the text would no longer be what the tokens say.
      return known.length === 0 ? '' : backend.decode(known, { clean_up_tokenization_spaces: false });
    },
    size: [...backend.get_vocab().values()].reduce((size, id) => Math.max(size, id + 1), 0),
    eosTokenId: eosToken === undefined ? undefined : backend.token_to_id(eosToken),
  };
}

async function loadBackend() {
  try {
    return await import('@huggingface/tokenizers');
  } catch (cause) {
    throw new TilewrightError('missing-dependency', 'Text needs the package @huggingface/tokenizers', {
      hint: 'npm install @huggingface/tokenizers',
      cause,
    });
  }
}

function buildOrRefuse<T>(build: () => T): T {
  try {
    return build();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TilewrightError('invalid-file', `tokenizer.json is not a tokenizer that can be read: ${reason}`, {
      cause,
    });
  }
}

/** A special token is written as a string or as an object around it. */
function contentOf(token: unknown): string | undefined {
  if (typeof token === 'string') return token;
  const content = (token as { content?: unknown } | null | undefined)?.content;
  return typeof content === 'string' ? content : undefined;
}
