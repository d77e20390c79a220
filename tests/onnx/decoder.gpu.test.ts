import { describe, expect, it } from 'vitest';
import { topological } from '../../src/graph/ir.ts';
import type { GraphModel } from '../../src/onnx/graph-model.ts';
import type { GraphTensor } from '../../src/onnx/run-tensors.ts';
import { testEngine } from '../support/engine.ts';
import { readAnywhere, repositoryFolder } from '../support/files.ts';
import { parseReference } from '../support/references.ts';

const FOLDER = 'tests/fixtures/onnx-decoder';
const LAYERS = 2;
const WHICH = Array.from({ length: LAYERS }, (_, i) => ['key', 'value'].map((which) => `${i}_${which}`)).flat();
/** Every run hands keys and values to the next. */
const FEEDBACK = Object.fromEntries(WHICH.map((which) => [`present_${which}`, `past_${which}`]));

const load = async (name: string, feedback = {}): Promise<GraphModel> =>
  (await (await testEngine()).load(repositoryFolder(`${FOLDER}/${name}.onnx`), { feedback })) as GraphModel;

const logitsOf = async (model: GraphModel, tokens: readonly number[]): Promise<Float32Array> => {
  const ids = { dims: [1, tokens.length], data: tokens };
  return ((await model.run({ ids }, { outputs: ['logits'] }))['logits'] as GraphTensor).data as Float32Array;
};

const opsOf = (model: GraphModel): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const graph of Object.values(model.graphs()))
    for (const { op } of topological(graph)) counts[op] = (counts[op] ?? 0) + 1;
  return counts;
};

/** What the blocks are made of here, however the exporters spell it. */
const GPT = { attention: LAYERS, layerNormalization: 2 * LAYERS + 1 };
const OPS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  plain: { ...GPT, gelu_tanh: LAYERS },
  sdpa: { ...GPT, gelu: LAYERS },
  llama: {
    attention: LAYERS,
    rotaryEmbedding: 2 * LAYERS,
    rmsNormalization: 2 * LAYERS,
    layerNormalization: 1,
    swish: LAYERS,
  },
};

describe.each(['script', 'export'])('decoders of the exporter %s', (exporter) => {
  it.each(Object.keys(OPS))('%s: logits, keys and values, and the ops they are made of', async (kind) => {
    const bytes = await readAnywhere(repositoryFolder(`${FOLDER}/${kind}.safetensors`));
    const { inputs, outputs } = await parseReference(kind, bytes);
    const ids = inputs['ids'] as unknown as { dims: number[]; data: Int32Array };
    using model = await load(`${kind}-${exporter}`);
    const given = { ...inputs, ids: { dims: ids.dims, data: BigInt64Array.from(ids.data, BigInt) } };
    const results = await model.run(given);
    for (const [name, { dims, data }] of Object.entries(outputs)) {
      const got = results[name] as GraphTensor;
      expect(got.dims).toEqual(dims);
      const wanted = Array.from(data, Number);
      const worst = Math.max(...Array.from(got.data as Float32Array, (x, i) => Math.abs(x - wanted[i]!)));
      // llama's places come from sin and cos, which SwiftShader approximates: 2.9e-4 in logits of 10 to 20.
      expect(worst / (Math.max(...wanted) - Math.min(...wanted)), name).toBeLessThan(1e-4);
    }
    const ops = opsOf(model);
    expect(ops).toMatchObject(OPS[kind]!);
    expect(ops['softmax']).toBeUndefined();
  });

  it.each(Object.keys(OPS))('%s: goes on in place, a token at a time, as from all tokens at once', async (kind) => {
    const tokens = [3, 17, 8, 39, 0, 21];
    using whole = await load(`${kind}-${exporter}`, FEEDBACK);
    using steps = await load(`${kind}-${exporter}`, FEEDBACK);
    const all = await logitsOf(whole, tokens);
    const vocabulary = all.length / tokens.length;
    for (const [i, token] of tokens.entries()) {
      const own = await logitsOf(steps, [token]);
      const wanted = all.subarray(i * vocabulary, (i + 1) * vocabulary);
      expect(Math.max(...own.map((x, j) => Math.abs(x - wanted[j]!)))).toBeLessThan(2e-4);
    }
    expect(Object.keys(steps.graphs())).toContain('in place 1: 1 of 24 rows');
  });
});
