import { describe, expect, it } from 'vitest';
import type { WeightTypes } from '../../src/graph/passes/weight_types.ts';
import type { ModelReport } from '../../src/models/report.ts';
import type { ImageClassifier } from '../../src/models/resnet.ts';
import type { TextGenerator } from '../../src/models/text-generator.ts';
import { normwise, worst } from '../../src/verify/compare.ts';
import { preprocess } from '../../src/vision/preprocess.ts';
import { testEngine } from '../support/engine.ts';
import { parseTensors, readAnywhere, repositoryFolder } from '../support/files.ts';

const RESNET = repositoryFolder('tests/fixtures/resnet-tiny/hf-basic');
const GPT = repositoryFolder('tests/fixtures/gpt2-tiny');

/** What symmetric int8 of `count` channels of `size` weights loses: of all, and of the worst channel. */
function int8Error(weights: Float32Array, channels: number) {
  const size = weights.length / channels;
  const all = { error: 0, size: 0 };
  let worst = { channel: 0, relative: 0 };
  for (let channel = 0; channel < channels; channel++) {
    const row = weights.subarray(channel * size, (channel + 1) * size);
    const scale = Math.fround(row.reduce((most, w) => Math.max(most, Math.abs(w)), 0) / 127);
    const error = row.reduce((sum, w) => sum + (Math.round(w / scale) * scale - w) ** 2, 0);
    const length = row.reduce((sum, w) => sum + w * w, 0);
    all.error += error;
    all.size += length;
    if (Math.sqrt(error / length) > worst.relative) worst = { channel, relative: Math.sqrt(error / length) };
  }
  return { relative: Math.sqrt(all.error / all.size), worst };
}

const layer = ({ layers }: ModelReport, name: string, op?: string) =>
  layers.find((row) => row.name === name && (op === undefined || row.op === op))!;

/** A model's report, and whether it left anything on the device. */
async function reportOf(source: string, dtype: WeightTypes, groupSize?: 32 | 64 | 128): Promise<ModelReport> {
  const engine = await testEngine();
  using model = await engine.load(source, { dtype, ...(groupSize && { groupSize }) });
  const before = engine.counters.bytes;
  const report = await model.report();
  expect(engine.counters.bytes).toBe(before);
  expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  return report;
}

describe('the report', () => {
  it('has the bytes and errors of every layer of a ResNet in int8', async () => {
    const report = await reportOf(RESNET, 'int8');
    const file = await parseTensors(await readAnywhere(`${RESNET}/model.safetensors`));
    const filters = [...file].filter(([, { shape }]) => shape.length === 4);
    expect(report.layers).toHaveLength(filters.length + 1);
    let [parameters, device] = [0, 0];
    for (const { name, op, shape, dtype, perScale, bytes, weightError, outputError } of report.layers) {
      const { data } = file.get(`${name}.weight`)!;
      expect(op).toBe(shape.length === 4 ? 'conv2d' : 'matmul');
      expect([dtype, perScale]).toEqual(['int8', data.length / shape[0]!]);
      expect(bytes).toEqual({ float32: 4 * data.length, file: 4 * data.length, device: data.length + 4 * shape[0]! });
      const want = int8Error(data, shape[0]!);
      expect(weightError!.relative / want.relative).toBeCloseTo(1, 3);
      expect(weightError!.worst.relative / want.worst.relative).toBeCloseTo(1, 3);
      expect(weightError!.worst.channel).toBe(want.worst.channel);
      expect(outputError!.relative).toBeGreaterThan(0);
      expect(outputError!.relative).toBeLessThan(0.05);
      parameters += data.length;
      device += bytes.device;
    }
    expect(report.totals).toMatchObject({ parameters, bytes: { float32: 4 * parameters, device } });
    expect(report.ops.map(({ op, layers }) => [op, layers])).toEqual([
      ['conv2d', filters.length],
      ['matmul', 1],
    ]);
    expect(report.output!.relative).toBeGreaterThan(0);
  });

  it('has no errors in float32', async () => {
    const { layers, totals, output } = await reportOf(RESNET, 'float32');
    for (const { weightError, outputError, perScale, bytes } of layers) {
      expect(weightError).toEqual({ relative: 0, worst: { channel: 0, relative: 0 } });
      expect(outputError).toEqual({ relative: 0, absolute: 0 });
      expect(perScale).toBe(null);
      expect(bytes.device).toBe(bytes.float32);
    }
    expect(totals.weightError).toBe(0);
    expect(output).toEqual({ relative: 0, absolute: 0 });
  });

  it('knows groups, int4 and types by layer; a table that is the head as well counts once', async () => {
    const whole = await reportOf(GPT, 'int8');
    const grouped = await reportOf(GPT, 'int8', 32);
    const mixed = await reportOf(GPT, { default: 'int4', 'h.0': 'float16', wpe: 'float32' });
    const dense = 'transformer.h.1.mlp.c_proj';
    const [a, b, c] = [layer(whole, dense), layer(grouped, dense), layer(mixed, dense)];
    const [inputs, outputs] = a.shape as [number, number];
    expect([a, b, c].map(({ dtype, perScale }) => [dtype, perScale])).toEqual([
      ['int8', inputs],
      ['int8', 32],
      ['int4', 32],
    ]);
    expect(c.bytes.device).toBe((inputs * outputs) / 2 + (4 * inputs * outputs) / 32);
    expect(b.weightError!.relative).toBeLessThan(a.weightError!.relative);
    // A step of int4 is 127 / 7 times as wide as one of int8.
    const steps = c.weightError!.relative / b.weightError!.relative;
    expect(steps).toBeGreaterThan(15);
    expect(steps).toBeLessThan(21);
    const half = layer(mixed, 'transformer.h.0.mlp.c_fc');
    expect([half.dtype, half.bytes.device]).toEqual(['float16', half.bytes.float32 / 2]);
    expect(half.weightError!.relative).toBeGreaterThan(1e-5);
    expect(half.weightError!.relative).toBeLessThan(2 ** -11);
    expect(layer(mixed, 'transformer.wpe')).toMatchObject({ dtype: 'float32', weightError: { relative: 0 } });
    const [table, head] = ['gather', 'matmul'].map((op) => layer(whole, 'transformer.wte', op));
    expect([table!.shared, head!.shared]).toEqual([false, true]);
    const { bytes } = whole.totals;
    expect(bytes.device).toBe(whole.layers.reduce((sum, row) => sum + (row.shared ? 0 : row.bytes.device), 0));
  });

  it("measures a text generator's output on token ids of several lengths", async () => {
    const engine = await testEngine();
    using model = (await engine.load(GPT, { dtype: 'int8' })) as TextGenerator;
    using float = (await engine.load(GPT)) as TextGenerator;
    const samples = [
      [3, 1, 4, 1, 5],
      [9, 2, 6],
    ];
    const { output, samples: count } = await model.report(samples);
    const [got, want] = [model, float].map(async (m) => {
      const rows: number[] = [];
      for (const ids of samples) rows.push(...(await m.logits(ids)));
      return rows;
    });
    expect(count).toBe(2);
    expect(output!.relative / normwise(await got!, await want!)).toBeCloseTo(1, 3);
    expect(output!.absolute / worst(await got!, await want!).error).toBeCloseTo(1, 3);
    await expect(model.report([{ width: 1, height: 1, data: new Uint8Array(4) }])).rejects.toMatchObject({
      code: 'invalid-argument',
    });
  });

  it("measures a classifier's output on pictures", async () => {
    const engine = await testEngine();
    using model = (await engine.load(RESNET, { dtype: 'int8' })) as ImageClassifier;
    using float = (await engine.load(RESNET)) as ImageClassifier;
    const data = Uint8Array.from({ length: 4 * 40 * 40 }, (_, i) => (i * i) % 251);
    const picture = { width: 40, height: 40, data };
    const { output } = await model.report([picture]);
    const image = preprocess([picture], model.preprocessing);
    const error = normwise(await model.logits(image), await float.logits(image));
    expect(output!.relative / error).toBeCloseTo(1, 2);
    await expect(model.report(['a text'])).rejects.toMatchObject({ code: 'invalid-argument' });
  });
});
