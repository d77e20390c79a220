import { ReplaceNormalizer } from '@huggingface/tokenizers';
import { checkFields, flag, type Rule, refuse } from '../options.ts';
import { precompiled } from './precompiled.ts';

/**
 * Parts of tokenizer.json, computed as Hugging Face's Rust library does. The package `@huggingface/tokenizers` takes `\s`, `\w`
 * and `\d` of most parts as JavaScript does, but those of a pattern as Rust does, and leaves some options out: so splits
 * are written for it as patterns, and normalizers are computed here.
 */
export type Fields = Readonly<Record<string, unknown>>;

type Adapt = (part: Fields) => Fields | null;
export type Normalize = (text: string) => string;

const PUNCTUATION = '\\p{P}!-/:-@\\[-`{-~';
const WORD = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}';
const GPT2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/** Keeps what the pattern matches: all else goes. */
const matches = (pattern: string): Fields => ({
  type: 'Split',
  pattern: { Regex: pattern },
  behavior: 'Removed',
  invert: true,
});

const check = (type: string, part: Fields, rules: Readonly<Record<string, Rule>>): void =>
  checkFields(`tokenizer.json: ${type}`, part, rules);

const escaped = (literal: string): string => literal.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

const form =
  (name: string): (() => Normalize) =>
  () =>
  (text) =>
    text.normalize(name);

/** A letter at a time: no sigma becomes a final one. */
const lower: Normalize = (text) => text.replaceAll('\u03a3', '\u03c3').toLowerCase();

/** What a pattern matches, by other text. */
export function replacer(part: Fields): Normalize {
  const { pattern } = new ReplaceNormalizer(part as unknown as ConstructorParameters<typeof ReplaceNormalizer>[0]);
  const content = String(part['content']);
  return (text) => text.replaceAll(pattern!, () => content);
}

const IDEOGRAPHS =
  /[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u{20000}-\u{2a6df}\u{2a700}-\u{2b81f}\u{2b920}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/gu;

const NORMALIZERS: Readonly<Record<string, (part: Fields) => Normalize>> = {
  NFC: form('NFC'),
  NFD: form('NFD'),
  NFKC: form('NFKC'),
  NFKD: form('NFKD'),
  Lowercase: () => lower,
  StripAccents: () => (text) => text.replace(/\p{M}/gu, ''),
  BertNormalizer({ clean_text, handle_chinese_chars, lowercase, strip_accents }) {
    const steps: Normalize[] = [];
    if (clean_text)
      steps.push((text) =>
        text.replace(/(?![\t\n\r])[\0\ufffd\p{Cc}\p{Cf}\p{Co}]/gu, '').replace(/\p{White_Space}/gu, ' '),
      );
    if (handle_chinese_chars) steps.push((text) => text.replace(IDEOGRAPHS, ' $& '));
    if (strip_accents ?? lowercase) steps.push((text) => text.normalize('NFD').replace(/\p{Mn}/gu, ''));
    if (lowercase) steps.push(lower);
    return inTurn(steps);
  },
  Precompiled: ({ precompiled_charsmap }) => precompiled(precompiled_charsmap),
  Prepend:
    ({ prepend }) =>
    (text) =>
      text && String(prepend) + text,
  Replace: replacer,
  Strip: ({ strip_left, strip_right }) =>
    inTurn([
      ...(strip_left ? [(text: string) => text.replace(/^\p{White_Space}+/u, '')] : []),
      ...(strip_right ? [(text: string) => text.replace(/(?<!\p{White_Space})\p{White_Space}+$/u, '')] : []),
    ]),
  Sequence: ({ normalizers }) => inTurn(each(normalizers, readNormalizer)),
};

const inTurn =
  (steps: readonly Normalize[]): Normalize =>
  (text) =>
    steps.reduce((done, step) => step(done), text);

/** How what a pattern matches goes with what is around it: patterns of the pieces. `P`: a match; `N`: text without any. */
const BEHAVIORS: Readonly<Record<string, string>> = {
  MergedWithPrevious: 'NP?|P',
  MergedWithNext: 'PN?|N',
  Contiguous: 'P+|N',
};
const INVERTED: Readonly<Record<string, string>> = {
  MergedWithPrevious: 'MergedWithNext',
  MergedWithNext: 'MergedWithPrevious',
};

/** All pieces that a pattern cuts a text into. */
function pieces(pattern: string, behavior: string): Fields {
  const [match, rest] = [`(?:${pattern})`, `(?:(?:(?!${pattern})[\\s\\S])+)`];
  return matches(BEHAVIORS[behavior]!.replace(/[NP]/g, (part) => (part === 'P' ? match : rest)));
}

const PRE_TOKENIZERS: Readonly<Record<string, Adapt>> = {
  Whitespace: () => matches(`[${WORD}]+|[^${WORD}\\s]+`),
  WhitespaceSplit: () => matches('\\S+'),
  BertPreTokenizer: () => matches(`[^\\s${PUNCTUATION}]+|[${PUNCTUATION}]`),
  Digits: ({ individual_digits }) => matches(`\\P{N}+|\\p{N}${individual_digits ? '' : '+'}`),
  Punctuation({ behavior }) {
    return split(`[${PUNCTUATION}]`, String(behavior ?? 'Isolated'), false);
  },
  Split(part) {
    const { pattern, behavior, invert } = part;
    const { Regex, String: literal } = pattern as { Regex?: string; String?: string };
    return split(Regex ?? escaped(literal!), String(behavior), invert === true);
  },
  CharDelimiterSplit: ({ delimiter }) => split(escaped(String(delimiter)), 'Removed', false),
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
      ...(part['add_prefix_space'] ? [{ type: 'Replace', pattern: { Regex: '\\A(?! )' }, content: ' ' }] : []),
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

/** All pieces stay but those that are `Removed`; `invert` takes what the pattern does not match for what it does. */
function split(regex: string, behavior: string, invert: boolean): Fields {
  if (behavior === 'Isolated') return { ...matches(regex), behavior, invert: false };
  if (behavior === 'Removed') return { ...matches(regex), invert };
  if (Object.hasOwn(BEHAVIORS, behavior)) return pieces(regex, (invert && INVERTED[behavior]) || behavior);
  const known = ['Isolated', 'Removed', ...Object.keys(BEHAVIORS)].join(' or ');
  return refuse('unsupported-option', 'tokenizer.json: Split', 'behavior', known, behavior);
}

const sequence = (name: string, parts: readonly unknown[]): Fields => ({ type: 'Sequence', [name]: parts });

export function each<T>(parts: unknown, read: (part: unknown) => T): T[] {
  return Array.isArray(parts)
    ? parts.map((part) => read(part))
    : refuse('invalid-file', 'tokenizer.json', 'a Sequence', 'a list of parts', parts);
}

/** What a table makes of a part by its type. Error: `unsupported-option`. */
export function byType<T>(part: Fields, kind: string, table: Readonly<Record<string, (part: Fields) => T>>): T {
  const type = String(part['type']);
  if (!Object.hasOwn(table, type))
    refuse('unsupported-option', 'tokenizer.json', kind, Object.keys(table).join(' or '), type);
  return table[type]!(part);
}

/** Absent, the text stays as it is. */
export const readNormalizer = (part: unknown): Normalize =>
  part ? byType(part as Fields, 'normalizer', NORMALIZERS) : (text) => text;

/** `prefix`: what tokenizer_config.json says of `add_prefix_space`, which overrules a part that stands alone. */
export const adaptPreTokenizer = (part: unknown, prefix?: unknown): Fields | null =>
  part
    ? byType(
        { ...(part as Fields), ...(typeof prefix === 'boolean' && { add_prefix_space: prefix }) },
        'pre_tokenizer',
        PRE_TOKENIZERS,
      )
    : null;
