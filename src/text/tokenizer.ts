import { Tokenizer as Backend } from '@huggingface/tokenizers';
import { TilewrightError } from '../errors.ts';
import {
  checkArgument,
  checkFields,
  flag,
  list,
  number,
  object,
  off,
  oneOf,
  type Rule,
  refuse,
  shown,
  text,
} from '../options.ts';
import { type AddedToken, addedTokenSplitter } from './added-tokens.ts';
import { adaptNormalizer, adaptPreTokenizer, type Fields } from './tokenizer-parts.ts';

/** Text to token ids, and back. */
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

/** What the model can take, in tokens. */
export interface TokenLimits {
  readonly vocabulary: number;
  readonly context: number;
}

const FILE = 'tokenizer.json';
const UNSET: Rule = ['nothing', (value) => value === '' || value === 0];
const ADDED_RULES = { special: flag, single_word: flag, lstrip: flag, rstrip: flag, normalized: flag };

/**
 * Fields of tokenizer_config.json that change the ids. `clean_up_tokenization_spaces` is left out: text is what its
 * tokens say.
 */
const CONFIG_RULES: Readonly<Record<string, Rule>> = {
  add_prefix_space: flag,
  ...{ add_bos_token: off, add_eos_token: off, split_special_tokens: off },
  ...{ remove_space: off, do_lowercase_and_remove_accent: off },
  errors: oneOf('replace'),
};

const MODEL_RULES: Readonly<Record<string, Rule>> = {
  type: oneOf('BPE', 'WordPiece', 'Unigram', 'WordLevel'),
  dropout: UNSET,
};

/** Where the text begins among what a post-processor puts around it. */
const TEXT = '\0';

/**
 * A tokenizer from the contents of tokenizer.json and, where there is one, tokenizer_config.json. The package
 * `@huggingface/tokenizers` computes the parts; what it leaves out of them, this and its neighbours do or refuse.
 *
 * Errors: `invalid-file` when the contents are not a tokenizer, or have ids beyond
 * the model's vocabulary; `unsupported-option`.
 */
export async function loadTokenizer(
  json: unknown,
  config: Fields = {},
  limits: TokenLimits = { vocabulary: 2 ** 24, context: Number.POSITIVE_INFINITY },
): Promise<Tokenizer> {
  checkFields('tokenizer_config.json', config, CONFIG_RULES);
  const { file, added, size } = readFile(json, config, limits);
  const { backend, frame } = buildOrRefuse(() => {
    const backend = new Backend(
      { ...file, added_tokens: added },
      { ...config, unk_token: (file['model'] as Fields)['unk_token'] },
    );
    return { backend, frame: backend.post_processor?.post_process([TEXT], null, true).tokens ?? [TEXT] };
  });
  const { normalizer, pre_tokenizer, model } = backend;
  const splitRaw = addedTokenSplitter(added.filter(({ normalized }) => !normalized));
  const splitNormalized = addedTokenSplitter(
    added
      .filter(({ normalized }) => normalized)
      .map((token) => ({ ...token, content: normalizer?.normalize(token.content) ?? token.content })),
  );
  const around = frame.map((token) =>
    token === TEXT
      ? token
      : (backend.token_to_id(token) ??
        refuse('invalid-file', FILE, 'post_processor', 'tokens of the vocabulary', token)),
  );
  const idOf = (token: string): number | undefined => backend.token_to_id(token) ?? model?.unk_token_id;

  function pieces(section: string, first: boolean): (number | undefined)[] {
    const words = pre_tokenizer ? pre_tokenizer.pre_tokenize(section, { section_index: first ? 0 : 1 }) : [section];
    return model!._call(words).map(idOf);
  }

  const eosToken = contentOf(config['eos_token']);
  return {
    encode(given) {
      checkArgument('encode', 'text', given, text);
      const ids = splitRaw(given).flatMap((part, i) =>
        typeof part !== 'string'
          ? part.id
          : splitNormalized(normalizer?.normalize(part) ?? part).flatMap((inner, j) =>
              typeof inner === 'string' ? pieces(inner, i + j === 0) : inner.id,
            ),
      );
      return around.flatMap((id) => (id === TEXT ? ids : id)).filter((id) => typeof id === 'number');
    },
    decode(ids) {
      checkArgument('decode', 'ids', ids, list(number()));
      const known = ids.filter((id) => backend.id_to_token(id) !== undefined);
      // "Cleaning up" would drop spaces before punctuation: the text would no longer be what the tokens say.
      return known.length === 0 ? '' : backend.decode(known, { clean_up_tokenization_spaces: false });
    },
    size,
    eosTokenId: eosToken === undefined ? undefined : backend.token_to_id(eosToken),
  };
}

/**
 * tokenizer.json as the package computes it rightly, and what is read of it here. No id makes a table before it is
 * checked.
 */
function readFile(json: unknown, config: Fields, { vocabulary: most, context }: TokenLimits) {
  const bad = (name: string, expected: string, got: unknown): never =>
    refuse('invalid-file', FILE, name, expected, got);
  if (!isObject(json)) return bad('contents', object[0], json);
  const model = json['model'];
  if (!isObject(model)) return bad('model', object[0], model);
  const { vocab, merges } = model;
  if (!isObject(vocab) && !Array.isArray(vocab)) return bad('model.vocab', object[0], vocab);
  const byText = Array.isArray(vocab) ? {} : (vocab as Readonly<Record<string, number>>);
  let size = Array.isArray(vocab) ? vocab.length : 0;
  const see = (token: string, id: unknown): void => {
    if (!Number.isInteger(id) || (id as number) < 0 || (id as number) >= most)
      bad(`the id of ${shown(token)}`, `an id below ${most}, the model's vocabulary`, id);
    size = Math.max(size, (id as number) + 1);
  };
  for (const [token, id] of Object.entries(byText)) see(token, id);
  if (size > most) bad('model.vocab', `at most ${most} tokens, as the model has`, size);
  if (model['type'] === 'BPE' && !Array.isArray(merges)) bad('model.merges', 'a list', merges);

  const added = new Map<number, AddedToken>();
  const { added_tokens } = json;
  if (!Array.isArray(added_tokens)) return bad('added_tokens', 'a list', added_tokens);
  const more = Object.entries(config['added_tokens_decoder'] ?? {}).map(([id, token]) => ({
    ...token,
    id: Number(id),
  }));
  for (const token of [...added_tokens, ...more] as unknown[]) {
    if (!isAddedToken(token)) return bad('an added token', 'an id and content', token);
    // A token that the vocabulary has keeps its id.
    const id = Object.hasOwn(byText, token.content) ? byText[token.content]! : token.id;
    see(token.content, id);
    checkFields(`${FILE}: added_tokens`, { ...token }, ADDED_RULES, { code: 'invalid-file' });
    added.set(id, { ...token, id, normalized: token.normalized ?? !token.special });
  }

  checkFields(FILE, json, {
    truncation: [
      `nothing, or a max_length from ${context} on`,
      (value) => ((value as Fields)['max_length'] as number) >= context,
    ],
    padding: [
      'nothing',
      (value) => (value as Fields)['strategy'] === 'BatchLongest' && !(value as Fields)['pad_to_multiple_of'],
    ],
  });
  checkFields(`${FILE}: model`, model, {
    ...MODEL_RULES,
    ...(model['type'] === 'BPE' && { continuing_subword_prefix: UNSET }),
  });
  const file: Fields = {
    decoder: null,
    post_processor: null,
    ...json,
    normalizer: adaptNormalizer(json['normalizer']),
    pre_tokenizer: adaptPreTokenizer(json['pre_tokenizer'], config['add_prefix_space']),
  };
  return { file, added: [...added.values()], size };
}

const isObject = (value: unknown): value is Fields => object[1](value);

const isAddedToken = (token: unknown): token is AddedToken =>
  isObject(token) && typeof token['id'] === 'number' && typeof token['content'] === 'string';

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
