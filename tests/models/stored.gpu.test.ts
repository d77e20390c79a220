import { expect, it } from 'vitest';
import type { JobContext } from '../../src/cli/jobs/job.ts';
import { quantize, storedTensors } from '../../src/cli/jobs/quantize.ts';
import type { Model } from '../../src/engine.ts';
import { openCheckpoint } from '../../src/formats/checkpoint.ts';
import { encodeSafetensors, type TensorToWrite } from '../../src/formats/safetensors-write.ts';
import { openFolder } from '../../src/hub/folder.ts';
import type { LoadOptions } from '../../src/models/model.ts';
import type { ImageClassifier } from '../../src/models/resnet.ts';
import type { TextGenerator } from '../../src/models/text-generator.ts';
import { STORED_BYTES } from '../../src/tensor/source.ts';
import { elementCount } from '../../src/tensor/types.ts';
import { testEngine } from '../support/engine.ts';
import { readAnywhere, repositoryFolder } from '../support/files.ts';
import { hasShared, sharedPath } from '../support/shared.ts';

/** What the jobs of `tilewright quantize` give for a model. */
async function storedOf(model: string, load: LoadOptions): Promise<TensorToWrite[]> {
  const pieces: Uint8Array[] = [];
  const context: JobContext = {
    emit: () => {},
    signal: new AbortController().signal,
    read: async () => undefined,
    write: async (_, bytes) => void pieces.push(bytes.slice()),
  };
  const { headers } = await storedTensors({ model, load }, context);
  await quantize({ model, load, sink: '0' }, context);
  const all = new Uint8Array(await new Blob(pieces as Uint8Array<ArrayBuffer>[]).arrayBuffer());
  let at = 0;
  const tensors = headers.map((header) => {
    const bytes = all.subarray(at, at + elementCount(header.shape) * STORED_BYTES[header.storedType]);
    at += bytes.length;
    return { ...header, bytes };
  });
  expect(at).toBe(all.length);
  return tensors;
}

/** The files of a model whose tensors of these names are others. */
async function withTensors(source: string, tensors: TensorToWrite[]): Promise<Record<string, Uint8Array>> {
  const names = new Set(tensors.map(({ name }) => name));
  const checkpoint = await openCheckpoint(await openFolder(source));
  const others: TensorToWrite[] = [];
  for (const tensor of checkpoint.tensors.values()) {
    if (names.has(tensor.name)) continue;
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    for await (const chunk of tensor.chunks()) chunks.push(chunk as Uint8Array<ArrayBuffer>);
    const { name, storedType, shape } = tensor;
    others.push({ name, storedType, shape, bytes: new Uint8Array(await new Blob(chunks).arrayBuffer()) });
  }
  const config = await readAnywhere(`${source}/config.json`).catch(() => undefined);
  return {
    'model.safetensors': encodeSafetensors([...tensors, ...others]),
    ...(config && { 'config.json': config }),
  };
}

async function logits(given: Model): Promise<Float32Array> {
  const model = given as ImageClassifier | TextGenerator;
  if (model.task === 'text-generation') return model.logits([3, 1, 4, 1, 5, 9]);
  const [height, width] = model.preprocessing.size;
  return model.logits(Float32Array.from({ length: 3 * height * width }, (_, i) => Math.sin(i * 0.7)));
}

const cases: [source: string, load: LoadOptions][] = [
  ['tests/fixtures/resnet-tiny/hf-basic', { dtype: 'int8' }],
  ['tests/fixtures/resnet-tiny/torchvision-bottleneck', { dtype: 'int8', groupSize: 32 }],
  ['tests/fixtures/gpt2-tiny', { dtype: 'int8' }],
  ['tests/fixtures/gpt2-tiny', { dtype: 'int8', groupSize: 32 }],
  ['tests/fixtures/gpt2-tiny-bare', { dtype: { default: 'int8', 'h.0': 'float32' } }],
  ['weights/resnet20-cifar10', { dtype: 'int8' }],
  ['weights/gpt-shakespeare', { dtype: 'int8', groupSize: 64 }],
];

for (const [source, load] of cases) roundTrip(repositoryFolder(source), load, source);
if (hasShared) {
  const source = 'weights/resnet20-cifar10-akamaster';
  roundTrip(sharedPath(source), { dtype: 'int8' }, source);
}

function roundTrip(source: string, load: LoadOptions, name: string): void {
  it(`${name} ${JSON.stringify(load)}: stored and loaded gives the same logits`, async () => {
    const engine = await testEngine();
    const tensors = await storedOf(source, load);
    const files = await withTensors(source, tensors);
    using made = await engine.load(source, load);
    using stored = await engine.load(files);
    // A quarter, scales and header; the fixtures have narrow layers, and headers of half their size.
    const share = files['model.safetensors']!.length / made.info.weightBytes.file;
    expect(share).toBeLessThan(name.startsWith('weights') ? 0.29 : 1);
    expect(stored.dtype).toBe('int8');
    const want = await logits(made);
    expect(want.every(Number.isFinite)).toBe(true);
    expect(await logits(stored)).toEqual(want);
    expect(stored.parameters).toBe(made.parameters);
    // Asking for the same again changes nothing: what is quantised stays as it is.
    using again = await engine.load(files, load);
    expect(await logits(again)).toEqual(want);

    const { layers, output } = await stored.report();
    const int8 = layers.filter(({ dtype }) => dtype === 'int8');
    expect(int8.length).toBeGreaterThan(0);
    expect(int8.every(({ weightError, outputError }) => weightError === null && outputError === null)).toBe(true);
    expect(output).toBe(null);
    expect(int8[0]!.bytes.file).toBe(int8[0]!.bytes.device);
  });
}

it('float16 layers are stored as F16, and load as they were where they are asked for again', async () => {
  const source = repositoryFolder('tests/fixtures/gpt2-tiny');
  const engine = await testEngine();
  const load: LoadOptions = { dtype: { default: 'int8', 'h.0': 'float16' } };
  const tensors = await storedOf(source, load);
  const types = new Map(tensors.map(({ name, storedType }) => [name, storedType]));
  expect(types.get('transformer.h.0.mlp.c_fc.weight')).toBe('F16');
  expect(types.get('transformer.h.1.mlp.c_fc.weight')).toBe('I8');
  expect(types.get('transformer.h.1.mlp.c_fc.weight_scale')).toBe('F32');
  const files = await withTensors(source, tensors);
  using made = await engine.load(source, load);
  using stored = await engine.load(files, load);
  expect(await logits(stored)).toEqual(await logits(made));
});
