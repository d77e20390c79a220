import { describe, expect, it } from 'vitest';
import { OnnxGraph } from '../../bench/peers/onnx.ts';
import type { GraphModel } from '../../src/onnx/graph-model.ts';
import type { GraphTensor } from '../../src/onnx/run-tensors.ts';
import type { Progress } from '../../src/tensor/progress.ts';
import { testEngine } from '../support/engine.ts';

const loaded = async (graph: OnnxGraph, options = {}): Promise<GraphModel> =>
  (await (await testEngine()).load(graph.encode().model, options)) as GraphModel;

describe('inputs of ONNX models', () => {
  it('texts are those of the run, not of one before of the same dimensions', async () => {
    const graph = new OnnxGraph();
    const [a, b] = ['a', 'b'].map((name) => graph.input(name, 'string', [2])) as [string, string];
    graph.node('Equal', [a, b], {}, 'same');
    graph.output('same', 'bool', [2]);
    using model = await loaded(graph);
    const same = async (others: readonly string[]) =>
      [...((await model.run({ a: ['x', 'y'], b: others }))['same'] as GraphTensor).data] as number[];
    expect(await same(['x', 'z'])).toEqual([1, 0]);
    expect(await same(['z', 'y'])).toEqual([0, 1]);
    expect(await same(['x', 'z'])).toEqual([1, 0]);
  });

  it('lists have numbers that the type holds', async () => {
    const graph = new OnnxGraph();
    graph.node('Add', [graph.input('ids', 'int64', ['n']), graph.integers(1)], {}, 'next');
    graph.output('next', 'int64', ['n']);
    using model = await loaded(graph);
    const { next } = await model.run({ ids: [1, 2n, true, -3] });
    expect((next as GraphTensor).data).toEqual(BigInt64Array.of(2n, 3n, 2n, -2n));
    for (const wrong of [1.5, 2 ** 64, Number.NaN, '3'])
      await expect(model.run({ ids: { dims: [2], data: [0, wrong] } })).rejects.toMatchObject({
        code: 'wrong-type',
        message: `input ids: element 1 is ${wrong}, which is no int64`,
      });
  });

  it('dims names symbols that inputs have', async () => {
    const graph = new OnnxGraph();
    graph.node('Relu', [graph.input('x', 'float32', ['batch', 'width'])], {}, 'y');
    graph.output('y', 'float32', ['batch', 'width']);
    await expect(loaded(graph, { dims: { batch: 1, with: 2 } })).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringContaining("'with' (batch, width)"),
    });
    using partly = await loaded(graph, { dims: { batch: 1 } });
    expect(() => partly.graphs()).toThrow(/the dimensions width are not known/);
    using model = await loaded(graph, { dims: { batch: 1, width: 2 } });
    expect(Object.keys(model.graphs())).toHaveLength(1);
  });

  it('a run on new shapes says how far its weights and kernels have come, one on known shapes is silent', async () => {
    const graph = new OnnxGraph();
    const weights = graph.constant(Float32Array.from({ length: 64 }, Math.sin), [8, 8]);
    graph.node('MatMul', [graph.input('x', 'float32', ['n', 8]), weights], {}, 'y');
    graph.output('y', 'float32', ['n', 8]);
    using model = await loaded(graph);
    const phasesOf = async (n: number): Promise<string[]> => {
      const seen: Progress[] = [];
      const x = { dims: [n, 8], data: new Float32Array(8 * n) };
      await model.run({ x }, { onProgress: (step) => seen.push({ ...step }) });
      expect(seen.every(({ loaded, total }) => loaded <= total)).toBe(true);
      return [...new Set(seen.map(({ phase }) => phase))];
    };
    expect(await phasesOf(3)).toEqual(expect.arrayContaining(['upload', 'compile']));
    expect(await phasesOf(3)).toEqual([]);
    await expect(model.run({ x: [1] }, { onProgress: 1 as never })).rejects.toMatchObject({ code: 'invalid-argument' });
  });

  it('bytes of weights are those of the file, also of types that the device widens', async () => {
    const graph = new OnnxGraph();
    const x = graph.input('x', 'float32', [4]);
    const at = graph.constant(BigInt64Array.of(0n, 2n, 3n), [3]);
    graph.node('Gather', [graph.node('Add', [x, graph.constant(Float32Array.of(1, 2, 3, 4), [4])]), at], {}, 'y');
    graph.output('y', 'float32', [3]);
    using model = await loaded(graph);
    expect(model.info.weightBytes.file).toBe(4 * 4 + 3 * 8);
  });

  it('an op that has the name of a property of every object is not computed', async () => {
    const graph = new OnnxGraph();
    graph.node('toString', [graph.input('x', 'float32', [4])], {}, 'y');
    graph.output('y', 'float32', [4]);
    await expect(loaded(graph)).rejects.toMatchObject({ code: 'unsupported-op' });
  });
});
