import { Tokenizer as Backend } from '@huggingface/tokenizers';
import { TilewrightError } from '../errors.ts';
import {
  checkArgument,
  checkFields,
  checkOptions,
  flag,
  list,
  number,
  object,
  off,
  oneOf,
  type Rule,
  type Rules,
  refuse,
  shown,
  text,
} from '../options.ts';
import { type AddedToken, addedTokenSplitter } from './added-tokens.ts';
import { readDecoder } from './decoders.ts';
import { offsetsOf } from './offsets.ts';
import { adaptPreTokenizer, type Fields, readNormalizer } from './tokenizer-parts.ts';

/** Text to token ids, and back. */
export interface Tokenizer {
  /** Token ids of a text, with the special tokens that the tokenizer adds by itself (GPT-2's adds none). */
  encode(text: string, options?: EncodeOptions): number[];
  /** The text of token ids, special tokens included; ids that the vocabulary lacks give nothing. */
  decode(ids: readonly number[]): string;
  /** Token ids of a text, or of a pair of texts, with the special tokens that the tokenizer puts around them. */
  frame(ids: readonly number[], pair?: readonly number[]): FramedTokens;
  /**
   * Where in a text its tokens stand, those of `encode` without special tokens: first code unit and the one after the last; undefined
   * for a token that is no text. A token that is part of a character has all of it.
   */
  offsets(text: string): (readonly [start: number, end: number] | undefined)[];
  /** One more than the largest id of the vocabulary, added tokens included. */
  readonly size: number;
  /** Special tokens that the tokenizer's configuration names; undefined where it names none. */
  readonly bosTokenId: number | undefined;
  readonly eosTokenId: number | undefined;
  readonly padTokenId: number | undefined;
  readonly unkTokenId: number | undefined;
  readonly maskTokenId: number | undefined;
  /** Ids of all tokens that mark something and are no text. */
  readonly specialTokenIds: readonly number[];
}

/** A text or a pair of texts as a model reads them. */
export interface FramedTokens {
  readonly ids: readonly number[];
  /** Of each token, the kind of its segment. */
  readonly types: readonly number[];
  /** Where the texts begin among the tokens. */
  readonly starts: readonly number[];
}

/** How a text is encoded. */
export interface EncodeOptions {
  /** Whether the tokens come with it that the tokenizer puts around a text. Default true. */
  addSpecialTokens?: boolean;
}

const ENCODE_RULES: Rules<EncodeOptions> = { addSpecialTokens: flag };

/** What the model can take, in tokens. */
export interface TokenLimits {
  readonly vocabulary: number;
  readonly context: number;
  /** The caller cuts and pads texts itself: what tokenizer.json says of both does not hold. */
  readonly cuts?: boolean;
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
  ...{ add_bos_token: flag, add_eos_token: flag, split_special_tokens: off },
  ...{ remove_space: off, do_lowercase_and_remove_accent: off },
  errors: oneOf('replace'),
};

const MODEL_RULES: Readonly<Record<string, Rule>> = {
  type: oneOf('BPE', 'WordPiece', 'Unigram', 'WordLevel'),
  dropout: UNSET,
};

const POST_PROCESSORS: Rule = oneOf(
  'TemplateProcessing',
  'ByteLevel',
  'BertProcessing',
  'RobertaProcessing',
  'Sequence',
);

/** Where texts stand among what a post-processor puts around them. */
const TEXT = '\0';
const PAIR = '\0\0';

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
  if (!isObject(json)) return refuse('invalid-file', FILE, 'contents', object[0], json);
  const { file, added, size } = readFile(json, config, limits);
  const { backend, alone, normalize, decode } = buildOrRefuse(() => {
    const normalize = readNormalizer(json['normalizer']);
    const decode = readDecoder(json['decoder']);
    const backend = new Backend(
      { ...file, added_tokens: added },
      { ...config, unk_token: (file['model'] as Fields)['unk_token'] },
    );
    const alone = framing(backend, []);
    return { backend, alone, normalize, decode };
  });
  const { pre_tokenizer, model } = backend;
  const splitRaw = addedTokenSplitter(added.filter(({ normalized }) => !normalized));
  const splitNormalized = addedTokenSplitter(
    added.filter(({ normalized }) => normalized).map((token) => ({ ...token, content: normalize(token.content) })),
  );
  const named = (name: string): string | undefined => contentOf(config[`${name}_token`]);
  const idOfNamed = (name: string): number | undefined => backend.token_to_id(named(name) ?? '');
  const idIn = (token: string): number =>
    backend.token_to_id(token) ?? refuse('invalid-file', FILE, 'post_processor', 'tokens of the vocabulary', token);
  /** Tokens around texts as ids; of the places of texts, which text stands there. */
  const settled = (frame: readonly Framing[]) =>
    frame.map(({ token, type }) => {
      const which = [TEXT, PAIR].indexOf(token);
      return { which, type, own: which < 0 ? [idIn(token)] : [] };
    });
  const around = settled(framedBy(config, alone, named));
  let paired: ReturnType<typeof settled> | undefined;
  const byteLevel = /"type":"ByteLevel"/.test(JSON.stringify([json['pre_tokenizer'], json['decoder']]));
  const { byte_fallback } = file['model'] as Fields;
  const bytes = byte_fallback ? byteTokens(backend) : undefined;
  const idsOf = (token: string): readonly (number | undefined)[] => {
    const id = backend.token_to_id(token);
    if (id !== undefined || !bytes) return [id ?? model?.unk_token_id];
    return Array.from(new TextEncoder().encode(token), (byte) => bytes[byte]);
  };

  /** Unknown characters are one token within a word, not beyond. */
  function pieces(section: string, first: boolean): Word[] {
    const words = pre_tokenizer ? pre_tokenizer.pre_tokenize(section, { section_index: first ? 0 : 1 }) : [section];
    return words.map((word) => ({ word, ids: model!._call([word]).flatMap(idsOf).filter(isKnown) }));
  }

  const whole = ({ content, id }: AddedToken): Word => ({ word: content, ids: [id] });

  /** What a text is cut into, each with its tokens. */
  const wordsOf = (given: string): Word[] =>
    splitRaw(given).flatMap((part, i) =>
      typeof part !== 'string'
        ? whole(part)
        : splitNormalized(normalize(part)).flatMap((inner, j) =>
            typeof inner === 'string' ? pieces(inner, i + j === 0) : whole(inner),
          ),
    );

  function framed(frame: ReturnType<typeof settled>, texts: readonly (readonly number[])[]) {
    const [ids, types, starts]: [number[], number[], number[]] = [[], [], []];
    for (const { which, type, own } of frame) {
      if (which >= 0) starts.push(ids.length);
      for (const id of texts[which] ?? own) {
        ids.push(id);
        types.push(type);
      }
    }
    return { ids, types, starts };
  }

  return {
    encode(given, options = {}) {
      checkArgument('encode', 'text', given, text);
      checkOptions('encode', options, ENCODE_RULES);
      const ids = wordsOf(given).flatMap(({ ids }) => ids);
      return options.addSpecialTokens === false ? ids : framed(around, [ids]).ids;
    },
    decode(ids) {
      checkArgument('decode', 'ids', ids, list(number()));
      // Spaces before punctuation stay: the text is what its tokens say.
      return decode(ids.map((id) => backend.id_to_token(id)).filter((token) => token !== undefined));
    },
    frame(ids, pair) {
      checkArgument('frame', 'ids', ids, list(number()));
      if (pair !== undefined) checkArgument('frame', 'pair', pair, list(number()));
      if (!pair) return framed(around, [ids]);
      paired ??= settled(buildOrRefuse(() => framing(backend, [PAIR])));
      return framed(paired, [ids, pair]);
    },
    offsets(given) {
      checkArgument('offsets', 'text', given, text);
      const words = wordsOf(given).map(({ word, ids }) => ({
        word,
        tokens: ids.map((id) => backend.id_to_token(id) ?? ''),
      }));
      return offsetsOf(given, words, normalize, byteLevel);
    },
    size,
    bosTokenId: idOfNamed('bos'),
    eosTokenId: idOfNamed('eos'),
    padTokenId: idOfNamed('pad'),
    unkTokenId: idOfNamed('unk'),
    maskTokenId: idOfNamed('mask'),
    specialTokenIds: added.filter(({ special }) => special).map(({ id }) => id),
  };
}

/**
 * tokenizer.json as the package computes it rightly, and what is read of it here. No id makes a table before it is
 * checked.
 */
function readFile(json: Fields, config: Fields, { vocabulary: most, context, cuts }: TokenLimits) {
  const bad = (name: string, expected: string, got: unknown): never =>
    refuse('invalid-file', FILE, name, expected, got);
  const model = json['model'];
  if (!isObject(model)) return bad('model', object[0], model);
  const { vocab, merges } = model;
  if (!isObject(vocab) && !Array.isArray(vocab)) return bad('model.vocab', object[0], vocab);
  const byText = new Map<unknown, unknown>(
    Array.isArray(vocab) ? vocab.slice(0, most).map((entry, id) => [entry?.[0], id]) : Object.entries(vocab),
  );
  let size = Array.isArray(vocab) ? vocab.length : 0;
  const see = (token: string, id: unknown): void => {
    if (!Number.isInteger(id) || (id as number) < 0 || (id as number) >= most)
      bad(`the id of ${shown(token)}`, `an id below ${most}, the model's vocabulary`, id);
    size = Math.max(size, (id as number) + 1);
  };
  for (const [token, id] of byText) see(String(token), id);
  if (size > most) bad('model.vocab', `at most ${most} tokens, as the model has`, size);
  const type = model['type'] ?? typeOf(model);
  if (type === 'BPE' && !Array.isArray(merges)) bad('model.merges', 'a list', merges);

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
    const id = byText.get(token.content) ?? token.id;
    see(token.content, id);
    checkFields(`${FILE}: added_tokens`, { ...token }, ADDED_RULES, { code: 'invalid-file' });
    added.set(id as number, { ...token, id: id as number, normalized: token.normalized ?? !token.special });
  }
  for (const content of namedTokens(config)) {
    const id = byText.get(content) as number | undefined;
    if (id !== undefined && !added.has(id)) added.set(id, { id, content, special: true, normalized: false });
  }

  const own: Readonly<Record<string, Rule>> = {
    truncation: [
      `nothing, or a max_length from ${context} on`,
      (value) => ((value as Fields)['max_length'] as number) >= context,
    ],
    padding: [
      'nothing',
      (value) => (value as Fields)['strategy'] === 'BatchLongest' && !(value as Fields)['pad_to_multiple_of'],
    ],
  };
  if (!cuts) checkFields(FILE, json, own);
  checkFields(`${FILE}: model`, model, {
    ...MODEL_RULES,
    ...(type === 'BPE' && { continuing_subword_prefix: UNSET }),
  });
  const file: Fields = {
    post_processor: checkedPostProcessor(json['post_processor']),
    // Not the package's: see decoders.ts and tokenizer-parts.ts.
    ...{ decoder: null, normalizer: null },
    model: { ...model, type },
    pre_tokenizer: adaptPreTokenizer(json['pre_tokenizer'], config['add_prefix_space']),
  };
  return { file, added: [...added.values()], size };
}

/** What older files leave out. */
const typeOf = ({ merges, vocab, continuing_subword_prefix: prefix }: Fields): string =>
  merges ? 'BPE' : Array.isArray(vocab) ? 'Unigram' : prefix ? 'WordPiece' : 'WordLevel';

function checkedPostProcessor(part: unknown): Fields | null {
  if (!isObject(part)) return null;
  checkFields(`${FILE}: post_processor`, part, { type: POST_PROCESSORS });
  for (const inner of (part['processors'] ?? []) as unknown[]) checkedPostProcessor(inner);
  return part;
}

/** What a text is cut into before it is made of tokens. */
interface Word {
  readonly word: string;
  readonly ids: readonly number[];
}

const isKnown = (id: number | undefined): id is number => id !== undefined;

/** A token around texts, or the place of one, and the kind of its segment. */
interface Framing {
  readonly token: string;
  readonly type: number;
}

/** What the post-processor puts around a text, and around a pair of texts. */
function framing({ post_processor }: Backend, pair: string[]): Framing[] {
  const alone = [TEXT, ...pair].map((token) => ({ token, type: 0 }));
  if (!post_processor) return alone;
  const { tokens, token_type_ids } = post_processor.post_process([TEXT], pair.length ? pair : null, true);
  return tokens.map((token, i) => ({ token, type: token_type_ids?.[i] ?? 0 }));
}

/** What stands around a text. tokenizer_config.json overrules the post-processor where it says `add_bos_token` or `add_eos_token`. */
function framedBy(
  { add_bos_token, add_eos_token }: Fields,
  frame: readonly Framing[],
  named: (name: string) => string | undefined,
): Framing[] {
  const at = frame.findIndex(({ token }) => token === TEXT);
  const side = (said: unknown, name: string, own: readonly Framing[]): readonly Framing[] =>
    typeof said === 'boolean' ? [(said && named(name)) || []].flat().map((token) => ({ token, type: 0 })) : own;
  return [
    ...side(add_bos_token, 'bos', frame.slice(0, at)),
    frame[at] ?? { token: TEXT, type: 0 },
    ...side(add_eos_token, 'eos', frame.slice(at + 1)),
  ];
}

/** The ids of all bytes, where the vocabulary has them all. */
function byteTokens(backend: Backend): readonly number[] | undefined {
  const name = (byte: number): string => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
  const ids = Array.from({ length: 256 }, (_, byte) => backend.token_to_id(name(byte)));
  return ids.every((id) => id !== undefined) ? ids : undefined;
}

const isObject = (value: unknown): value is Fields => object[1](value);

const isAddedToken = (token: unknown): token is AddedToken =>
  isObject(token) && typeof token['id'] === 'number' && typeof token['content'] === 'string';

function buildOrRefuse<T>(build: () => T): T {
  try {
    return build();
  } catch (cause) {
    if (cause instanceof TilewrightError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TilewrightError('invalid-file', `tokenizer.json is not a tokenizer that can be read: ${reason}`, {
      cause,
    });
  }
}

/** The special tokens of tokenizer_config.json: they are found in texts as added tokens are. */
const namedTokens = (config: Fields): string[] =>
  [
    ...['bos', 'eos', 'unk', 'sep', 'pad', 'cls', 'mask'].map((name) => config[`${name}_token`]),
    ...[config['additional_special_tokens'], config['extra_special_tokens']].flatMap((list) =>
      Object.values(list ?? {}),
    ),
  ]
    .map(contentOf)
    .filter((content) => content !== undefined);

/** A special token is written as a string or as an object around it. */
function contentOf(token: unknown): string | undefined {
  if (typeof token === 'string') return token;
  const content = (token as { content?: unknown } | null | undefined)?.content;
  return typeof content === 'string' ? content : undefined;
}
