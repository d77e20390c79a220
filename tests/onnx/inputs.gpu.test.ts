import { describe, expect, it } from 'vitest';
import { OnnxGraph } from '../../bench/peers/onnx.ts';
import type { GraphModel } from '../../src/onnx/graph-model.ts';
import type { GraphInput, GraphTensor } from '../../src/onnx/run-tensors.ts';
import type { Progress } from '../../src/tensor/progress.ts';
import { expectError } from '../formats/files.ts';
import { testEngine } from '../support/engine.ts';
import { numbers, relu, run, X, Y } from '../support/graph-model.ts';
import { floats, longs, type ModelToEncode, node } from '../support/onnx.ts';

const loaded = async (graph: OnnxGraph, options = {}): Promise<GraphModel> =>
  (await (await testEngine()).load(graph.encode().model, options)) as GraphModel;

describe('inputs of a run', () => {
  it('are computed with', async () => {
    expect(await numbers(relu, { x: [-1, 2] })).toEqual([0, 2]);
  });

  it.each<[string, Record<string, never | GraphInput>, 'invalid-argument' | 'wrong-shape' | 'wrong-type', RegExp]>([
    ['a missing one', {}, 'invalid-argument', /'x' is missing: float\[2\]/],
    ['a misnamed one', { X: [1, 2] }, 'invalid-argument', /no input 'X' \(x\)/],
    ['one too many', { x: [1, 2], z: [1] }, 'invalid-argument', /no input 'z'/],
    ['the name of an output', { x: [1, 2], y: [1, 2] }, 'invalid-argument', /no input 'y'/],
    ['null', { x: null as never }, 'invalid-argument', /expected an array/],
    ['a text', { x: 'ab' as never }, 'invalid-argument', /expected an array/],
    ['texts', { x: ['a', 'b'] as never }, 'wrong-type', /element 0 is a, which is no float/],
    ['integers', { x: Int32Array.of(1, 2) }, 'wrong-type', /Float32Array for float, got Int32Array/],
    ['too many elements', { x: [1, 2, 3] }, 'wrong-shape', /\[2\] has 2 elements, the array 3/],
    ['other dimensions', { x: { dims: [1, 2], data: [1, 2] } }, 'wrong-shape', /expected \[2\], got \[1,2\]/],
    ['a negative dimension', { x: { dims: [-2], data: [1, 2] } }, 'invalid-argument', /dims/],
    ['dimensions that are none', { x: { dims: 2 as never, data: [1, 2] } }, 'invalid-argument', /dims/],
  ])('are refused: %s', async (_, inputs, code, message) => {
    await expectError(() => run(relu, inputs), code, message);
  });

  it('agree in the symbols of their dimensions', async () => {
    const model: ModelToEncode = {
      nodes: [node('Add', ['a', 'b'], ['y'])],
      inputs: [
        ['a', 'float', ['n', 2]],
        ['b', 'float', ['n', 1]],
      ],
      outputs: [Y],
    };
    expect(await numbers(model, { a: [1, 2, 3, 4], b: [10, 20] })).toEqual([11, 12, 23, 24]);
    await expectError(() => run(model, { a: [1, 2, 3, 4], b: [1, 2, 3] }), 'wrong-shape');
    await expectError(
      () => run(model, { a: [1, 2, 3, 4], b: { dims: [3, 1], data: [1, 2, 3] } }),
      'wrong-shape',
      /input b: dimension 0 is n, which is 2 already, got 3/,
    );
    await expectError(() => run(model, { a: [1, 2, 3], b: [1] }), 'wrong-shape', /input a/);
    await expectError(() => run(model, { a: [1, 2, 3, 4], b: [1, 2] }, { dims: { n: 3 } }), 'wrong-shape', /input a/);
    expect(await numbers(model, { a: [1, 2], b: [10] }, { dims: { n: 1 } })).toEqual([11, 12]);
  });

  it('of int64 fit 32 bits; from the file too', async () => {
    const model: ModelToEncode = {
      nodes: [node('Add', ['x', 'w'], ['y'])],
      inputs: [['x', 'int64', [2]]],
      outputs: [['y', 'int64']],
      initializers: [longs('w', [1, -1])],
    };
    expect(await numbers(model, { x: BigInt64Array.of(5n, -5n) })).toEqual([6n, -6n]);
    for (const value of [1n << 31n, -(1n << 31n) - 1n, 1n << 62n])
      await expectError(() => run(model, { x: [value, 0n] }), 'unsupported-type', new RegExp(`${value}`));
    await expectError(
      () => run({ ...model, initializers: [longs('w', [1n << 40n, 0n])] }, { x: [1, 2] }),
      'unsupported-type',
      /1099511627776/,
    );
  });

  it('may be left out where an initialiser is their default', async () => {
    const model: ModelToEncode = {
      nodes: [node('Mul', ['x', 'w'], ['y'])],
      inputs: [X, ['w', 'float', [2]]],
      outputs: [Y],
      initializers: [floats('w', [2], [10, 100])],
    };
    expect(await numbers(model, { x: [1, 2] })).toEqual([10, 200]);
    expect(await numbers(model, { x: [1, 2], w: [3, 4] })).toEqual([3, 8]);
    await expectError(() => run(model, { x: [1, 2], w: [3] }), 'wrong-shape');
  });
});

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

describe('buffers on the device', () => {
  const USAGE = { source: 0x80 | 8 | 4, target: 0x80 | 8 };

  async function numbersOf(buffer: GPUBuffer, count: number): Promise<number[]> {
    const { device } = await testEngine();
    const staging = device.createBuffer({ size: 4 * count, usage: 1 | 8 });
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, 0, staging, 0, 4 * count);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(1);
    const numbers = [...new Float32Array(staging.getMappedRange())];
    staging.destroy();
    return numbers;
  }

  /** y = 2x, of any length, z = x + 1, and a constant c. */
  function graph(): OnnxGraph {
    const graph = new OnnxGraph();
    const x = graph.input('x', 'float32', ['n']);
    graph.node('Mul', [x, graph.constant(Float32Array.of(2), [])], {}, 'y');
    graph.node('Add', [x, graph.constant(Float32Array.of(1), [])], {}, 'z');
    graph.node('Add', [graph.constant(Float32Array.of(3, 4), [2]), graph.constant(Float32Array.of(1), [])], {}, 'c');
    for (const name of ['y', 'z']) graph.output(name, 'float32', ['n']);
    graph.output('c', 'float32', [2]);
    return graph;
  }

  it('are taken as inputs, and filled with outputs', async () => {
    const { device } = await testEngine();
    using model = await loaded(graph());
    const x = device.createBuffer({ size: 64, usage: USAGE.source });
    device.queue.writeBuffer(x, 0, Float32Array.of(1, 2, 3));
    const [y, c] = [64, 8].map((size) => device.createBuffer({ size, usage: USAGE.source })) as [GPUBuffer, GPUBuffer];
    const results = await model.run({ x: { dims: [3], buffer: x } }, { copy: { y, c } });
    expect(results).toEqual({
      y: { type: 'float', dims: [3], data: [] },
      z: { type: 'float', dims: [3], data: Float32Array.of(2, 3, 4) },
      c: { type: 'float', dims: [2], data: [] },
    });
    expect(await numbersOf(y, 3)).toEqual([2, 4, 6]);
    expect(await numbersOf(c, 2)).toEqual([4, 5]);
    // What one run left is the input of the next, and read back beside.
    const next = await model.run({ x: { dims: [3], buffer: y } }, { copy: { y: x }, outputs: ['y'] });
    expect(next).toEqual({ y: { type: 'float', dims: [3], data: Float32Array.of(4, 8, 12) } });
    expect(await numbersOf(x, 3)).toEqual([4, 8, 12]);
    for (const buffer of [x, y, c]) buffer.destroy();
  });

  it('are refused where they are too small, of another usage, without dimensions, or of no output', async () => {
    const { device } = await testEngine();
    using model = await loaded(graph());
    const buffer = (size: number, usage: number) => device.createBuffer({ size, usage });
    const [small, deaf, good] = [buffer(8, USAGE.source), buffer(64, USAGE.target), buffer(64, USAGE.source)];
    const fails = (x: object, copy: object, code: string, message: string) =>
      expect(model.run({ x: x as never }, { copy: copy as never })).rejects.toMatchObject({
        code,
        message: expect.stringContaining(message),
      });
    await fails(
      { dims: [3], buffer: small },
      {},
      'wrong-shape',
      'input x: float32[3] takes 12 bytes, the buffer has 8',
    );
    await fails({ dims: [3], buffer: deaf }, {}, 'invalid-argument', 'input x: the buffer lacks the usage COPY_SRC');
    await fails({ buffer: good }, {}, 'invalid-argument', 'input x: a buffer needs its dims');
    await fails([1, 2, 3], { y: small }, 'wrong-shape', "copy: 'y': float32[3] takes 12 bytes, the buffer has 8");
    await fails([1, 2, 3], { q: good }, 'invalid-argument', "there is no output 'q'");
    expect(((await model.run({ x: [1, 2, 3] }))['y'] as GraphTensor).data).toEqual(Float32Array.of(2, 4, 6));
    for (const one of [small, deaf, good]) one.destroy();
  });
});
