import { describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine.ts';
import { openSafetensors } from '../../src/formats/safetensors.ts';
import { bytesSource } from '../../src/hub/source.ts';
import type { GraphInput, GraphModel, GraphTensor } from '../../src/onnx/graph-model.ts';
import { elementCount } from '../../src/tensor/types.ts';
import { testEngine } from '../support/engine.ts';
import { hasShared, readShared, sharedPath } from '../support/shared.ts';

interface Reference {
  readonly inputs: Readonly<Record<string, GraphInput & { dims: readonly number[] }>>;
  readonly outputs: Readonly<Record<string, { dims: readonly number[]; data: Float32Array }>>;
}

/** `in.X` and `out.Y` of a file of references. */
async function referenceOf(name: string, prefix = ''): Promise<Reference> {
  const { tensors } = await openSafetensors(
    bytesSource(name, new Uint8Array(await readShared(`onnx-files/references/${name}.safetensors`))),
  );
  const [inputs, outputs]: [Record<string, never>, Record<string, never>] = [{}, {}];
  for (const [key, { shape, storedType, chunks }] of tensors) {
    const bytes = new Uint8Array(elementCount(shape) * (storedType === 'I64' ? 8 : 4));
    let at = 0;
    for await (const chunk of chunks()) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    const Type = { F32: Float32Array, I64: BigInt64Array, I32: Int32Array }[storedType as 'F32'];
    const value = { dims: shape, data: new Type(bytes.buffer) } as never;
    if (key.startsWith(`${prefix}in.`)) inputs[key.slice(prefix.length + 3)] = value;
    else if (key.startsWith(`${prefix}out.`)) outputs[key.slice(prefix.length + 4)] = value;
  }
  return { inputs, outputs } as unknown as Reference;
}

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

const load = async (engine: Engine, file: string): Promise<GraphModel> =>
  (await engine.load(sharedPath(`onnx-files/files/${file}`))) as GraphModel;

const CASES: readonly [file: string, references: readonly string[], most?: number][] = [
  ['FastestDet.onnx', ['FastestDet']],
  ['super_resolution.onnx', ['super_resolution']],
  ['superres_f16.onnx', ['superres_f16'], 1e-2],
  ['bert_tiny.onnx', ['bert_tiny_1x33', 'bert_tiny_2x10']],
  ['bert_tiny_nbits4.onnx', ['bert_tiny_nbits4_1x33', 'bert_tiny_nbits4_2x10']],
  ['t5_tiny.onnx', ['t5_tiny_1x7', 't5_tiny_2x19']],
  ['vit_tiny.onnx', ['vit_tiny']],
  ['rnn_tagger.onnx', ['rnn_tagger_1x7', 'rnn_tagger_2x19']],
];

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

  it('magika_v3_3.onnx: 65 labels', async () => {
    const engine = await testEngine();
    using model = await load(engine, 'magika_v3_3.onnx');
    const { inputs, outputs } = await referenceOf('magika_v3_3');
    const { target } = await model.run(inputs);
    expect(off((target as GraphTensor).data as Float32Array, outputs['target']!.data)).toBeLessThan(1e-4);
  });
});
