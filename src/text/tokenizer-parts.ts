import { checkFields, flag, oneOf, type Rule, refuse } from '../options.ts';

/**
 * Parts of tokenizer.json written so that the package `@huggingface/tokenizers` computes what Hugging Face's Rust
 * library does: it takes `\s`, `\w` and `\d` of most parts as JavaScript does, but those of a `Split` pattern as Rust
 * does, and leaves some options out.
 */
export type Fields = Readonly<Record<string, unknown>>;

type Adapt = (part: Fields) => Fields | null;

const PUNCTUATION = '\\p{P}!-/:-@\\[-`{-~';
const GPT2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/** Keeps what the pattern matches: all else goes. */
const matches = (pattern: string): Fields => ({
  type: 'Split',
  pattern: { Regex: pattern },
  behavior: 'Removed',
  invert: true,
});

const replace = (pattern: string, content: string): Fields => ({
  type: 'Replace',
  pattern: { Regex: pattern },
  content,
});

const check = (type: string, part: Fields, rules: Readonly<Record<string, Rule>>): void =>
  checkFields(`tokenizer.json: ${type}`, part, rules);

const asIs: Adapt = (part) => part;

const NORMALIZERS: Readonly<Record<string, Adapt>> = {
  ...{
    NFC: asIs,
    NFD: asIs,
    NFKC: asIs,
    NFKD: asIs,
    Lowercase: asIs,
    StripAccents: asIs,
    BertNormalizer: asIs,
    Prepend: asIs,
  },
  Replace: (part) => ({ ...part, content: String(part['content']).replaceAll('$', '$$$$') }),
  Strip: ({ strip_left, strip_right }) =>
    sequence('normalizers', [
      ...(strip_left ? [replace('\\A\\s+', '')] : []),
      ...(strip_right ? [replace('\\s+\\z', '')] : []),
    ]),
  Sequence: ({ normalizers }) => sequence('normalizers', each(normalizers, adaptNormalizer)),
};

const PRE_TOKENIZERS: Readonly<Record<string, Adapt>> = {
  Whitespace: () => matches('\\w+|[^\\w\\s]+'),
  WhitespaceSplit: () => matches('\\S+'),
  BertPreTokenizer: () => matches(`[^\\s${PUNCTUATION}]+|[${PUNCTUATION}]`),
  Digits: ({ individual_digits }) => matches(`\\P{N}+|\\p{N}${individual_digits ? '' : '+'}`),
  Punctuation(part) {
    check('Punctuation', part, { behavior: oneOf('Isolated', 'Contiguous', 'Removed') });
    const { behavior } = part;
    const marks = behavior === 'Removed' ? '' : `|[${PUNCTUATION}]${behavior === 'Contiguous' ? '+' : ''}`;
    return matches(`[^${PUNCTUATION}]+${marks}`);
  },
  Split(part) {
    const { pattern, behavior, invert } = part;
    const { Regex, String: literal } = pattern as { Regex?: string; String?: string };
    const regex = Regex ?? literal!.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    // All pieces stay, whichever of them are the matches.
    if (behavior === 'Isolated') return { ...matches(regex), behavior, invert: false };
    check('Split', part, { behavior: oneOf('Isolated', 'Removed') });
    return { ...matches(regex), invert };
  },
  Metaspace(part) {
    const { replacement = '\u2581', prepend_scheme, add_prefix_space, split = true } = part;
    const scheme = prepend_scheme ?? (add_prefix_space === false ? 'never' : 'always');
    const spaced = { ...part, prepend_scheme: scheme };
    return split
      ? sequence('pretokenizers', [spaced, matches(`${replacement}[^${replacement}]*|[^${replacement}]+`)])
      : spaced;
  },
  ByteLevel(part) {
    check('ByteLevel', part, { add_prefix_space: flag, use_regex: flag });
    return sequence('pretokenizers', [
      ...(part['add_prefix_space'] ? [replace('\\A(?! )', ' ')] : []),
      ...((part['use_regex'] ?? true) ? [matches(GPT2)] : []),
      { type: 'ByteLevel', add_prefix_space: false, use_regex: false },
    ]);
  },
  Sequence: ({ pretokenizers }) =>
    sequence(
      'pretokenizers',
      each(pretokenizers, (part) => adaptPreTokenizer(part)),
    ),
};

const sequence = (name: string, parts: readonly unknown[]): Fields => ({ type: 'Sequence', [name]: parts });

const each = (parts: unknown, adapt: (part: unknown) => unknown): unknown[] =>
  Array.isArray(parts)
    ? parts.map(adapt)
    : refuse('invalid-file', 'tokenizer.json', 'a Sequence', 'a list of parts', parts);

function adapted(part: unknown, kind: string, table: Readonly<Record<string, Adapt>>): Fields | null {
  if (part === null || part === undefined) return null;
  const type = String((part as Fields)['type']);
  if (!Object.hasOwn(table, type))
    refuse('unsupported-option', 'tokenizer.json', kind, Object.keys(table).join(' or '), type);
  return table[type]!(part as Fields);
}

export const adaptNormalizer = (part: unknown): Fields | null => adapted(part, 'normalizer', NORMALIZERS);

/** `prefix`: what tokenizer_config.json says of `add_prefix_space`, which overrules a part that stands alone. */
export const adaptPreTokenizer = (part: unknown, prefix?: unknown): Fields | null =>
  adapted(
    typeof prefix === 'boolean' && part ? { ...(part as Fields), add_prefix_space: prefix } : part,
    'pre_tokenizer',
    PRE_TOKENIZERS,
  );
