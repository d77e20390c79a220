import { expect } from 'vitest';
import type { Engine } from '../../src/engine.ts';
import type { GraphModel } from '../../src/onnx/graph-model.ts';
import type { GraphInput, GraphTensor } from '../../src/onnx/run-tensors.ts';
import { testEngine } from './engine.ts';
import { encodeModel, type ModelToEncode, node, type ValueToEncode } from './onnx.ts';

/** Loads a model from the bytes of its file. */
export const load = async (engine: Engine, model: ModelToEncode, options = {}): Promise<GraphModel> =>
  (await engine.load({ 'm.onnx': encodeModel(model) }, options)) as GraphModel;

/** Work with a model of its own. Nothing of it may stay on the device, however the work ends. */
export async function withModel<T>(
  model: ModelToEncode,
  work: (model: GraphModel) => Promise<T>,
  options = {},
): Promise<T> {
  const engine = await testEngine();
  const before = engine.counters.bytes;
  let made: GraphModel | undefined;
  try {
    made = await load(engine, model, options);
    return await work(made);
  } finally {
    made?.dispose();
    expect(engine.counters.bytes).toBe(before);
  }
}

export const run = (model: ModelToEncode, inputs: Record<string, GraphInput> = {}, options = {}) =>
  withModel(model, (made) => made.run(inputs), options);

/** The numbers of the output y. */
export async function numbers(
  model: ModelToEncode,
  inputs?: Record<string, GraphInput>,
  options = {},
): Promise<unknown[]> {
  const { y } = await run(model, inputs, options);
  return Array.from((y as GraphTensor).data as ArrayLike<unknown>);
}

export const X: ValueToEncode = ['x', 'float', [2]];
export const Y: ValueToEncode = ['y', 'float'];
export const relu: ModelToEncode = { nodes: [node('Relu', ['x'], ['y'])], inputs: [X], outputs: [Y] };
