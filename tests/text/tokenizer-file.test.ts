import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadTokenizer, type TokenLimits } from '../../src/text/tokenizer.ts';
import type { Fields } from '../../src/text/tokenizer-parts.ts';

interface File {
  added_tokens: object[];
  normalizer: object | null;
  pre_tokenizer: Record<string, unknown>;
  post_processor: object | null;
  model: { vocab: Record<string, unknown>; merges: unknown } & Record<string, unknown>;
  [more: string]: unknown;
}

const FILE = new URL('../../weights/gpt-shakespeare/tokenizer.json', import.meta.url);
const LIMITS: TokenLimits = { vocabulary: 1030, context: 256 };
type Change = (file: File) => void;

/** The tokenizer that ships with the weights, changed. */
function changed(change: Change, config?: Fields) {
  const file = JSON.parse(readFileSync(FILE, 'utf8')) as File;
  change(file);
  return loadTokenizer(file, config, LIMITS);
}

const added =
  (...tokens: object[]): Change =>
  (file) =>
    file.added_tokens.push(
      ...tokens.map((token, i) => ({ id: 1024 + i, normalized: false, special: false, ...token })),
    );
const bytes = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false };
const split =
  (part: object): Change =>
  (file) => {
    file.pre_tokenizer = { type: 'Sequence', pretokenizers: [part, bytes] };
  };
const normalised =
  (normalizer: object): Change =>
  (file) => {
    file.normalizer = normalizer;
  };

// Right values: Hugging Face's tokenizers 0.23.2 in Python.
const MIXED = 'Hello, the World!! 12 \u00bd \u0665\u0666 \u00e9t\u00e9\u0085the\ufeffthe \u4e2d';
const WORDS = [40, 415, 79, 12, 910, 55, 271, 313, 1, 1, 17, 18, 127, 122, 150, 99, 150, 100, 128, 103, 84, 128, 103];
const SPACED = [591, 271, 313, 1, 1, 221, 17, 18, 221, 127, 122, 221, 150, 99, 150, 100, 221, 128, 103, 84, 128, 103];
const ISOLATED = [40, 415, 79, 12, 267, ...SPACED, 127, 228, 910, 172, 120, 124, 910, 221, 161, 117, 256];
const KEPT = [...WORDS, 910, 172, 120, 124, 910, 161, 117, 256];

const CASES: readonly (readonly [what: string, change: Change, text: string, ids: readonly number[]])[] = [
  ['white space of Rust', () => {}, "\ufeff's", [172, 120, 124, 7, 83]],
  ['white space of Rust', () => {}, 'a\u0085b', [65, 127, 228, 66]],
  ['white space of Rust', () => {}, 'a \u0085 b', [65, 221, 127, 228, 269]],
  ['white space of Rust', () => {}, 'x\u180ey', [88, 158, 255, 237, 89]],
  ['white space of Rust', () => {}, '\u2028\u2029 z', [159, 223, 102, 159, 223, 103, 221, 90]],
  ['white space of Rust', () => {}, ' \t\u000b\u000c\u001c\u001d x', [221, 198, 200, 201, 217, 218, 221, 88]],
  ['single_word', added({ content: 'cat', single_word: true }), 'cats', [67, 304, 83]],
  ['single_word', added({ content: 'cat', single_word: true }), 'a cat.', [65, 221, 1024, 14]],
  ['single_word', added({ content: 'cat', single_word: true }), '_cat', [63, 67, 304]],
  ['single_word', added({ content: 'cat', single_word: true }), '\u00e9cat', [128, 103, 67, 304]],
  ['single_word', added({ content: 'cat', single_word: true }), 'cat\u{1f600}', [1024, 173, 254, 247, 223]],
  ['single_word', added({ content: 'cat', single_word: true }), 'cat<|endoftext|>', [1024, 0]],
  ['lstrip', added({ content: '<m>', lstrip: true }), 'a  \u0085<m> b', [65, 1024, 269]],
  ['lstrip', added({ content: '<m>', lstrip: true }), '\ufeff<m>', [172, 120, 124, 1024]],
  ['lstrip', added({ content: '<m>', lstrip: true }), '  <m><m>  <m>', [1024, 1024, 1024]],
  ['rstrip', added({ content: '<m>', rstrip: true }), 'a <m> \n\u2003 b', [65, 221, 1024, 66]],
  ['rstrip', added({ content: '<m>', rstrip: true }), '<m>\ufeffb', [1024, 172, 120, 124, 66]],
  ['a token of the vocabulary, added', added({ content: 'the', single_word: true }), 'then the', [910, 78, 221, 910]],
  [
    'white space about the text',
    normalised({ type: 'Strip', strip_left: true, strip_right: true }),
    ' \u0085the \u0085',
    [910],
  ],
  [
    'a dollar',
    normalised({ type: 'Replace', pattern: { String: 'a' }, content: '$&e' }),
    'a b a',
    [4, 6, 69, 269, 221, 4, 6, 69],
  ],
  ['Whitespace', split({ type: 'Whitespace' }), MIXED, KEPT],
  ['WhitespaceSplit', split({ type: 'WhitespaceSplit' }), MIXED, KEPT],
  ['BertPreTokenizer', split({ type: 'BertPreTokenizer' }), MIXED, KEPT],
  ['Digits', split({ type: 'Digits', individual_digits: false }), MIXED, ISOLATED],
  ['Digits, each', split({ type: 'Digits', individual_digits: true }), MIXED, ISOLATED],
  ['Punctuation', split({ type: 'Punctuation', behavior: 'Isolated' }), MIXED, ISOLATED],
  [
    'Punctuation',
    split({ type: 'Punctuation', behavior: 'Removed' }),
    'the-the... $5.00 ^_^',
    [910, 910, 221, 21, 16, 16, 221],
  ],
  [
    'Split, inverted',
    split({ type: 'Split', pattern: { Regex: '[a-z]+' }, behavior: 'Isolated', invert: true }),
    MIXED,
    [40, 415, 79, 12, 221, 910, ...SPACED, 127, 228, 910, 172, 120, 124, 910, 221, 161, 117, 256],
  ],
  [
    'Split at a string',
    split({ type: 'Split', pattern: { String: ' ' }, behavior: 'Removed', invert: false }),
    'the-the... $5.00 ^_^',
    [910, 13, 910, 14, 14, 14, 4, 21, 14, 16, 16, 62, 63, 62],
  ],
];

const SPLITS: readonly (readonly [behavior: string, invert: boolean, ids: readonly number[]])[] = [
  ['MergedWithPrevious', false, [401, 281, 13, 13, 401, 440, 273, 13]],
  ['MergedWithPrevious', true, [84, 258, 78, 13, 13, 84, 291, 336, 13]],
  ['MergedWithNext', false, [84, 258, 78, 13, 13, 84, 291, 336, 13]],
  ['MergedWithNext', true, [401, 281, 13, 13, 401, 440, 273, 13]],
  ['Contiguous', false, [84, 72, 281, 521, 84, 72, 304, 72, 273, 13]],
  ['Contiguous', true, [84, 72, 281, 521, 84, 72, 304, 72, 273, 13]],
];

describe('bug 16: texts are split as Hugging Face does', () => {
  it.each(CASES)('%s: %#', async (_, change, text, ids) => {
    expect((await changed(change)).encode(text)).toEqual(ids);
  });

  it('normalized tokens are found in the normalised text, after the others', async () => {
    const lower = await changed((file) => {
      added({ content: 'thou', normalized: true }, { content: 'ART' })(file);
      file.normalizer = { type: 'Lowercase' };
    });
    expect(lower.encode('THOU ART thou art')).toEqual([1024, 221, 1025, 221, 1024, 739]);
    expect(lower.encode('Thou<|endoftext|>THOUGH')).toEqual([1024, 0, 1024, 325]);
    const overlapping = await changed(
      added({ content: 'aX', normalized: true }, { content: 'Xb' }, { content: 'Xbc' }),
    );
    expect(['aXb', 'aXbc', 'aX'].map((text) => overlapping.encode(text))).toEqual([[65, 1025], [65, 1026], [1024]]);
  });

  it('add_prefix_space goes before each section; tokenizer_config.json overrules tokenizer.json', async () => {
    const right = [
      [286, 73],
      [286, 73, 0, 504],
      [286, 73],
      [221, 199, 372],
    ];
    const texts = ['hi', 'hi<|endoftext|>there', ' hi', '\nhi'];
    const said = await changed((file) => {
      file.pre_tokenizer['add_prefix_space'] = true;
    });
    expect(texts.map((text) => said.encode(text))).toEqual(right);
    const overruled = await changed(() => {}, { add_prefix_space: true });
    expect(texts.map((text) => overruled.encode(text))).toEqual(right);
  });

  it('a post-processor puts its tokens about the text, and about none', async () => {
    const framed = await changed((file) => {
      const single = [{ SpecialToken: { id: '<|endoftext|>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }];
      file.post_processor = { type: 'TemplateProcessing', single, pair: single, special_tokens: {} };
    });
    expect(framed.encode('the')).toEqual([0, 910]);
    expect(framed.encode('')).toEqual([0]);
  });

  it('add_bos_token and add_eos_token overrule the post-processor, each at its end of the text', async () => {
    const framing: Change = (file) => {
      added({ content: '<s>', special: true })(file);
      const end = { SpecialToken: { id: '<|endoftext|>', type_id: 0 } };
      file.post_processor = { type: 'TemplateProcessing', single: [end, { Sequence: { id: 'A', type_id: 0 } }, end] };
    };
    const named = { bos_token: '<s>', eos_token: { content: '<s>' } };
    const cases: [Fields, number[]][] = [
      [{}, [0, 910, 0]],
      [{ add_bos_token: true }, [1024, 910, 0]],
      [{ add_bos_token: false }, [910, 0]],
      [{ add_eos_token: true }, [0, 910, 1024]],
      [{ add_bos_token: true, add_eos_token: false }, [1024, 910]],
      [{ add_bos_token: true, bos_token: null }, [910, 0]],
    ];
    for (const [config, ids] of cases) {
      const tokenizer = await changed(framing, { ...named, ...config });
      expect(tokenizer.encode('the'), JSON.stringify(config)).toEqual(ids);
      expect(tokenizer.encode('the', { addSpecialTokens: false })).toEqual([910]);
    }
    const { bosTokenId, eosTokenId, padTokenId } = await changed(framing, named);
    expect([bosTokenId, eosTokenId, padTokenId]).toEqual([1024, 1024, undefined]);
  });

  // Right values: Hugging Face's tokenizers 0.23.2 in Python.
  it.each(SPLITS)('splits with the behavior %s, inverted %s', async (behavior, invert, ids) => {
    const part = { type: 'Split', pattern: { Regex: '[h-]' }, behavior, invert };
    expect((await changed(split(part))).encode('then--thather-')).toEqual(ids);
  });

  it('the special tokens that tokenizer_config.json names are found in texts', async () => {
    const tokenizer = await changed(() => {}, { eos_token: 'the', additional_special_tokens: [{ content: ' th' }] });
    expect(tokenizer.encode('athenthen')).toEqual([65, 910, 78, 910, 78]);
  });

  it('tokens of tokenizer_config.json are added, and change those of tokenizer.json', async () => {
    const config = {
      added_tokens_decoder: { 0: { content: '<|endoftext|>', special: true, rstrip: true }, 1024: { content: '<a>' } },
    };
    const tokenizer = await changed(() => {}, config);
    expect(tokenizer.encode('<|endoftext|> the<a>')).toEqual([0, 910, 1024]);
    expect(tokenizer.decode([910, 1024])).toBe('the<a>');
    expect(tokenizer.size).toBe(1025);
  });

  it.each<[string, Change, Fields?]>([
    ['normalizer', normalised({ type: 'Nmt' })],
    ['pre_tokenizer', split({ type: 'UnicodeScripts' })],
    ['behavior', split({ type: 'Split', pattern: { String: ' ' }, behavior: 'Sideways', invert: false })],
    ['behavior', split({ type: 'Punctuation', behavior: 'Sideways' })],
    ['decoder', (file) => Object.assign(file, { decoder: { type: 'CTC' } })],
    ['decoder', (file) => Object.assign(file, { decoder: { type: 'Sequence', decoders: [{ type: 'Telepathy' }] } })],
    ['post_processor', (file) => Object.assign(file, { post_processor: { type: 'Telepathy' } })],
    ['dropout', (file) => Object.assign(file.model, { dropout: 0.1 })],
    ['continuing_subword_prefix', (file) => Object.assign(file.model, { continuing_subword_prefix: '##' })],
    ['type', (file) => Object.assign(file.model, { type: 'Telepathy' })],
    ['truncation', (file) => Object.assign(file, { truncation: { max_length: 8 } })],
    ['padding', (file) => Object.assign(file, { padding: { strategy: { Fixed: 8 } } })],
    ['add_bos_token', () => {}, { add_bos_token: 'yes' }],
    ['split_special_tokens', () => {}, { split_special_tokens: true }],
    ['errors', () => {}, { errors: 'ignore' }],
    ['add_prefix_space', () => {}, { add_prefix_space: 'yes' }],
  ])('refuses by name: %s', async (name, change, config) => {
    const message = expect.stringMatching(`tokenizer.*${name}.*got`);
    await expect(changed(change, config)).rejects.toMatchObject({ code: 'unsupported-option', message });
  });

  it('takes what changes nothing', async () => {
    const tokenizer = await changed(
      (file) => {
        Object.assign(file, { truncation: { max_length: 256 }, padding: { strategy: 'BatchLongest' } });
        Object.assign(file.model, { dropout: 0, continuing_subword_prefix: '', end_of_word_suffix: null });
      },
      { add_bos_token: false, clean_up_tokenization_spaces: true, model_max_length: 1e30, errors: 'replace' },
    );
    expect(tokenizer.encode('the')).toEqual([910]);
  });

  it('bug 17: a text is a text', async () => {
    const tokenizer = await changed(() => {});
    for (const text of [7, null, undefined, ['a']] as unknown as string[])
      expect(() => tokenizer.encode(text)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
    expect(() => tokenizer.decode('12' as unknown as number[])).toThrow(
      expect.objectContaining({ code: 'invalid-argument' }),
    );
  });
});

describe('bug 29: no table is made for an id before it is checked', () => {
  it.each<[string, Change, Fields?]>([
    ['of the vocabulary', (file) => Object.assign(file.model.vocab, { x1: 3e7 })],
    ['of the vocabulary', (file) => Object.assign(file.model.vocab, { x1: 1e9 })],
    ['just beyond the model', (file) => Object.assign(file.model.vocab, { x1: 1030 })],
    ['below 0', (file) => Object.assign(file.model.vocab, { x1: -1 })],
    ['that is no number', (file) => Object.assign(file.model.vocab, { x1: '7' })],
    ['of an added token', added({ content: '<a>', id: 3e7 })],
    ['of an added token', added({ content: '<a>', id: 0.5 })],
    ['of a token of tokenizer_config.json', () => {}, { added_tokens_decoder: { 1000000000: { content: '<a>' } } }],
    [
      'by its place',
      (file) => Object.assign(file.model, { type: 'Unigram', vocab: Array.from({ length: 1031 }, () => ['a', 0]) }),
    ],
  ])('an id %s: %#', async (_, change, config) => {
    const start = performance.now();
    const message = expect.stringMatching(/expected (an id below|at most) 1030/);
    await expect(changed(change, config)).rejects.toMatchObject({ code: 'invalid-file', message });
    expect(performance.now() - start).toBeLessThan(1000);
  });

  it.each<[string, Change]>([
    ['no list of merges', (file) => Object.assign(file.model, { merges: 3 })],
    ['no vocabulary', (file) => Object.assign(file.model, { vocab: 1e9 })],
    ['an added token without content', (file) => file.added_tokens.push({ id: 5 })],
    ['an added token that is none', (file) => file.added_tokens.push(null as unknown as object)],
    ['a flag that is none', added({ content: '<a>', single_word: 'yes' })],
    [
      'a special token that is not there',
      (file) =>
        Object.assign(file, {
          post_processor: { type: 'TemplateProcessing', single: [{ SpecialToken: { id: '<s>' } }] },
        }),
    ],
  ])('%s', async (_, change) => {
    await expect(changed(change)).rejects.toMatchObject({ code: 'invalid-file' });
  });
});
