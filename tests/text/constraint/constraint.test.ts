import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Constraint, type TextConstraint } from '../../../src/text/constraint/index.ts';
import { Vocabulary } from '../../../src/text/constraint/vocabulary.ts';
import { createRandom } from '../../../src/text/random.ts';

/** All of ASCII that is printed, a few characters beyond, and pieces that reach over the parts of JSON. */
const TEXTS = [
  ...Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)),
  ...['\n', '\t', 'é', '京', '😀', '\u2028', '\ufffd', ''],
  ...[
    '": "',
    '","',
    '{"',
    '"}',
    '[]',
    '{}',
    '],',
    '}]',
    'true',
    'false',
    'null',
    '12',
    '-1',
    '0.5',
    'e+',
    '\\"',
    '\\n',
    '  ',
    '\n  ',
  ],
  ...['name', 'na', '"name', '"name":', ' "', 'abc', 'a-b', '2026-', '11-30'],
];
const tokenizer = {
  specialTokenIds: [],
  decode: (ids: readonly number[]) => ids.map((id) => TEXTS[id] ?? '').join(''),
};
const VOCABULARY = new Vocabulary(tokenizer, TEXTS.length + 3);

/** Whether a text, cut into single characters, keeps to a constraint from end to end. */
function keeps(given: TextConstraint, text: string): boolean {
  const constraint = new Constraint(given, VOCABULARY);
  for (const character of text) {
    const token = TEXTS.indexOf(character);
    if (!constraint.tokens.includes(token)) return false;
    constraint.push(token);
  }
  return constraint.mayEnd;
}

/** A text that keeps to a constraint, drawn by a seed; ever shorter ways are taken where it grows long. */
function drawn(given: TextConstraint, seed: number): string {
  const constraint = new Constraint(given, VOCABULARY);
  const random = createRandom(seed);
  let text = '';
  for (let length = 0; !constraint.ended; length++) {
    if (constraint.mayEnd && random() < 0.3) break;
    const { tokens } = constraint;
    const ends = tokens.filter((token) => /["\]},]|null|true/.test(TEXTS[token]!) && !/[[{:\\]/.test(TEXTS[token]!));
    const from = length > 60 && ends.length ? ends : tokens;
    const token = from[Math.floor(random() * from.length)]!;
    constraint.push(token);
    text += TEXTS[token];
    if (length > 3000) throw new Error(`no end: ${text.slice(0, 200)}`);
  }
  return text;
}

const SCHEMAS: Record<string, Record<string, unknown>> = {
  string: { type: 'string' },
  'a string of a length': { type: 'string', minLength: 2, maxLength: 5 },
  'a string by a pattern': { type: 'string', pattern: '^[a-c"\\\\]{2,4}$' },
  'a date': { type: 'string', format: 'date' },
  number: { type: 'number' },
  integer: { type: 'integer' },
  'integers of a range': { type: 'integer', minimum: -3, maximum: 12 },
  enum: { enum: ['a', 'b"c', 3, null, { x: [1] }] },
  const: { const: { a: 'é' } },
  'types or null': { type: ['integer', 'boolean', 'null'] },
  array: { type: 'array', items: { type: 'integer' } },
  'array of a length': { type: 'array', items: { type: 'boolean' }, minItems: 2, maxItems: 4 },
  'array of one or more': { type: 'array', items: { type: 'boolean' }, minItems: 1 },
  'array of three at the most': { type: 'array', items: { type: 'boolean' }, maxItems: 3 },
  tuple: { type: 'array', prefixItems: [{ type: 'integer' }, { type: 'string' }], items: false, minItems: 1 },
  'tuple and more': {
    type: 'array',
    prefixItems: [{ type: 'integer' }],
    items: { type: 'null' },
    minItems: 2,
    maxItems: 3,
  },
  object: {
    type: 'object',
    title: 'Person',
    properties: {
      name: { type: 'string', description: 'of a person' },
      age: { type: 'integer' },
      tags: { type: 'array', items: { type: 'string' } },
    },
    required: ['name', 'age'],
    additionalProperties: false,
  },
  'only optional properties': {
    type: 'object',
    properties: { a: { type: 'null' }, b: { type: 'null' }, c: { type: 'null' } },
    additionalProperties: false,
  },
  'a needed property without a schema': { type: 'object', properties: { a: { const: 1 } }, required: ['z'] },
  'a map': { type: 'object', additionalProperties: { type: 'integer' } },
  'an empty object': { type: 'object', additionalProperties: false },
  anyOf: { anyOf: [{ type: 'integer' }, { type: 'object', properties: { a: { const: 1 } }, required: ['a'] }] },
  'itself, in a list': {
    $ref: '#/$defs/node',
    $defs: {
      node: {
        type: 'object',
        properties: { v: { type: 'integer' }, next: { type: 'array', items: { $ref: '#/$defs/node' } } },
        required: ['v'],
      },
    },
  },
  'itself, or null': {
    type: 'object',
    properties: { next: { anyOf: [{ $ref: '#' }, { type: 'null' }] } },
    required: ['next'],
  },
  anything: {},
};

describe('texts by a JSON schema', () => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });

  it.each(Object.entries(SCHEMAS))('%s: what is drawn is valid JSON', (_, schema) => {
    const validate = ajv.compile(schema);
    for (let seed = 0; seed < 25; seed++) {
      const text = drawn(schema, seed);
      expect(validate(JSON.parse(text)), text).toBe(true);
    }
  });

  it('may be all that is JSON, compact or indented', () => {
    fc.assert(
      fc.property(
        fc.jsonValue({
          maxDepth: 3,
          noUnicodeString: true,
          stringUnit: fc.constantFrom('a', '"', '\\', ' ', '\n', 'é'),
        } as never),
        fc.boolean(),
        (value, indented) => {
          const text = JSON.stringify(value, null, indented ? 1 : undefined);
          if (/e[+-]?\d{4}|\d{17}/.test(text)) return; // longer than numbers are written here
          expect(keeps({}, text), text).toBe(true);
        },
      ),
      { numRuns: 100 },
    );
  });

  it.each<[schema: Record<string, unknown>, yes: unknown[], no: unknown[]]>([
    [
      SCHEMAS['object']!,
      [
        { name: 'a', age: 1 },
        { name: '', age: -3, tags: ['x'] },
      ],
      [{ name: 'a' }, { age: 1, name: 'a' }, { name: 'a', age: 1.5 }, { name: 'a', age: 1, x: 1 }],
    ],
    [
      SCHEMAS['only optional properties']!,
      [{}, { a: null }, { b: null }, { a: null, c: null }],
      [{ c: null, a: null }, { d: null }],
    ],
    [
      SCHEMAS['array of a length']!,
      [
        [true, false],
        [true, true, true, true],
      ],
      [[], [true], Array(5).fill(true)],
    ],
    [SCHEMAS['integers of a range']!, [-3, 0, 12], [-4, 13, 1.5]],
    [{ type: 'string', maxLength: 2 }, ['', 'é😀', '"\n'], ['abc']],
    [{ type: 'integer' }, [0, 10, -7], ['1', 1.5, null]],
    [{ type: 'string', pattern: 'a-b' }, ['a-b', '"a-b\\', 'xa-bx'], ['ab', '']],
  ])('%j allows what it should, no more', (schema, yes, no) => {
    for (const value of yes) expect(keeps(schema, JSON.stringify(value)), JSON.stringify(value)).toBe(true);
    for (const value of no) expect(keeps(schema, JSON.stringify(value)), JSON.stringify(value)).toBe(false);
  });

  it.each<[Record<string, unknown>, RegExp]>([
    [{ type: 'text' }, /#\/type: object, array, string/],
    [{ type: 'number', minimum: 0 }, /#\/minimum: is not done/],
    [
      { type: 'object', properties: { a: { type: 'array', uniqueItems: true } } },
      /#\/properties\/a\/uniqueItems: is not done/,
    ],
    [{ type: 'string', minLength: 1, pattern: 'a' }, /only one is done/],
    [{ type: 'string', format: 'iri' }, /#\/format: date, time/],
    [{ type: 'string', pattern: '(?=a)b' }, /assertion \(\?=a\) is not done/],
    [{ type: 'string', pattern: '(' }, /position 1/],
    [{ $ref: '#/nowhere' }, /#\/\$ref: is nowhere/],
    [{ $ref: 'https://example.org/x' }, /a place in the schema/],
    [{ $ref: '#/$defs/a', minimum: 1, $defs: { a: {} } }, /#\/minimum: is not done beside \$ref/],
    [{ allOf: [{}, {}] }, /more than one/],
    [{ not: {} }, /#\/not: is not done/],
    [{ enum: [] }, /#\/enum/],
    [{ type: 'array', items: false, minItems: 1 }, /#\/minItems: at most 0 fit/],
    [{ type: 'array', minItems: 1e6 }, /1000 items at the most/],
    [{ type: 'array', items: { type: 'string', maxLength: 30_000 }, minItems: 2 }, /more than 200000 places/],
    [{ $ref: '#' }, /no token/],
    [{ type: 'integer', minimum: 0, maximum: 5000 }, /1000 integers/],
    [{ type: 'string', maxLength: -1 }, /#\/maxLength/],
  ])('%j is refused by name', (schema, message) => {
    const all = () => new Constraint(schema, VOCABULARY);
    expect(all).toThrow(message);
    expect(all).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  });
});

describe('texts by an expression', () => {
  it.each<[RegExp, yes: string[], no: string[]]>([
    [/yes|no/, ['yes', 'no'], ['y', 'yesno', ' no']],
    [/^a+$/, ['a', 'aaa'], ['', 'ab']],
    [/[^a-y]{2}|\d*/, ['zz', '', '123'], ['za', 'z', '1a']],
    [/(?:a|b(c))?\.x\w/u, ['a.x_', 'bc.x1', '.xZ'], ['ax1', '.x-']],
    [/a.c/, ['abc', 'a😀c'], ['a\nc']],
    [/a.c/s, ['a\nc'], ['ac']],
    [/\S\s\D/, ['a b', '1\tx'], [' b', 'a 1']],
    [/[^\s\S]|é/, ['é'], ['', 'e']],
  ])('%s', (expression, yes, no) => {
    for (const text of yes)
      expect([
        text,
        keeps(expression, text),
        new RegExp(`^(?:${expression.source})$`, `${expression.flags.replace('u', '')}u`).test(text),
      ]).toEqual([text, true, true]);
    for (const text of no) expect([text, keeps(expression, text)]).toEqual([text, false]);
    for (let seed = 0; seed < 10; seed++)
      expect(drawn(expression, seed)).toMatch(
        new RegExp(`^(?:${expression.source})$`, `${expression.flags.replace('u', '')}u`),
      );
  });

  it.each([
    [/a/i, /the flag i is not done/],
    [/(a)\1/, /\\1 is not done/],
    [/a\b/, /\\b is not done/],
    [/a^b/, /\^ is not done/],
    [/(?<!a)b/, /assertion/],
    [/[^\s\S]/, /no token/],
    [/\p{L}/u, /\\p\{L\}/],
  ])('%s is refused by name', (expression, message) => {
    expect(() => new Constraint(expression, VOCABULARY)).toThrow(message);
  });
});

describe('tokens', () => {
  it('are those with text that goes on, whole characters, and no others', () => {
    const constraint = new Constraint(/n(ame)?|tru/, VOCABULARY);
    expect(constraint.tokens.map((id) => TEXTS[id]).sort()).toEqual(['n', 'na', 'name', 't']);
    expect([constraint.mayEnd, constraint.ended]).toEqual([false, false]);
    expect(() => constraint.push(TEXTS.indexOf('x'))).toThrow(/may not come here/);
    constraint.push(TEXTS.indexOf('n'));
    expect([constraint.mayEnd, constraint.ended]).toEqual([true, false]);
    for (const text of ['a', 'm', 'e']) constraint.push(TEXTS.indexOf(text));
    expect([constraint.mayEnd, constraint.ended]).toEqual([true, true]);
  });

  it('that are missing are an error where they are needed', () => {
    const few = new Vocabulary({ specialTokenIds: [2], decode: (ids) => ids.map((id) => 'abc'[id]).join('') }, 3);
    const constraint = new Constraint(/abc/, few);
    constraint.push(0);
    expect(() => constraint.push(1)).toThrow(/no token of the vocabulary/);
    expect(() => new Constraint(/x/, few)).toThrow(/no token of the vocabulary/);
  });

  it('are found as quickly where a text is long', () => {
    const constraint = new Constraint({ type: 'array', items: { type: 'string' } }, VOCABULARY);
    const began = performance.now();
    for (const character of `["${'a'.repeat(20_000)}","${'b'.repeat(20_000)}"]`) {
      expect(constraint.tokens.length).toBeGreaterThan(0);
      constraint.push(TEXTS.indexOf(character));
    }
    expect(performance.now() - began).toBeLessThan(5000);
    expect(constraint.ended).toBe(true);
  });
});
