import { afterAll, describe, expect, it } from 'vitest';
import { testEngine } from '../support/engine.ts';
import { parity, scoreOf } from '../support/parity.ts';
import { loadCases, opOf } from './cases.ts';
import { aFewAtATime, runCase } from './webnn.ts';

const files = await loadCases();
const table: string[] = [];

describe.skipIf(files.size === 0)('WebNN operator cases', () => {
  for (const [file, cases] of files) {
    it(file, async ({ task }) => {
      const engine = await testEngine();
      const sheet = parity(task.meta, engine.adapter, 'webnn');
      const failures: string[] = [];
      const missing = new Map<string, number>();
      let passed = 0;
      const results = await aFewAtATime(cases, (test) => runCase(engine, test));
      for (const [index, test] of cases.entries()) {
        const result = results[index]!;
        const score = result.verdict === 'outside' ? undefined : scoreOf(sheet, opOf(test));
        if (result.verdict === 'pass') {
          passed++;
          score!.passed++;
        } else if (result.verdict !== 'fail') missing.set(result.why, (missing.get(result.why) ?? 0) + 1);
        else failures.push(`${test.name}: ${result.why}`);
      }
      const reasons = [...missing]
        .map(([why, count]) => `${count} ${why === 'op' ? 'op not implemented' : why}`)
        .join(', ');
      table.push(`${file.padEnd(30)}${String(passed).padStart(5)}${String(failures.length).padStart(7)}   ${reasons}`);
      expect(failures).toEqual([]);
    });
  }
  afterAll(() => {
    console.log([`${'WebNN cases'.padEnd(30)} pass   fail   not supported`, ...table].join('\n'));
  });
});
