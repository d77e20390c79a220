import { type ErrorCode, TilewrightError } from './errors.ts';

/** What a value may be: in words for messages, and as a test. */
export type Rule = readonly [expected: string, allows: (value: unknown) => boolean];

/** A rule for every option of `T`: the compiler says where one is missing. */
export type Rules<T> = { readonly [Name in keyof Required<T>]: Rule };

/** A number from `low` to `high`; NaN is none. */
export const number = (low = Number.NEGATIVE_INFINITY, high = Number.POSITIVE_INFINITY): Rule => [
  `a number${range(low, high)}`,
  (value) => typeof value === 'number' && value >= low && value <= high,
];

export const integer = (low: number, high = Number.MAX_SAFE_INTEGER): Rule => [
  `an integer${range(low, high)}`,
  (value) => Number.isInteger(value) && (value as number) >= low && (value as number) <= high,
];

export const oneOf = (...values: readonly unknown[]): Rule => [
  values.map(shown).join(' or '),
  (value) => values.includes(value),
];

const typed = (type: string): Rule => [`a ${type}`, (value) => typeof value === type];
export const flag: Rule = oneOf(false, true);
export const off: Rule = oneOf(false);
export const text: Rule = typed('string');
export const fn: Rule = typed('function');
export const object: Rule = ['an object', (value) => isObject(value) && !Array.isArray(value)];
export const signal: Rule = ['an AbortSignal', (value) => isObject(value) && typeof value['aborted'] === 'boolean'];

/** A list of `length` values (any number where absent), each as the rule has it. */
export const list = ([expected, allows]: Rule, length?: number): Rule => [
  `a list of ${length ?? 'values'}, each ${expected}`,
  (value) => Array.isArray(value) && (length === undefined || value.length === length) && value.every(allows),
];

/** A typed array of one of these classes, of whatever page: `Uint8Array`. */
export const arrayOf = (...classes: readonly string[]): Rule => [
  `a ${classes.join(' or ')}`,
  (value) => classes.some((name) => Object.prototype.toString.call(value) === `[object ${name}]`),
];

/** The values of an object, by any name. */
export const valuesOf = ([expected, allows]: Rule): Rule => [
  `an object of ${expected}`,
  (value) => object[1](value) && Object.values(value as object).every(allows),
];

export const either = (...rules: readonly Rule[]): Rule => [
  rules.map(([expected]) => expected).join(' or '),
  (value) => rules.some(([, allows]) => allows(value)),
];

/**
 * Checks the options of a public call: each has a name that the call knows, and a value that it allows. Error:
 * `invalid-argument`.
 */
export function checkOptions<T extends object>(call: string, options: T, rules: Rules<T>): void {
  if (!object[1](options)) refuse('invalid-argument', call, 'options', 'an object', options);
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(rules, name)) {
      const known = Object.keys(rules).join(', ');
      throw new TilewrightError('invalid-argument', `${call}: there is no option ${name} (got ${shown(value)})`, {
        hint: known ? `There are ${known}.` : 'There are none.',
      });
    }
    const [expected, allows] = rules[name as keyof T];
    if (value !== undefined && !allows(value)) refuse('invalid-argument', call, name, expected, value);
  }
}

/** Checks one argument of a public call. Error: `invalid-argument`. */
export function checkArgument(call: string, name: string, value: unknown, [expected, allows]: Rule): void {
  if (!allows(value)) refuse('invalid-argument', call, name, expected, value);
}

/**
 * Checks the fields of a file that would change the result: a field that is set has a value that is computed as it is
 * meant. Fields without a rule change nothing, except the `switches`, which have to be off. Error:
 * `unsupported-option`, or another `code`.
 */
export function checkFields(
  file: string,
  fields: Readonly<Record<string, unknown>>,
  rules: Readonly<Record<string, Rule>>,
  { switches, code = 'unsupported-option' }: { switches?: RegExp; code?: ErrorCode } = {},
): void {
  for (const [name, value] of Object.entries(fields)) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : switches?.test(name) ? off : undefined;
    if (rule && value !== undefined && value !== null && !rule[1](value)) refuse(code, file, name, rule[0], value);
  }
}

/** Says of a value, wherever it came from, what was expected in its place. */
export function refuse(code: ErrorCode, where: string, name: string, expected: string, got: unknown): never {
  throw new TilewrightError(code, `${where}: ${name}: expected ${expected}, got ${shown(got)}`);
}

/** A value in a message: short, and told from its like in other types. */
export function shown(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  const name = isObject(value) ? Object.getPrototypeOf(value)?.constructor?.name : undefined;
  if (name && name !== 'Object' && name !== 'Array') return `${/^[AEIO]/.test(name) ? 'an' : 'a'} ${name}`;
  let words: string;
  try {
    words = name || typeof value === 'string' ? JSON.stringify(value) : String(value);
  } catch {
    words = 'an object';
  }
  return words.length > 100 ? `${words.slice(0, 100)}...` : words;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

const range = (low: number, high: number): string =>
  low === Number.NEGATIVE_INFINITY ? '' : ` from ${low} ${high < Number.MAX_SAFE_INTEGER ? `to ${high}` : 'on'}`;
