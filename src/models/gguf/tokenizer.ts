import type { GgufValue } from '../../formats/gguf.ts';
import { checkFields, flag, integer, list, number, oneOf, type Rule, refuse, text } from '../../options.ts';
import type { Fields } from '../config.ts';

/** Kinds of tokens, as `tokenizer.ggml.token_type` has them. */
const [NORMAL, UNKNOWN, CONTROL, OWN] = [1, 2, 3, 4];

/** Characters of a token that is made by merges, at the most: all its halves are tried. */
const LONGEST = 256;

const SPACE = '\u2581';
const ENDINGS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const MARKS = ' ?[^\\s\\p{L}\\p{N}]+';
const UPPER = '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]';
const LOWER = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]';
const BEFORE = '[^\\r\\n\\p{L}\\p{N}]?';
const GAPS = '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';

const split = (pattern: string): Fields => ({
  type: 'Split',
  pattern: { Regex: pattern },
  behavior: 'Isolated',
  invert: false,
});
const bytes = (byWords: boolean): Fields => ({
  type: 'ByteLevel',
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: byWords,
});
const cl100k = (digits: string): Fields[] => [
  split(`${ENDINGS}|${BEFORE}\\p{L}+|${digits}|${MARKS}[\\r\\n]*|${GAPS}`),
  bytes(false),
];
const o200k = (ending: string, digits: string): Fields[] => [
  split(
    `${BEFORE}${UPPER}*${LOWER}+${ending}|${BEFORE}${UPPER}+${LOWER}*${ending}|${digits}|${MARKS}[\\r\\n/]*|${GAPS}`,
  ),
  bytes(false),
];

interface Words {
  readonly parts: readonly Fields[];
  /** A word that is a token is that token, whatever merges give. */
  readonly whole?: boolean;
  readonly normalizer?: Fields;
  readonly bos?: boolean;
}

/** How text becomes words, by `tokenizer.ggml.pre`: as the tokenizer.json has it of the model that the name stands for. */
const WORDS: Readonly<Record<string, Words>> = {
  ...alike(['gpt-2', 'phi-2', 'olmo', 'mpt'], { parts: [bytes(true)] }),
  ...alike(['llama-bpe', 'llama3', 'llama-v3'], { parts: cl100k('\\p{N}{1,3}'), whole: true, bos: true }),
  dbrx: { parts: cl100k('\\p{N}{1,3}') },
  qwen2: { parts: cl100k('\\p{N}'), normalizer: { type: 'NFC' } },
  ...alike(['smollm', 'starcoder', 'refact', 'command-r'], {
    parts: [{ type: 'Digits', individual_digits: true }, bytes(true)],
  }),
  'gpt-4o': { parts: o200k(`${ENDINGS}?`, '\\p{N}{1,3}') },
  tekken: { parts: o200k('', '\\p{N}'), whole: true },
};

function alike(names: readonly string[], words: Words): Record<string, Words> {
  return Object.fromEntries(names.map((name) => [name, words]));
}

const PREFIX = 'tokenizer.ggml.';
const ID = integer(0);
const RULES: Readonly<Record<string, Rule>> = {
  model: oneOf('gpt2', 'llama', 'none', 'no_vocab'),
  pre: text,
  tokens: list(text),
  token_type: list(ID),
  scores: list(number()),
  merges: list(text),
  bos_token_id: ID,
  eos_token_id: ID,
  unknown_token_id: ID,
  add_bos_token: flag,
  add_eos_token: flag,
  add_sep_token: oneOf(false),
  add_space_prefix: flag,
  remove_extra_whitespaces: oneOf(false),
};

/** tokenizer.json and tokenizer_config.json, as transformers has them. */
export interface TokenizerFiles {
  readonly tokenizer: Fields;
  readonly config: Fields;
}

/**
 * The tokenizer of a GGUF file: `gpt2` is BPE of bytes with its merges, `llama` SentencePiece's BPE, whose merges follow from the
 * scores of tokens. Undefined where the file has none. Errors: `unsupported-option`, `invalid-file`.
 */
export function tokenizerOf(name: string, fields: ReadonlyMap<string, GgufValue>): TokenizerFiles | undefined {
  const own = [...fields]
    .filter(([key]) => key.startsWith(PREFIX))
    .map(([key, value]) => [key.slice(PREFIX.length), value]);
  const said = Object.fromEntries(own) as Readonly<Record<string, unknown>>;
  checkFields(`${name}: ${PREFIX}*`, said, RULES);
  const get = <T>(key: string): T | undefined => said[key] as T | undefined;
  const model = get<string>('model') ?? 'none';
  const tokens = get<readonly string[]>('tokens');
  if (model === 'none' || model === 'no_vocab' || !tokens) return undefined;
  const kinds = get<readonly number[]>('token_type') ?? tokens.map(() => NORMAL);
  if (kinds.length !== tokens.length)
    refuse('invalid-file', name, `${PREFIX}token_type`, `${tokens.length} kinds, as there are tokens`, kinds.length);
  const tokenAt = (key: string): string | undefined => {
    const id = get<number>(key);
    if (id !== undefined && id >= tokens.length)
      refuse('invalid-file', name, PREFIX + key, `an id below ${tokens.length}, the number of tokens`, id);
    return id === undefined ? undefined : tokens[id];
  };
  const [bos, eos, unknown] = ['bos_token_id', 'eos_token_id', 'unknown_token_id'].map(tokenAt);
  const added = tokens.flatMap((content, id) =>
    [UNKNOWN, CONTROL, OWN].includes(kinds[id]!)
      ? [
          {
            id,
            content,
            special: kinds[id] !== OWN,
            normalized: false,
            single_word: false,
            lstrip: false,
            rstrip: false,
          },
        ]
      : [],
  );
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  const made = model === 'gpt2' ? byteLevel(name, get, vocab) : sentencePiece(name, get, tokens, kinds, vocab, unknown);
  const { bos: begins, ...parts } = made;
  const template = fields.get('tokenizer.chat_template');
  return {
    tokenizer: { version: '1.0', truncation: null, padding: null, post_processor: null, added_tokens: added, ...parts },
    config: {
      ...(bos !== undefined && { bos_token: bos, add_bos_token: get<boolean>('add_bos_token') ?? begins }),
      ...(eos !== undefined && { eos_token: eos, add_eos_token: get<boolean>('add_eos_token') ?? false }),
      ...(typeof template === 'string' && { chat_template: template }),
    },
  };
}

interface Parts extends Fields {
  /** Whether a text begins with the first token where the file does not say it. */
  readonly bos: boolean;
}

type Get = <T>(key: string) => T | undefined;

function byteLevel(name: string, get: Get, vocab: Readonly<Record<string, number>>): Parts {
  const pre = get<string>('pre');
  checkFields(name, { [`${PREFIX}pre`]: pre ?? 'nothing' }, { [`${PREFIX}pre`]: oneOf(...Object.keys(WORDS)) });
  const { parts, whole = false, normalizer = null, bos = false } = WORDS[pre!]!;
  const merges = get<readonly string[]>('merges');
  if (!merges) return refuse('invalid-file', name, `${PREFIX}merges`, 'a list', merges);
  return {
    bos,
    normalizer,
    pre_tokenizer: parts.length === 1 ? parts[0] : { type: 'Sequence', pretokenizers: parts },
    decoder: bytes(true),
    model: {
      type: 'BPE',
      vocab,
      merges: merges.map(pairOf),
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: whole,
    },
  };
}

/** A merge is written with a space between its halves, of which neither is empty. */
function pairOf(merge: string): [string, string] {
  const at = merge.indexOf(' ', 1);
  return at < 0 ? [merge, ''] : [merge.slice(0, at), merge.slice(at + 1)];
}

function sentencePiece(
  name: string,
  get: Get,
  tokens: readonly string[],
  kinds: readonly number[],
  vocab: Readonly<Record<string, number>>,
  unknown: string | undefined,
): Parts {
  const scores = get<readonly number[]>('scores');
  if (scores?.length !== tokens.length)
    return refuse(
      'invalid-file',
      name,
      `${PREFIX}scores`,
      `${tokens.length} of them, as there are tokens`,
      scores?.length,
    );
  const prefix = get<boolean>('add_space_prefix') ?? true;
  const space = { type: 'Replace', pattern: { String: ' ' }, content: SPACE };
  return {
    bos: true,
    normalizer: { type: 'Sequence', normalizers: [...(prefix ? [{ type: 'Prepend', prepend: SPACE }] : []), space] },
    pre_tokenizer: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: SPACE }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        ...(prefix ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
      ],
    },
    model: {
      ...{ type: 'BPE', vocab, merges: mergesOf(name, tokens, kinds, scores, vocab) },
      ...{ fuse_unk: true, byte_fallback: true, ignore_merges: false },
      ...(unknown !== undefined && { unk_token: unknown }),
    },
  };
}

/**
 * The merges of SentencePiece's BPE: of two neighbours those are joined whose token has the highest score, so a merge ranks as its
 * token does; as `SentencePieceExtractor` of transformers has them.
 */
function mergesOf(
  name: string,
  tokens: readonly string[],
  kinds: readonly number[],
  scores: readonly number[],
  vocab: Readonly<Record<string, number>>,
): [string, string][] {
  const merges: [string, string][] = [];
  const best = tokens.flatMap((_, id) => (kinds[id] === NORMAL ? [id] : [])).sort((a, b) => scores[b]! - scores[a]!);
  for (const id of best) {
    const token = tokens[id]!;
    if (token.length > LONGEST)
      refuse('unsupported-option', name, `${PREFIX}tokens`, `tokens of at most ${LONGEST} characters`, token);
    const own: [string, string][] = [];
    for (let at = 1; at < token.length; at++) {
      const [left, right] = [token.slice(0, at), token.slice(at)];
      if (Object.hasOwn(vocab, left) && Object.hasOwn(vocab, right)) own.push([left, right]);
    }
    own.sort((a, b) => vocab[a[0]]! - vocab[b[0]]! || vocab[a[1]]! - vocab[b[1]]!);
    merges.push(...own);
  }
  return merges;
}
