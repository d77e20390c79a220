import { describe, expect, it } from 'vitest';
import type { GraphModel } from '../../src/onnx/graph-model.ts';
import type { GraphTensor } from '../../src/onnx/run-tensors.ts';
import { testEngine } from '../support/engine.ts';
import { readAnywhere, repositoryFolder } from '../support/files.ts';
import { parseReference, type Reference } from '../support/references.ts';

const FOLDER = 'tests/fixtures/onnx-quantised';

/** Models that tools/export_onnx.py quantised, and the integers among their outputs. */
const MODELS: readonly [name: string, integers: number][] = [
  ['resnet20-qdq-u8s8', 18],
  ['resnet20-qlinear-u8u8', 6],
  ['stage1-qdq-s8s8', 8],
  ['stage1-qlinear-u8s8', 5],
  ['stage1-dynamic', 5],
  ['transformer-qdq-u8s8', 30],
  ['transformer-qlinear-u8u8', 30],
  ['transformer-dynamic', 18],
  ['transformer-nbits4-zero', 0],
  ['transformer-nbits8', 0],
];

const referenceOf = async (name: string): Promise<Reference> =>
  parseReference(name, await readAnywhere(repositoryFolder(`${FOLDER}/${name}.safetensors`)));

async function withModel<T>(name: string, work: (model: GraphModel) => Promise<T>): Promise<T> {
  const engine = await testEngine();
  const before = engine.counters.bytes;
  const model = (await engine.load(repositoryFolder(`${FOLDER}/${name}.onnx`))) as GraphModel;
  try {
    return await work(model);
  } finally {
    model.dispose();
    expect(engine.counters.bytes).toBe(before);
  }
}

/** How many elements differ, and by how much at the most. */
function differences(got: ArrayLike<number>, want: ArrayLike<number>): { count: number; most: number } {
  let [count, most] = [0, 0];
  for (let i = 0; i < want.length; i++) {
    const difference = Math.abs(got[i]! - want[i]!);
    if (difference === 0) continue;
    count++;
    if (!(difference <= most)) most = difference;
  }
  return { count, most };
}

describe('models of a quantiser', () => {
  it.each(MODELS)('%s gives the integers of exact arithmetic', async (name, integers) => {
    const { inputs, outputs } = await referenceOf(name);
    const results = await withModel(name, (model) => model.run(inputs));
    expect(Object.keys(results).sort()).toEqual(Object.keys(outputs).sort());
    let compared = 0;
    for (const [key, { dims, data }] of Object.entries(outputs)) {
      const got = results[key] as GraphTensor;
      expect(got.dims, key).toEqual(dims);
      const found = differences(got.data as ArrayLike<number>, data as ArrayLike<number>);
      if (data instanceof Float32Array) {
        const size = data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        expect(found.most, key).toBeLessThan(1e-5 * size);
      } else {
        compared++;
        expect(found, `${key}, of ${data.length}`).toEqual({ count: 0, most: 0 });
      }
    }
    expect(compared).toBe(integers);
  });
});
