import { expect, it } from 'vitest';
import { PRESET } from '../../bench/cases.ts';
import { matmulGraph } from '../../bench/graphs.ts';
import { record } from '../../bench/record.ts';
import type { Context } from '../../bench/suites/case.ts';
import { timeGraph } from '../../bench/suites/case.ts';
import { testEngine } from '../support/engine.ts';

/** Other processes can be started in Node alone; one adapter that computes on the CPU is enough. */
const IN_NODE = typeof process !== 'undefined' && Boolean(process.versions?.node) && !('Deno' in globalThis);

/** Cases, each the same. Between a third and two thirds of them others burn the cores. */
const CASES = 18;

it.runIf(IN_NODE)('a run that is disturbed for a third of it is marked so', async ({ skip }) => {
  const engine = await testEngine();
  if (!engine.adapter.software) skip('a GPU is not slowed by other processes on the CPU');
  const [{ availableParallelism, loadavg }, { spawn }] = await Promise.all([
    import('node:os'),
    import('node:child_process'),
  ]);
  const cores = availableParallelism();
  const busy = loadavg()[0]! > cores / 2;
  const burn = () => spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' });
  let burners: ReturnType<typeof burn>[] = [];
  const preset = { ...PRESET.tiny, batchMs: 5, rounds: [9, 9], budgetMs: 1000 } as const;
  try {
    const report = await record(
      engine,
      preset,
      async (recorder) => {
        const context: Context = { recorder, preset, weights: '', onnx: {}, model: undefined, dtypes: undefined };
        for (let i = 0; i < CASES; i++) {
          if (i === CASES / 3) burners = Array.from({ length: 2 * cores }, burn);
          if (i === (2 * CASES) / 3) for (const burner of burners) burner.kill();
          recorder.begin(i, CASES, `${i}`);
          const measured = await timeGraph(context, 'float32', () => matmulGraph(engine, [192, 192, 192], 'float32'));
          recorder.add({ suite: 'matmul', name: 'matmul', shape: `${i}`, dtype: 'float32', ...measured });
        }
      },
      {},
    );
    const marked = report.rows.map(({ unsteady = [] }) => unsteady.length > 0);
    const count = (from: number, to: number): number => marked.slice(from, to).filter(Boolean).length;
    const third = CASES / 3;
    const story = JSON.stringify([
      report.pulse!.map(([, ms]) => ms),
      report.rows.map(({ ms, unsteady }) => [ms.median.toFixed(2), (ms.p90 / ms.p10).toFixed(2), ...(unsteady ?? [])]),
    ]);
    if (process.env['TILEWRIGHT_STORY']) console.log(story);
    expect(count(third, 2 * third), story).toBeGreaterThanOrEqual(third / 2);
    expect(report.notes.join('\n'), story).toMatch(/the same small kernel took more than/);
    // On a machine that has other work the other thirds are disturbed as well.
    if (!busy) expect(count(0, third) + count(2 * third, CASES), story).toBeLessThanOrEqual(third / 2);
  } finally {
    for (const burner of burners) burner.kill();
  }
});
