import { readdirSync, readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readReport } from '../../bench/read-report.ts';
import schema from '../../bench/report.schema.json';
import { ALL_SUITES, type BenchReport, DTYPES, ENGINES, UNSTEADY } from '../../bench/report.ts';
import { faultOf, type Schema } from '../../bench/schema.ts';

const RESULTS = new URL('../../bench/results/', import.meta.url);
const files = readdirSync(RESULTS)
  .filter((name) => name.endsWith('.json'))
  .map((name) => [name, readFileSync(new URL(name, RESULTS), 'utf8')] as const);
const ajv = new Ajv2020({ allErrors: false, strictTuples: false }).compile(schema);

/** A report that has every field. */
const whole: BenchReport = {
  format: 2,
  adapter: {
    vendor: 'v',
    architecture: 'a',
    device: '0x1',
    description: 'D',
    software: true,
    features: ['shader-f16'],
    limits: { maxBufferSize: 1 } as never,
  },
  gpu: 'My GPU',
  preset: 'quick',
  score: { version: 1, value: 101.5, reference: 'R', cases: ['a', 'b'], unsteady: ['a'] },
  pulse: [
    [0, 5.1],
    [100, 5.2],
  ],
  void: 'the tab was hidden',
  date: '2026-11-29T10:00:00.000Z',
  versions: { tilewright: '0.1.0', browser: 'Mozilla/5.0' },
  ceilings: { fmaF32: 10, fmaF16: 20, dotInt8: 5, readGbps: 3, dispatchUs: -0.1 },
  rows: [
    {
      suite: 'matmul',
      name: 'matmul',
      shape: '8x8x8',
      dtype: 'float32',
      engine: 'tilewright',
      ms: { median: 2, p10: 1, p90: 3, n: 3, samples: [1, 2, 3] },
      gflops: 1,
      gbps: 0,
      pctOfRoof: null,
      ratioToTilewright: 1,
      work: { flops: 1, bytes: 2 },
      unsteady: ['spread'],
      tries: 3,
      at: [1, 2],
      deviceBytes: 12,
      rate: { value: 3, unit: 'images/s' },
    },
  ],
  notes: ['a note'],
};

/** Every place in a value. */
function* places(value: unknown): Generator<[holder: Record<string, unknown>, key: string]> {
  if (typeof value !== 'object' || value === null) return;
  for (const key of Object.keys(value)) {
    yield [value as Record<string, unknown>, key];
    yield* places((value as Record<string, unknown>)[key]);
  }
}

describe('readReport', () => {
  it.each(files)('reads bench/results/%s, which is as the schema has it', (_name, text) => {
    expect(readReport(text)).toEqual(JSON.parse(text));
    expect(ajv(JSON.parse(text)), JSON.stringify(ajv.errors)).toBe(true);
  });

  it('reads what has every field, and loses none', () => {
    const { properties, $defs } = schema;
    expect(Object.keys(whole).sort()).toEqual(Object.keys(properties).sort());
    expect(Object.keys(whole.rows[0]!).sort()).toEqual(Object.keys($defs.row.properties).sort());
    expect(readReport(JSON.stringify(whole))).toEqual(whole);
  });

  it.each([
    ['no JSON', '{"adapter":', 'the report is no JSON'],
    ['a list', '[]', 'the report: its root: expected an object, got []'],
    ['another version', { ...whole, format: 3 }, 'the report: format: expected 2, got 3'],
    ['a field too many', { ...whole, rowz: [] }, 'the report: rowz: expected no such field, got []'],
    ['no ceilings', { ...whole, ceilings: undefined }, 'the report: ceilings: expected an object, got undefined'],
    ['a date of another form', { ...whole, date: '<b>' }, 'the report: date: expected a text like'],
    [
      'no time',
      edited('ms', { ...whole.rows[0]!.ms, median: 0 }),
      'rows[0].ms.median: expected a number above 0, got 0',
    ],
    ['a time of text', edited('ms', { ...whole.rows[0]!.ms, p90: '3' }), 'rows[0].ms.p90: expected a number, got "3"'],
    [
      'times out of order',
      edited('ms', { ...whole.rows[0]!.ms, p10: 2.5 }),
      'rows[0].ms: expected p10 <= median <= p90',
    ],
    ['an engine of its own', edited('engine', 'mine'), 'rows[0].engine: expected "tilewright" or'],
    ['a text without end', edited('name', 'x'.repeat(301)), 'rows[0].name: expected 300 letters at most'],
  ])('says of %s what is wrong', (_what, report, message) => {
    expect(() => readReport(report)).toThrow(message);
    expect(() => readReport(report)).toThrow(expect.objectContaining({ code: 'invalid-file' }));
  });

  it('finds what a whole validator finds, whatever is put in its place', () => {
    const count = [...places(whole)].length;
    const values = fc.oneof(
      fc.jsonValue({ maxDepth: 1 }),
      fc.constantFrom(-1, 0, 1.5, '', 'x'.repeat(300), '😀'.repeat(300), '😀'.repeat(301), [], {}, null, true),
    );
    fc.assert(
      fc.property(fc.nat(count - 1), fc.constantFrom('set', 'remove', 'add'), values, (at, how, value) => {
        const report = structuredClone(whole);
        const [holder, key] = [...places(report)][at]!;
        if (how === 'set') holder[key] = value;
        else if (how === 'remove' && !Array.isArray(holder)) delete holder[key];
        else if (how === 'add' && !Array.isArray(holder)) holder[`${key}x`] = value;
        const json = JSON.parse(JSON.stringify(report));
        expect([faultOf(json, schema as Schema) === undefined, json]).toEqual([ajv(json), json]);
      }),
      { numRuns: 1000 },
    );
  });

  it('has the names of report.ts', () => {
    const { suite, dtype, engine, unsteady } = schema.$defs.row.properties;
    expect(suite.enum).toEqual(ALL_SUITES);
    expect(dtype.enum).toEqual(DTYPES);
    expect(engine.enum).toEqual(ENGINES);
    expect(unsteady.items.enum).toEqual(UNSTEADY);
  });
});

function edited(field: string, value: unknown): unknown {
  return { ...whole, rows: [{ ...whole.rows[0]!, [field]: value }] };
}
