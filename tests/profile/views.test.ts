import Ajv from 'ajv';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { profileDocument } from '../../examples/shared/profile/document.ts';
import { timeline, traceOf } from '../../examples/shared/profile/trace.ts';
import { views } from '../../examples/shared/profile/views.ts';
import { summaryLines } from '../../src/cli/commands/summary.ts';
import { openOnPaper } from '../../src/cli/on-paper.ts';
import type { Profile, ProfileRow } from '../../src/index.ts';
import { kindsOf, layersOf } from '../../src/profile/totals.ts';
import schema from '../fixtures/trace-event.schema.json' with { type: 'json' };
import { repositoryFolder } from '../support/files.ts';

const spread = (ms: number) => ({ ms, p10: 0.9 * ms, p90: 1.1 * ms });

const row = (label: string, op: string, ms: number): ProfileRow => ({
  ...{ label, name: `${label} + <relu>`, op, kernel: `${op}[f32]`, shape: '[4,4]', dataType: 'float32' },
  ...{ ...spread(ms), macs: 1e6 * ms, flops: 2e6 * ms, bytes: 1e6, gflops: 2, gbps: 1 / ms, share: ms / 10 },
  ...{ pctOfRoof: 50, bound: 'compute' },
});

const rows = [row('a.0.x', 'conv2d', 1), row('a.0.y', 'conv2d', 2), row('a.1.x', 'pad', 3), row('b', 'softmax', 4)];

const profile: Profile = {
  ...{ adapter: 'test', software: true, timestamps: true, quantum: 0, plan: 'image', rounds: 5 },
  ...{ rows, kinds: kindsOf(rows), layers: layersOf(rows), sumMs: 10, runMs: 10.5, run: spread(10.5) },
  ...{ attributed: 0.95, unattributedMs: 0.5 },
  host: { encode: spread(0.5), whole: spread(11), readBack: spread(0.25) },
  totals: { parameters: 10, macs: 1e7, flops: 2e7, bytes: 4e6 },
  ceilings: { fmaF32: 10, readGbps: 5, dispatchUs: 1 },
};

interface TraceEvent {
  readonly ph: string;
  readonly tid: number;
  readonly ts: number;
  readonly dur?: number;
}

describe('the trace', () => {
  const isTrace = new Ajv({ strict: false }).compile(schema);

  it('is one of the Trace Event Format', () => {
    expect(isTrace(JSON.parse(JSON.stringify(traceOf(profile)))), JSON.stringify(isTrace.errors)).toBe(true);
  });

  it.each([
    ['an event without a beginning', { name: 'x', ph: 'X', dur: 1, pid: 1, tid: 1 }],
    ['a phase that there is not', { name: 'x', ph: 'Q', ts: 0, dur: 1, pid: 1, tid: 1 }],
    ['a complete event without an end', { name: 'x', ph: 'X', ts: 0, pid: 1, tid: 1 }],
  ])('the schema refuses %s', (_, event) => {
    expect(isTrace({ traceEvents: [event] })).toBe(false);
  });

  it('nests to the nanosecond, as Perfetto wants it, whatever the times are', () => {
    const ms = fc.double({ min: 1e-4, max: 50, noNaN: true });
    const label = fc.constantFrom('a.0.x', 'a.0.y', 'a.1.x', 'a.1.b.z', 'b', 'b.c');
    fc.assert(
      fc.property(fc.array(fc.tuple(label, ms), { minLength: 1, maxLength: 40 }), (list) => {
        const timed = list.map(([name, time]) => row(name, 'conv2d', time));
        const { traceEvents } = traceOf({ ...profile, rows: timed }) as { traceEvents: TraceEvent[] };
        const open: number[] = [];
        for (const { ph, tid, ts, dur = 0 } of traceEvents) {
          if (ph !== 'X' || tid !== 1) continue;
          const [start, length] = [Math.round(1000 * ts), Math.round(1000 * dur)];
          while (open.length && open.at(-1)! <= start) open.pop();
          for (const end of open) expect(start + length).toBeLessThanOrEqual(end);
          open.push(start + length);
        }
      }),
    );
  });

  it('has dispatches one after the other, in groups that hold them whole', () => {
    const spans = timeline(profile);
    expect(spans.map(({ name, from, ms, depth }) => [name, from, ms, depth])).toEqual([
      ['a', 0, 6, 0],
      ['0', 0, 3, 1],
      ['a.0.x + <relu>', 0, 1, 2],
      ['a.0.y + <relu>', 1, 2, 2],
      ['1', 3, 3, 1],
      ['a.1.x + <relu>', 3, 3, 2],
      ['b + <relu>', 6, 4, 0],
    ]);
  });
});

describe('the report', () => {
  it('is one file that fetches nothing, in which names are text', () => {
    const html = profileDocument('m "x"', [{ profile }]);
    expect(html).not.toMatch(/<link[^>]+href="(?!data:)|src=|url\(|@import|https?:/);
    expect(html).toContain('a.0.x + &#60;relu&#62;');
    expect(html).not.toContain('<relu>');
    expect(html).toContain('<title>m &#34;x&#34;');
    expect(html.match(/<circle/g)).toHaveLength(rows.length);
  });

  it('says so where there are no timestamps', () => {
    const html = views({ ...profile, timestamps: false, rows: [], kinds: [], layers: [] });
    expect(html).toContain('No times of single layers');
    expect(html).not.toContain('Roofline');
  });
});

describe('the summary', () => {
  it('ends with parameters, operations and bytes', async () => {
    const model = await openOnPaper(repositoryFolder('weights/resnet20-cifar10'));
    const lines = summaryLines(await model.summary());
    expect(lines.at(-3)).toMatch(/^272,474 parameters, 1,568 numbers that were not trained; weights 1.10 MB float32$/);
    expect(lines.at(-2)).toBe('40.8 MMAC; FLOPs (B) for one forward pass: 0.0825');
    expect(views(undefined, await model.summary())).toContain('FLOPs (B) for one forward pass');
  });
});
