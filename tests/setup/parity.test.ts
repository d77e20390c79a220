import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { between } from '../../tools/markdown.mjs';
import { columnOf, parityTable } from '../../tools/parity.mjs';
import type { Parity, Score } from '../support/parity.ts';

const DOCUMENT = readFileSync(new URL('../../docs/parity.md', import.meta.url), 'utf8');

const sheet = (adapter: string, cases: Parity['cases'], ops: Record<string, Score>): { meta: { parity?: Parity } } => ({
  meta: { parity: { adapter, cases, ops } },
});

const column = columnOf('wgpu', '2026-01-02T03:04:05Z', {
  testResults: [
    {
      assertionResults: [
        sheet('A', 'own', { relu: { passed: 1, total: 1 } }),
        sheet('A', 'own', { relu: { passed: 0, total: 1 } }),
        { meta: {} },
      ],
    },
    { assertionResults: [sheet('A', 'webnn', { abs: { passed: 2, total: 2 }, relu: { passed: 3, total: 4 } })] },
  ],
});

describe('the table of ops by adapter', () => {
  it('adds up what the tests of a run say', () => {
    expect(parityTable([column!]).split('\n')).toEqual([
      '- wgpu in Deno: A, 2026-01-02',
      '',
      '| op   | wgpu in Deno | WebNN |',
      '| ---- | ------------ | ----- |',
      '| abs  |              | 2/2   |',
      '| relu | 1/2          | 3/4   |',
      '| all  | 1/2          | 5/6   |',
    ]);
  });

  it('has no column of a run without ops', () => {
    expect(columnOf('wgpu', '', { testResults: [{ assertionResults: [{ meta: {} }] }] })).toBeUndefined();
  });

  it('in docs/parity.md names four adapters with their dates, has a line an op, and adds up', () => {
    expect(between(DOCUMENT, 'parity', '')).not.toBe(DOCUMENT);
    const adapters = DOCUMENT.match(
      /^- (Dawn in Chrome|Dawn in Node|wgpu in Deno|wgpu in Firefox): .+, \d{4}-\d{2}-\d{2}$/gm,
    );
    expect(adapters).toHaveLength(4);
    const rows = DOCUMENT.split('\n').filter((line) => line.startsWith('| '));
    const [titles, , ...lines] = rows.map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
    expect(titles).toEqual([
      'op',
      'Dawn in Chrome',
      'WebNN',
      'Dawn in Node',
      'WebNN',
      'wgpu in Deno',
      'WebNN',
      'wgpu in Firefox',
    ]);
    const all = lines.pop()!;
    expect(lines.map(([op]) => op)).toEqual([...new Set(lines.map(([op]) => op))].sort());
    const part = (cell: string, index: number): number => Number(cell.split('/')[index] ?? 0);
    for (const index of titles!.keys()) {
      if (index === 0) continue;
      const cells = lines.map((cells) => cells[index]!);
      const sum = (which: number): number => cells.reduce((total, cell) => total + (cell ? part(cell, which) : 0), 0);
      expect(`${sum(0)}/${sum(1)}`).toBe(all[index]);
      expect(sum(1)).toBeGreaterThan(500);
    }
  });
});
