/**
 * The part of JSON Schema (2020-12) that report.schema.json is written in. A page reads it with a kilobyte of code; a test
 * compares with a whole validator.
 */
export interface Schema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly type?: 'object' | 'array' | 'string' | 'number' | 'integer' | 'boolean' | 'null';
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  /** The schema of the other properties; false where there are none. */
  readonly additionalProperties?: Schema | false;
  readonly items?: Schema;
  readonly prefixItems?: readonly Schema[];
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
}

/** What is wrong with a value, and where in it: `rows[3].ms.median`. */
export interface Fault {
  readonly at: string;
  readonly expected: string;
  readonly got: unknown;
}

/** The first thing in a value that its schema does not allow. */
export function faultOf(value: unknown, schema: Schema): Fault | undefined {
  return check(value, schema, '', schema.$defs ?? {});
}

type Defs = NonNullable<Schema['$defs']>;

function check(value: unknown, schema: Schema, at: string, defs: Defs): Fault | undefined {
  if (schema.$ref) return check(value, defs[schema.$ref.replace('#/$defs/', '')]!, at, defs);
  if (schema.anyOf) {
    const faults = schema.anyOf.map((one) => check(value, one, at, defs));
    if (faults.includes(undefined)) return undefined;
    return { at, expected: faults.map((fault) => fault!.expected).join(' or '), got: value };
  }
  if (schema.enum && !schema.enum.includes(value)) return { at, expected: listed(schema.enum), got: value };
  if (schema.type && !isOf(value, schema.type)) return { at, expected: WORDS[schema.type], got: value };
  if (typeof value === 'number') return checkNumber(value, schema, at);
  if (typeof value === 'string') return checkText(value, schema, at);
  if (Array.isArray(value)) return checkList(value, schema, at, defs);
  if (schema.type === 'object') return checkObject(value as Record<string, unknown>, schema, at, defs);
  return undefined;
}

const WORDS = {
  object: 'an object',
  array: 'a list',
  string: 'a text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  null: 'null',
} as const;

const listed = (values: readonly unknown[]): string => values.map((value) => JSON.stringify(value)).join(' or ');

function isOf(value: unknown, type: NonNullable<Schema['type']>): boolean {
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  if (type === 'array') return Array.isArray(value);
  if (type === 'null') return value === null;
  if (type === 'number') return Number.isFinite(value);
  if (type === 'integer') return Number.isInteger(value);
  return typeof value === type;
}

function checkNumber(value: number, { minimum, exclusiveMinimum }: Schema, at: string): Fault | undefined {
  if (minimum !== undefined && value < minimum) return { at, expected: `a number from ${minimum} on`, got: value };
  if (exclusiveMinimum !== undefined && value <= exclusiveMinimum)
    return { at, expected: `a number above ${exclusiveMinimum}`, got: value };
  return undefined;
}

function checkText(value: string, { maxLength, pattern }: Schema, at: string): Fault | undefined {
  // JSON Schema counts code points.
  if (maxLength !== undefined && value.length > maxLength && [...value].length > maxLength)
    return { at, expected: `${maxLength} letters at most`, got: value };
  if (pattern !== undefined && !new RegExp(pattern, 'u').test(value))
    return { at, expected: `a text like ${pattern}`, got: value };
  return undefined;
}

function checkList(value: readonly unknown[], schema: Schema, at: string, defs: Defs): Fault | undefined {
  const { items, prefixItems = [], minItems = 0, maxItems = Number.POSITIVE_INFINITY } = schema;
  if (value.length < minItems || value.length > maxItems) {
    const expected = minItems === maxItems ? `${minItems} values` : `${minItems} to ${maxItems} values`;
    return { at, expected, got: value.length };
  }
  for (const [index, item] of value.entries()) {
    const own = prefixItems[index] ?? items;
    const fault = own && check(item, own, `${at}[${index}]`, defs);
    if (fault) return fault;
  }
  return undefined;
}

function checkObject(value: Record<string, unknown>, schema: Schema, at: string, defs: Defs): Fault | undefined {
  const { properties = {}, required = [], additionalProperties } = schema;
  const path = (name: string): string => (at ? `${at}.${name}` : name);
  for (const name of required) {
    if (!Object.hasOwn(value, name)) return { at: path(name), expected: 'a value', got: undefined };
  }
  for (const [name, field] of Object.entries(value)) {
    const own = Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
    if (own === false) return { at: path(name), expected: 'no such field', got: field };
    const fault = own && check(field, own, path(name), defs);
    if (fault) return fault;
  }
  return undefined;
}
