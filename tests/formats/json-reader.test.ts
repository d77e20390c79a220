import fc from 'fast-check';
import { expect, it } from 'vitest';
import { JsonReader } from '../../src/formats/json-reader.ts';

function accepts(text: string): boolean {
  const reader = new JsonReader(text, (problem) => {
    throw new SyntaxError(problem);
  });
  try {
    reader.skip();
    reader.end();
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(SyntaxError);
    return false;
  }
}

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

it('accepts what JSON.parse accepts', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 5, stringUnit: 'grapheme' }), fc.constantFrom(0, 2), (text, indent) => {
      expect(accepts(JSON.stringify(JSON.parse(text), null, indent))).toBe(true);
    }),
    { numRuns: 1000 },
  );
});

it('refuses what JSON.parse refuses', () => {
  const tokens = [
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"a"',
    '"',
    '1',
    '-0',
    '.5',
    '01',
    '1e',
    'tru',
    'null',
    ' ',
    '\\',
    '\n',
  ];
  const text = fc.array(fc.constantFrom(...tokens), { maxLength: 8 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(text, (text) => {
      if (!parses(text)) expect(accepts(text)).toBe(false);
    }),
    { numRuns: 5000 },
  );
});

it('survives long input of every kind', () => {
  const long = 1_000_000;
  for (const text of [
    ' '.repeat(long),
    '"'.padEnd(long, 'x'),
    '1'.repeat(long),
    '"'.padEnd(long, '\\"'),
    '['.repeat(long),
  ]) {
    accepts(text);
  }
  expect(accepts(`"${'\\n'.repeat(long)}"`)).toBe(true);
  expect(accepts(`[${'1,'.repeat(long)}1]`)).toBe(true);
});
