import { describe, expect, it } from 'vitest';
import type { GraphTensor } from '../../src/onnx/run-tensors.ts';
import { expectError } from '../formats/files.ts';
import { testEngine } from '../support/engine.ts';
import { load, relu, withModel, Y } from '../support/graph-model.ts';
import { floats, type ModelToEncode, node } from '../support/onnx.ts';

describe('feedback', () => {
  const [rows, wide] = [3000, 1000];
  const sums: ModelToEncode = {
    nodes: [node('Add', ['state', 'x'], ['next']), node('ReduceSum', ['next'], ['y'], { keepdims: 0 })],
    inputs: [
      ['x', 'float', []],
      ['state', 'float', [rows, wide]],
    ],
    outputs: [Y, ['next', 'float']],
  };

  it('begins with zeros, and again after a reset; they are made on the device', async () => {
    const engine = await testEngine();
    await withModel(
      sums,
      async (model) => {
        const step = async (): Promise<number> => {
          const { y } = await model.run({ x: [1] }, { outputs: ['y'] });
          return (y as GraphTensor).data[0] as number;
        };
        const before = engine.counters.bytesUploaded;
        expect([await step(), await step()]).toEqual([rows * wide, 2 * rows * wide]);
        model.reset();
        expect(await step()).toBe(rows * wide);
        expect(engine.counters.bytesUploaded - before).toBeLessThan(4 * rows * wide);
      },
      { feedback: { next: 'state' } },
    );
  });
});

describe('the end of a model', () => {
  it('during its load: nothing stays, the error is of the signal', async () => {
    const engine = await testEngine();
    const before = engine.counters.bytes;
    const big: ModelToEncode = {
      nodes: [node('Add', ['x', 'w'], ['y'])],
      inputs: [['x', 'float', [100_000]]],
      outputs: [Y],
      initializers: [floats('w', [100_000], Array.from({ length: 100_000 }, Math.sin))],
    };
    const ends: string[] = [];
    for (const turns of [0, 1, 3, 10, 30, 100]) {
      const controller = new AbortController();
      const loading = load(engine, big, { signal: controller.signal });
      const end = loading.then(
        (model) => {
          model.dispose();
          return 'loaded';
        },
        (error: { code: string }) => error.code,
      );
      for (let i = 0; i < turns; i++) await Promise.resolve();
      controller.abort();
      ends.push(await end);
      expect(engine.counters.bytes).toBe(before);
    }
    expect(ends[0]).toBe('aborted');
    expect(ends.every((end) => ['aborted', 'loaded'].includes(end))).toBe(true);
  });

  it('during a run, and after it', async () => {
    await withModel(relu, async (model) => {
      const running = model.run({ x: [1, 2] }).then(
        () => 'done',
        (error: { code: string }) => error.code,
      );
      model.dispose();
      expect(await running).toBe('disposed');
      await expectError(() => model.run({ x: [1, 2] }), 'disposed');
    });
  });

  it('a run ends at its signal, the model goes on', async () => {
    await withModel(relu, async (model) => {
      await expectError(() => model.run({ x: [1, 2] }, { signal: AbortSignal.abort() }), 'aborted');
      const controller = new AbortController();
      const running = model.run({ x: [1, 2] }, { signal: controller.signal });
      controller.abort();
      await expectError(() => running, 'aborted');
      const { y } = await model.run({ x: [-1, 2] });
      expect((y as GraphTensor).data).toEqual(Float32Array.of(0, 2));
    });
  });
});
