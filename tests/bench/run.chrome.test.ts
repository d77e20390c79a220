import { afterEach, describe, expect, it } from 'vitest';
import { randomTensors, resnetShapes, safetensorsOf } from '../../bench/models.ts';
import { onnxResNet } from '../../bench/peers/onnx-models.ts';
import { readReport } from '../../bench/read-report.ts';
import type { BenchRow } from '../../bench/report.ts';
import { type BenchOptions, runBench } from '../../bench/run.ts';
import { freshEngine, testEngine } from '../support/engine.ts';

const TINY = { blocks: [1, 1], width: 16, bottleneck: false, classes: 10, image: 32 };

/** The smallest run that has a few cases. */
const small = async (more: Partial<BenchOptions> = {}): Promise<BenchOptions> => ({
  weights: '/weights/',
  preset: 'tiny',
  suites: ['matmul', 'softmax', 'elementwise'],
  engine: more.engine ?? (await testEngine()),
  ...more,
});

/** The tab as if it were hidden, for pages that ask. */
function hideTab(hidden: boolean): void {
  if (hidden) Object.defineProperty(document, 'visibilityState', { configurable: true, value: 'hidden' });
  else Reflect.deleteProperty(document, 'visibilityState');
  document.dispatchEvent(new Event('visibilitychange'));
}

afterEach(() => hideTab(false));

describe('a run of the bench', () => {
  it('tells what it does, and its report is as the schema has it', async () => {
    const told: string[] = [];
    const rows: BenchRow[] = [];
    const pulses: [number, number][] = [];
    const report = await runBench(
      await small({
        gpu: 'This one',
        onProgress: ({ done, total, label }) => told.push(`${done}/${total} ${label}`),
        onCeilings: () => told.push('the roof'),
        onRow: (row) => rows.push(row),
        onPulse: (...pulse) => pulses.push(pulse),
      }),
    );
    expect(readReport(JSON.stringify(report))).toEqual(JSON.parse(JSON.stringify(report)));
    expect(report).toMatchObject({ format: 2, gpu: 'This one', preset: 'tiny', pulse: pulses });
    expect(report.void).toBeUndefined();
    expect(report.score).toBeUndefined();
    expect(told.slice(0, 3)).toEqual(['0/1 ceilings', 'the roof', '0/9 matmul 32x32x32 float32']);
    expect(told.at(-1)).toBe('9/9 undefined');
    expect(report.rows.map(({ name, shape }) => `${name} ${shape}`)).toEqual(
      rows.map(({ name, shape }) => `${name} ${shape}`),
    );
    expect(rows).toHaveLength(9);
    expect(pulses.length).toBeGreaterThanOrEqual(10);
    let before = 0;
    for (const { at, ms, work } of report.rows) {
      expect([at![0] >= before, at![1] >= at![0], work!.flops > 0, ms.samples!.length]).toEqual([
        true,
        true,
        true,
        ms.n,
      ]);
      before = at![1];
    }
  });

  it('takes the types that are asked for, and refuses what it does not know', async () => {
    const { rows } = await runBench(await small({ suites: ['matmul'], dtypes: ['int8'], only: '64x' }));
    expect(rows.map(({ dtype, shape }) => `${dtype} ${shape}`)).toEqual(['int8 64x64x64']);
    const unknown = { ...(await small()), speed: 'high' } as BenchOptions;
    await expect(runBench(unknown)).rejects.toThrow('there is no option speed');
    await expect(runBench(await small({ suites: ['custom'] }))).rejects.toThrow('the suite custom needs a model');
    await expect(runBench(await small({ peers: ['jax-js'] }))).rejects.toMatchObject({ code: 'missing-dependency' });
  });

  it('that is cancelled keeps the rows so far; before the first it is aborted', async () => {
    const cancel = new AbortController();
    const rows: BenchRow[] = [];
    const onRow = (row: BenchRow): void => {
      if (rows.push(row) === 2) cancel.abort();
    };
    const report = await runBench(await small({ signal: cancel.signal, onRow }));
    expect(report.rows.map(({ shape }) => shape)).toEqual(rows.map(({ shape }) => shape));
    expect(report.rows).toHaveLength(2);
    expect(report.notes).toContain('The run was cancelled after 1 of 9 cases.');
    await expect(runBench(await small({ signal: cancel.signal }))).rejects.toMatchObject({ code: 'aborted' });
  });

  it('is void when the tab is hidden, and ends there', async () => {
    const report = await runBench(await small({ onRow: () => hideTab(true) }));
    expect(report.void).toMatch(/^the tab was hidden \d+\.\d s into the run$/);
    expect(report.rows).toHaveLength(1);
    await expect(runBench(await small())).rejects.toThrow('the tab was hidden 0.0 s into the run');
  });

  it('is void when the device is lost, and ends there', async () => {
    const engine = await freshEngine();
    const report = await runBench(await small({ engine, onRow: () => engine.device.destroy() }));
    expect(report.void).toMatch(/^the GPU device was lost/);
    expect(report.rows).toHaveLength(1);
    engine.dispose();
  });
});

describe("a model of the user's", () => {
  const tensors = randomTensors(resnetShapes(TINY));
  const run = async (name: string, bytes: Uint8Array<ArrayBuffer>, dtypes?: BenchOptions['dtypes']) => {
    const model = { name, source: [new File([bytes], name)] };
    const { rows } = await runBench(await small({ suites: ['custom'], model, ...(dtypes && { dtypes }) }));
    return rows;
  };

  it('has its load, its first answer and the answers after that', async () => {
    const rows = await run('model.onnx', onnxResNet(tensors, TINY).model);
    expect(rows.map(({ name }) => name)).toEqual(['model.onnx load', 'model.onnx first answer', 'model.onnx']);
    expect(rows.map(({ shape }) => shape)).toEqual(Array(3).fill('1x3x32x32'));
    for (const { deviceBytes, ms } of rows) expect([deviceBytes! > 100_000, ms.median > 0]).toEqual([true, true]);
    expect(rows[2]!.work!.flops).toBeGreaterThan(1e6);
  });

  it('is measured in each type that is asked for', async () => {
    const rows = await run('model.safetensors', safetensorsOf(tensors), ['float32', 'int8']);
    const answers = rows.filter(({ name }) => name === 'model.safetensors');
    expect(answers.map(({ dtype }) => dtype)).toEqual(['float32', 'int8']);
    expect(answers[1]!.deviceBytes).toBeLessThan(answers[0]!.deviceBytes!);
    expect(answers.every(({ rate }) => rate?.unit === 'images/s')).toBe(true);
  });
});
