import { describe, expect, it } from 'vitest';
import {
  checkFields,
  checkOptions,
  either,
  flag,
  fn,
  integer,
  list,
  number,
  off,
  oneOf,
  type Rules,
  shown,
  signal,
  valuesOf,
} from '../../src/options.ts';

interface Options {
  count?: number;
  share?: number;
  mode?: 'fast' | 'off';
  tall?: boolean;
  pair?: readonly number[];
  types?: string | Record<string, string>;
  onRow?: () => void;
  signal?: AbortSignal;
}

const RULES: Rules<Options> = {
  count: integer(1),
  share: number(0, 1),
  mode: oneOf('fast', 'off'),
  tall: flag,
  pair: list(integer(1), 2),
  types: either(oneOf('int8'), valuesOf(oneOf('int8', 'float32'))),
  onRow: fn,
  signal,
};

const check = (options: unknown) => () => checkOptions('work', options as Options, RULES);

describe('bug 17: checkOptions', () => {
  it.each([
    {},
    { count: undefined },
    { count: 1, share: 0, mode: 'off', tall: false, pair: [2, 3], types: 'int8', onRow: () => {} },
    { types: { a: 'int8' }, signal: AbortSignal.abort(), share: 1 },
  ])('takes %o', (options) => expect(check(options)).not.toThrow());

  it.each([
    [{ count: 0 }, 'work: count: expected an integer from 1 on, got 0'],
    [{ count: 2.5 }, 'got 2.5'],
    [{ count: '5' }, 'got "5"'],
    [{ count: Number.NaN }, 'got NaN'],
    [{ count: null }, 'got null'],
    [{ count: 2n }, 'got 2'],
    [{ share: 1.5 }, 'share: expected a number from 0 to 1, got 1.5'],
    [{ share: Number.NaN }, 'got NaN'],
    [{ mode: 'no' }, 'mode: expected "fast" or "off", got "no"'],
    [{ tall: 1 }, 'tall: expected false or true, got 1'],
    [{ pair: 224 }, 'pair: expected a list of 2, each an integer from 1 on, got 224'],
    [{ pair: [1, 2, 3] }, 'got [1,2,3]'],
    [{ types: { a: 'int3' } }, 'types: expected "int8" or an object of "int8" or "float32", got {"a":"int3"}'],
    [{ onRow: {} }, 'onRow: expected a function, got {}'],
    [{ signal: 'stop' }, 'signal: expected an AbortSignal, got "stop"'],
    [{ max_count: 5 }, 'work: there is no option max_count (got 5)'],
    [{ toString: 5 }, 'there is no option toString'],
    [null, 'work: options: expected an object, got null'],
    [[1], 'got [1]'],
    ['fast', 'got "fast"'],
  ])('refuses %o', (options, message) => {
    const refusal = expect.objectContaining({ code: 'invalid-argument', message: expect.stringContaining(message) });
    expect(check(options)).toThrow(refusal);
  });

  it('says which options there are', () => {
    expect(check({ x: 1 })).toThrow(expect.objectContaining({ hint: expect.stringContaining('count, share, mode') }));
  });
});

describe('checkFields', () => {
  const rules = { act: oneOf('relu', 'gelu'), flip: off };
  const fields = (values: Record<string, unknown>) => () => checkFields('a.json', values, rules, { switches: /^do_/ });

  it.each([{ act: 'gelu' }, { act: null }, { flip: false, version: '9', do_x: false }])('lets %o pass', (values) =>
    expect(fields(values)).not.toThrow(),
  );

  it.each([
    [{ act: 'mish' }, 'a.json: act: expected "relu" or "gelu", got "mish"'],
    [{ flip: true }, 'a.json: flip: expected false, got true'],
    [{ do_invert: true }, 'a.json: do_invert: expected false, got true'],
  ])('refuses %o', (values, message) =>
    expect(fields(values)).toThrow(expect.objectContaining({ code: 'unsupported-option', message })),
  );
});

it('shows values briefly, and what cannot be shown by its class', () => {
  const circle: Record<string, unknown> = {};
  circle['self'] = circle;
  const values = [circle, new Float32Array(9), new Map(), Object.create(null), () => 1, Symbol('s'), 'x'.repeat(200)];
  expect(values.map(shown)).toMatchInlineSnapshot(`
    [
      "an object",
      "a Float32Array",
      "a Map",
      "an object",
      "a function",
      "Symbol(s)",
      ""xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...",
    ]
  `);
});
