import { describe, expect, it } from 'vitest';
import { endOf, scoreLines } from '../../src/cli/commands/eval.ts';
import { tuneLines } from '../../src/cli/commands/tune.ts';
import { bytes, count, duration, figures, percent, scaled } from '../../src/cli/format.ts';
import { grouped, profileLines } from '../../src/cli/profile-table.ts';
import { shorten, table } from '../../src/cli/table.ts';
import { fromWire, toWire } from '../../src/cli/wire.ts';
import { TilewrightError } from '../../src/errors.ts';
import type { Profile, ProfileRow } from '../../src/profile/profile.ts';

describe('format', () => {
  it('gives three or four figures', () => {
    expect([0.0123, 1.234567, 12.34567, 123.4567, 1234.567].map(figures)).toEqual([
      '0.012',
      '1.235',
      '12.35',
      '123.5',
      '1235',
    ]);
  });

  it('scales by decimal prefixes', () => {
    expect([999, 1000, 11_662_000, 2.5e12].map((n) => scaled(n, 'B'))).toEqual([
      '999 B',
      '1.00 kB',
      '11.7 MB',
      '2.50 TB',
    ]);
    expect(bytes(0)).toBe('0 B');
  });

  it('speaks of time, shares and numbers of things', () => {
    expect([0.5, 12.34, 125].map(duration)).toEqual(['0.50 s', '12.3 s', '2 min 5 s']);
    expect(percent(0.8395, 2)).toBe('83.95 %');
    expect([count(1, 'picture'), count(2000, 'dispatch', 'dispatches')]).toEqual(['1 picture', '2,000 dispatches']);
  });
});

describe('table', () => {
  const columns = [
    { title: 'name', elastic: true },
    { title: 'ms', right: true },
  ];

  it('aligns names left and numbers right', () => {
    expect(
      table(columns, [
        ['a', '1.5'],
        ['longer', '12.25'],
      ]),
    ).toEqual(['name       ms', 'a         1.5', 'longer  12.25']);
  });

  it('shows headings as it is told', () => {
    expect(table(columns, [], { heading: (text) => `<${text}>` })).toEqual(['<name  ms>']);
  });

  it('cuts the middle of elastic cells to stay within its width, and never numbers', () => {
    const lines = table(columns, [['conv2d_registers[f32,bias_residual_relu,16x16]', '3.512']], { width: 30 });
    expect(Math.max(...lines.map((line) => line.length))).toBe(30);
    expect(lines[1]).toMatch(/^conv2d_regi…relu,16x16\] {2}3\.512$/);
  });

  it('leaves text that fits as it is', () => {
    expect(shorten('abcdef', 6)).toBe('abcdef');
    expect(shorten('abcdefg', 6)).toBe('abc…fg');
  });
});

const row = (label: string, kernel: string, ms: number): ProfileRow => {
  const [flops, moved] = [2e6, 1e6];
  return {
    ...{ label, name: `${label} + relu`, op: kernel, kernel, shape: '[4,4]', dataType: 'float32' },
    ...{ ms, p10: ms, p90: ms },
    macs: flops / 2,
    flops,
    bytes: moved,
    gflops: flops / ms / 1e6,
    gbps: moved / ms / 1e6,
    share: ms / 10,
  };
};

const spread = (ms: number) => ({ ms, p10: ms, p90: ms });

const profile: Profile = {
  ...{ quantum: 0, kinds: [], layers: [], run: spread(12.5), attributed: 0.8, unattributedMs: 2.5 },
  host: { encode: spread(0.5), whole: spread(13), readBack: spread(0.25) },
  adapter: 'test',
  software: true,
  timestamps: true,
  plan: 'image',
  sumMs: 10,
  runMs: 12.5,
  rounds: 5,
  rows: [row('a', 'matmul', 1), row('b', 'softmax', 6), row('c', 'matmul', 3)],
  totals: { parameters: 10, macs: 3e6, flops: 6e6, bytes: 3e6 },
}; // prettier-ignore

describe('profile', () => {
  it('puts dispatches of the same kernel and shape together, the costliest first', () => {
    const groups = grouped(profile.rows);
    expect(groups.map(({ n, row: { kernel, ms } }) => [kernel, n, ms])).toEqual([
      ['softmax', 1, 6],
      ['matmul', 2, 4],
    ]);
    const matmul = groups[1]!.row;
    expect(matmul.flops).toBe(4e6);
    expect(matmul.gflops).toBeCloseTo(1, 12); // 4 MFLOP in 4 ms
    expect(matmul.share).toBeCloseTo(0.4, 12);
  });

  it('ends with the sum against the whole run', () => {
    const lines = profileLines(profile);
    expect(lines).toHaveLength(1 + 1 + 2 + 2);
    expect(lines.at(-2)).toBe(
      '80.0 % of the time is that of named layers; encoding takes 0.500 ms of the CPU, reading back 0.250 ms',
    );
    expect(lines.at(-1)).toBe('3 dispatches: sum 10.00 ms, whole run 12.50 ms (sum is 80 % of it; medians of 5)');
    expect(profileLines(profile, { steps: true })).toHaveLength(1 + 1 + 3 + 2);
  });

  it('says so where kernels cannot be timed', () => {
    const lines = profileLines({ ...profile, timestamps: false, rows: [], sumMs: 0 });
    expect(lines.join('\n')).toMatch(/no timestamp-query/);
    expect(lines.at(-1)).toContain('12.50 ms');
  });
});

describe('evaluation', () => {
  it('shows shares, and what each class is most taken for', () => {
    const score = {
      pictures: 10,
      top1: 7,
      top5: 10,
      seconds: 2,
      confusion: [
        [5, 0],
        [3, 2],
      ],
    };
    const lines = scoreLines(score, ['cat', 'dog']);
    expect(lines.slice(0, 3)).toEqual([
      'top-1  70.00 %  7 of 10',
      'top-5  100.00 %  10 of 10',
      'time   2.00 s, 5.0 pictures/s',
    ]);
    expect(lines.slice(4).map((line) => line.split(/ {2,}/))).toEqual([
      ['class', 'pictures', 'right', 'share', 'most taken for'],
      ['cat', '5', '5', '100.0 %'],
      ['dog', '5', '2', '40.0 %', 'cat 3'],
    ]);
  });

  it('takes the end of a text by its characters, not by its code units', () => {
    expect(endOf('0123456789', 0.9)).toBe('9');
    expect(endOf('😀😀ab', 0.5)).toBe('ab');
    expect(endOf('abc', 0)).toBe('abc');
  });
});

describe('errors across the wire', () => {
  it('keep code, message and hint', () => {
    const back = fromWire(
      JSON.parse(JSON.stringify(toWire(new TilewrightError('wrong-shape', 'no', { hint: 'yes' })))),
    );
    expect(back).toBeInstanceOf(TilewrightError);
    expect(back).toMatchObject({ code: 'wrong-shape', message: 'no', hint: 'yes' });
  });

  it('stay what they are where they are not ours', () => {
    const back = fromWire(toWire(new RangeError('too far')));
    expect(back).not.toBeInstanceOf(TilewrightError);
    expect(back.message).toContain('too far');
  });
});

it("tuning is told shape by shape: the table's guess first, the winner marked, speeds against the guess", () => {
  const row = { label: 'h.0', count: 12, shape: '[1,8]' };
  const [a, b] = [
    { label: 'a', ms: 2 },
    { label: 'b', ms: 1 },
  ];
  const lines = tuneLines([
    { ...row, candidates: [a!, b!], chosen: 'b' },
    { ...row, label: 'h.1', candidates: [b!, a!], chosen: 'b' },
  ]);
  expect(lines.slice(1, 5).map((line) => line.trim().split(/\s+/).join(' '))).toEqual([
    'h.0 12 [1,8] a 2.000 1.00',
    '> b 1.000 2.00',
    'h.1 12 [1,8] > b 1.000 1.00',
    'a 2.000 0.50',
  ]);
  expect(lines.at(-1)).toBe("2 shapes measured; another kernel than the table's guess (the first of each) won for 1");
});
