import { TilewrightError } from '../../errors.ts';
import { shown } from '../../options.ts';
import {
  type Characters,
  call,
  characters,
  either,
  literal,
  nothing,
  type Pattern,
  Rule,
  repeated,
  sequence,
} from './automaton.ts';
import { allBut, regexPattern, type Spelling } from './regex.ts';

type Schema = Readonly<Record<string, unknown>>;

/** Words that say nothing of what is valid. */
const NOTES =
  /^(\$schema|\$id|\$comment|\$anchor|\$defs|definitions|title|description|default|examples?|deprecated|readOnly|writeOnly)$/;

/** The words that are read beside each type's own. */
const OF_ANY = ['type', 'enum', 'const', '$ref', 'anyOf', 'oneOf', 'allOf', 'nullable'];

/** The words of each type. */
const OF_TYPE: Readonly<Record<string, readonly string[]>> = {
  object: ['properties', 'required', 'additionalProperties'],
  array: ['items', 'prefixItems', 'minItems', 'maxItems'],
  string: ['minLength', 'maxLength', 'pattern', 'format'],
  number: [],
  integer: ['minimum', 'maximum'],
  boolean: [],
  null: [],
};

const TYPES = Object.keys(OF_TYPE);

/** Integers that a range may have: each is written out. */
const MOST_INTEGERS = 1000;

/** Items that a list has at least: each has its own place. */
const MOST_ITEMS = 1000;

/** Between tokens of JSON: nothing, a space, or a new line that is indented. Without a bound a model may write nothing else. */
const GAP = either(
  nothing,
  characters([[32, 32]]),
  sequence(characters([[10, 10]]), repeated(characters([[32, 32]]), 0, 12)),
);

const DIGIT: Characters = [[48, 57]];
const INTEGER = sequence(
  repeated(literal('-'), 0, 1),
  either(literal('0'), sequence(characters([[49, 57]]), repeated(characters(DIGIT), 0, 15))),
);
const NUMBER = sequence(
  INTEGER,
  repeated(sequence(literal('.'), repeated(characters(DIGIT), 1, 16)), 0, 1),
  repeated(
    sequence(
      characters([
        [69, 69],
        [101, 101],
      ]),
      repeated(
        characters([
          [43, 43],
          [45, 45],
        ]),
        0,
        1,
      ),
      repeated(characters(DIGIT), 1, 3),
    ),
    0,
    1,
  ),
);

/** Characters that a JSON string has only behind a backslash, and what stands there. */
const ESCAPED: ReadonlyMap<number, string> = new Map([
  [34, '\\"'],
  [92, '\\\\'],
  [8, '\\b'],
  [12, '\\f'],
  [10, '\\n'],
  [13, '\\r'],
  [9, '\\t'],
]);
const PLAIN_BUT: Characters = [
  [0, 31],
  [34, 34],
  [92, 92],
];

/** Characters as a JSON string has them: others of the first 32 are left out. */
const inString: Spelling = (of) => {
  const plain = allBut([...allBut(of), ...PLAIN_BUT]);
  const escaped = [...ESCAPED].filter(([code]) => of.some(([first, last]) => first <= code && code <= last));
  return either(...(plain.length ? [characters(plain)] : []), ...escaped.map(([, text]) => literal(text)));
};

const quoted = (inner: Pattern): Pattern => sequence(literal('"'), inner, literal('"'));
const ANY_CHARACTER = inString(allBut([]));

/** Texts of formats that are often asked for, by RFC 3339, RFC 4122 and JSON Schema's names. */
const FORMATS: Readonly<Record<string, string>> = {
  date: '\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])',
  time: '([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,6})?(Z|[+-]([01]\\d|2[0-3]):[0-5]\\d)',
  'date-time':
    '\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])T([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,6})?(Z|[+-]([01]\\d|2[0-3]):[0-5]\\d)',
  uuid: '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}',
  email: '[\\w.+-]{1,64}@[A-Za-z0-9-]{1,63}(\\.[A-Za-z0-9-]{1,63}){1,4}',
  ipv4: '((25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)\\.){3}(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)',
};

/**
 * The pattern of the JSON that a schema allows (JSON Schema 2020-12; of draft 7 what has the same words). Properties come in the order of
 * the schema; those that it does not name are written only where it names none. `oneOf` is read as `anyOf`. Errors: `invalid-argument` for a
 * word that would change what is valid and is not done here, by its place.
 */
export function schemaPattern(root: unknown): Pattern {
  const rules = new Map<unknown, Rule>();
  const all: Rule[] = [];
  const made = (make: () => Pattern): Rule => {
    const rule = new Rule(make);
    all.push(rule);
    return rule;
  };
  const ruleOf = (schema: unknown, at: string): Rule => {
    const known = rules.get(schema);
    if (known) return known;
    const rule = made(() => written(schema, at));
    if (typeof schema === 'object') rules.set(schema, rule);
    return rule;
  };
  const value = (schema: unknown, at: string): Pattern => call(ruleOf(schema, at));
  const anything = made(() => written({ type: TYPES.filter((type) => type !== 'integer') }, '#'));

  function refused(at: string, what: string, got: unknown): never {
    throw new TilewrightError('invalid-argument', `constraint: ${at}: ${what} (got ${shown(got)})`);
  }

  function list(at: string, given: unknown): readonly unknown[] {
    return Array.isArray(given) && given.length ? given : refused(at, 'a list of one or more is needed', given);
  }

  function count(schema: Schema, word: string, at: string, absent: number): number {
    const given = schema[word] ?? absent;
    const fits = given === absent || (Number.isInteger(given) && (given as number) >= 0);
    return fits ? (given as number) : refused(`${at}/${word}`, 'a whole number from 0 on is needed', given);
  }

  function written(schema: unknown, at: string): Pattern {
    if (schema === true) return call(anything);
    if (schema === false) refused(at, 'no value is valid', schema);
    if (typeof schema !== 'object' || schema === null || Array.isArray(schema))
      refused(at, 'a schema is an object', schema);
    const { $ref, anyOf, oneOf, allOf, type, nullable, ...rest } = schema as Schema;
    const words = Object.keys(schema).filter((word) => !NOTES.test(word));
    const only = (word: string): void => {
      const beside = words.find((other) => other !== word && other !== 'type' && other !== 'nullable');
      if (beside) refused(`${at}/${beside}`, `is not done beside ${word}`, (schema as Schema)[beside]);
    };
    const orNull = (pattern: Pattern): Pattern => (nullable === true ? either(pattern, literal('null')) : pattern);
    if ($ref !== undefined) {
      only('$ref');
      return value(...resolved($ref, at));
    }
    for (const [word, given] of Object.entries({ anyOf, oneOf })) {
      if (given === undefined) continue;
      only(word);
      return orNull(either(...list(`${at}/${word}`, given).map((one, i) => value(one, `${at}/${word}/${i}`))));
    }
    if (allOf !== undefined) {
      only('allOf');
      const all = list(`${at}/allOf`, allOf);
      if (all.length > 1) refused(`${at}/allOf`, 'more than one is not done', all.length);
      return orNull(value(all[0], `${at}/allOf/0`));
    }
    if ('const' in rest || 'enum' in rest) {
      const word = 'const' in rest ? 'const' : 'enum';
      only(word);
      const values = word === 'const' ? [rest['const']] : list(`${at}/enum`, rest['enum']);
      return orNull(either(...values.map((one) => literal(JSON.stringify(one)))));
    }
    const types = type === undefined ? implied(words) : [type].flat();
    const allowed = [
      ...OF_ANY,
      ...types.flatMap((name) => OF_TYPE[name as string] ?? refused(`${at}/type`, TYPES.join(', '), name)),
    ];
    const unknown = words.find((word) => !allowed.includes(word));
    if (unknown) refused(`${at}/${unknown}`, 'is not done', (schema as Schema)[unknown]);
    return orNull(either(...types.map((name) => BY_TYPE[name as string]!(schema as Schema, at))));
  }

  /** Types of a schema that names none: those that its words are of, else all. */
  function implied(words: readonly string[]): readonly string[] {
    const found = TYPES.filter((type) => OF_TYPE[type]!.some((word) => words.includes(word)));
    return found.length ? found : TYPES.filter((type) => type !== 'integer');
  }

  function resolved(ref: unknown, at: string): [schema: unknown, at: string] {
    const path =
      typeof ref === 'string' && /^#(\/.*)?$/.test(ref)
        ? ref.slice(2)
        : refused(`${at}/$ref`, 'a place in the schema, #/…', ref);
    const keys =
      path === ''
        ? []
        : path.split('/').map((key) => decodeURIComponent(key).replaceAll('~1', '/').replaceAll('~0', '~'));
    let found: unknown = root;
    for (const key of keys) {
      if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key))
        refused(`${at}/$ref`, 'is nowhere', ref);
      found = (found as Schema)[key];
    }
    return [found, ref as string];
  }

  const BY_TYPE: Readonly<Record<string, (schema: Schema, at: string) => Pattern>> = {
    null: () => literal('null'),
    boolean: () => either(literal('true'), literal('false')),
    number: () => NUMBER,
    integer({ minimum, maximum }, at) {
      if (minimum === undefined && maximum === undefined) return INTEGER;
      const [low, high] = [Math.ceil(Number(minimum)), Math.floor(Number(maximum))];
      if (!(high - low < MOST_INTEGERS && high >= low))
        refused(at, `minimum and maximum are done together, for ${MOST_INTEGERS} integers at the most`, [
          minimum,
          maximum,
        ]);
      return either(...Array.from({ length: high - low + 1 }, (_, i) => literal(String(low + i))));
    },
    string(schema, at) {
      const { pattern, format } = schema;
      const least = count(schema, 'minLength', at, 0);
      const most = count(schema, 'maxLength', at, Number.POSITIVE_INFINITY);
      const bounded = least > 0 || most < Number.POSITIVE_INFINITY;
      if ([pattern !== undefined, format !== undefined, bounded].filter(Boolean).length > 1)
        refused(at, 'only one is done of pattern, format and a length', schema);
      if (pattern !== undefined) {
        if (typeof pattern !== 'string') refused(`${at}/pattern`, 'a regular expression is needed', pattern);
        return quoted(regexPattern(pattern, 'u', 'anywhere', inString));
      }
      if (format !== undefined) {
        const known = Object.hasOwn(FORMATS, format as string) ? FORMATS[format as string]! : undefined;
        return quoted(
          regexPattern(known ?? refused(`${at}/format`, Object.keys(FORMATS).join(', '), format), 'u', 'whole'),
        );
      }
      return quoted(repeated(ANY_CHARACTER, least, most));
    },
    array(schema, at) {
      const { prefixItems = [], items = true } = schema;
      const first = prefixItems as readonly unknown[];
      const least = count(schema, 'minItems', at, 0);
      if (Math.max(least, first.length) > MOST_ITEMS)
        refused(`${at}/minItems`, `${MOST_ITEMS} items at the most`, least);
      const most = items === false ? first.length : count(schema, 'maxItems', at, Number.POSITIVE_INFINITY);
      if (most < least) refused(`${at}/minItems`, `at most ${most} fit`, least);
      const comma = sequence(GAP, literal(','), GAP);
      const item = (i: number): Pattern =>
        i < first.length ? value(first[i], `${at}/prefixItems/${i}`) : value(items, `${at}/items`);
      // From the end: what may come from the i-th on, before which others stand.
      let rest: Pattern = nothing;
      const own = Math.max(least, Math.min(first.length, most));
      if (most > own && items !== false) rest = repeated(sequence(comma, item(own)), 0, most - own);
      for (let i = own - 1; i >= 0; i--) {
        const after = sequence(i ? comma : nothing, item(i), rest);
        rest = i < least ? after : either(nothing, after);
      }
      // Of a list without items of its own the first has no comma before it.
      if (own === 0 && most > 0)
        rest = either(nothing, sequence(item(0), repeated(sequence(comma, item(0)), 0, most - 1)));
      return sequence(literal('['), GAP, rest, GAP, literal(']'));
    },
    object(schema, at) {
      const { properties = {}, required = [], additionalProperties = true } = schema;
      const needed = new Set(required as readonly string[]);
      const declared = { ...Object.fromEntries([...needed].map((name) => [name, true])), ...(properties as Schema) };
      const order = [
        ...Object.keys(properties as Schema),
        ...[...needed].filter((name) => !Object.hasOwn(properties as Schema, name)),
      ];
      const member = (key: Pattern, inner: Pattern): Pattern => sequence(key, GAP, literal(':'), GAP, inner);
      const comma = sequence(GAP, literal(','), GAP);
      if (!order.length) {
        if (additionalProperties === false) return sequence(literal('{'), GAP, literal('}'));
        const one = member(
          quoted(repeated(ANY_CHARACTER, 0)),
          value(additionalProperties, `${at}/additionalProperties`),
        );
        return sequence(
          literal('{'),
          GAP,
          either(nothing, sequence(one, repeated(sequence(comma, one), 0))),
          GAP,
          literal('}'),
        );
      }
      // Rules from each property on, with and without others before it: optional ones may be left out.
      const from = (i: number, before: boolean): Rule => {
        const known = tails.get(`${i} ${before}`);
        if (known) return known;
        const rule = made(() => {
          if (i === order.length) return nothing;
          const name = order[i]!;
          const own = member(literal(JSON.stringify(name)), value(declared[name], `${at}/properties/${name}`));
          const taken = sequence(before ? comma : nothing, own, call(from(i + 1, true)));
          return needed.has(name) ? taken : either(taken, call(from(i + 1, before)));
        });
        tails.set(`${i} ${before}`, rule);
        return rule;
      };
      const tails = new Map<string, Rule>();
      return sequence(literal('{'), GAP, call(from(0, false)), GAP, literal('}'));
    },
  };
  const whole = value(root, '#');
  return (next, place) => {
    const start = whole(next, place);
    for (const rule of all) rule.start(place); // what is not done is refused before a text is begun; rules may add more
    return start;
  };
}
