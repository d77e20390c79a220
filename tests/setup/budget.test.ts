import { expect, it } from 'vitest';
import { failuresOf, judge, readBudget, slowest, testsOf } from '../../tools/budget.mjs';

const report = {
  testResults: [
    {
      name: 'a.test.ts',
      assertionResults: [
        { fullName: 'quick', status: 'passed', duration: 20, meta: { pipelines: 3 } },
        { fullName: 'never', status: 'skipped' },
      ],
    },
    { name: 'b.test.ts', assertionResults: [{ fullName: ' slow', status: 'failed', duration: 1500, meta: {} }] },
  ],
};

it('tells what each test cost, the slowest first', () => {
  const tests = testsOf('chrome', report);
  expect(tests.map(({ pipelines, skipped }) => [pipelines, skipped])).toEqual([
    [3, false],
    [0, true],
    [0, false],
  ]);
  expect(slowest(tests, 2)).toEqual(['   1.5 s  chrome: slow', '   0.0 s  chrome: quick, 3 pipelines']);
});

it('names what failed: tests with the first line of why, files that could not be loaded', () => {
  const test = { fullName: ' sums', status: 'failed', failureMessages: ['expected 1 to be 2\n    at somewhere'] };
  const others = [{ fullName: 'fine', status: 'passed' }];
  const testResults = [
    { name: 'a.test.ts', status: 'failed', message: '', assertionResults: [test, ...others] },
    { name: 'b.test.ts', status: 'failed', message: 'no such import\nat b', assertionResults: [] },
    { name: 'c.test.ts', status: 'passed', message: '', assertionResults: others },
  ];
  expect(failuresOf({ testResults })).toEqual(['sums: expected 1 to be 2', 'b.test.ts: no such import']);
});

it('holds a suite to its seconds and its pipelines', () => {
  const budget = { seconds: 10, pipelines: 5 };
  expect(judge({ seconds: 9.6, pipelines: 5 }, budget)).toEqual({ within: true, text: '10 of 10 s, 5 of 5 pipelines' });
  expect(judge({ seconds: 11, pipelines: 5 }, budget).within).toBe(false);
  expect(judge({ seconds: 1, pipelines: 6 }, budget).within).toBe(false);
  expect(judge({ seconds: 1, pipelines: 600 }, { seconds: 2 })).toEqual({ within: true, text: '1 of 2 s' });
  expect(judge({ seconds: 1 }, undefined).within).toBe(false);
});

it('has a budget for every suite but the exhaustive one', () => {
  const { chrome, dawn, wgpu, firefox, ...others } = readBudget();
  expect(Object.keys(others)).toEqual(['check', 'build', 'unit', 'compiler', 'package', 'pages', 'size']);
  expect([chrome, dawn, wgpu, firefox].every((budget) => budget?.pipelines)).toBe(true);
});
