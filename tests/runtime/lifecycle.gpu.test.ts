import { afterAll, describe, expect, it } from 'vitest';
import { Engine } from '../../src/engine.ts';
import { type ErrorCode, TilewrightError } from '../../src/errors.ts';
import { encodeSafetensors } from '../../src/formats/safetensors-write.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import type { ImageClassifier } from '../../src/models/resnet.ts';
import type { TextGenerator } from '../../src/models/text-generator.ts';
import { readAnywhere, repositoryFolder } from '../support/files.ts';

const GPT = 'tests/fixtures/gpt2-tiny';
const RESNET = 'tests/fixtures/resnet-tiny/cifar-projection';

const file = (folder: string, name: string): Promise<Uint8Array> => readAnywhere(`${repositoryFolder(folder)}/${name}`);

/** The error that a promise fails with, which must be of this code. */
async function failure(code: ErrorCode, work: () => Promise<unknown>): Promise<TilewrightError> {
  try {
    await work();
  } catch (error) {
    expect(error).toBeInstanceOf(TilewrightError);
    expect((error as TilewrightError).code, (error as Error).message).toBe(code);
    return error as TilewrightError;
  }
  throw new Error(`nothing failed, expected ${code}`);
}

describe('bad input', async () => {
  const engine = await Engine.create();
  afterAll(() => engine.dispose());

  /** Loading fails with this code, and nothing stays on the device. */
  const refuses = async (code: ErrorCode, load: () => Promise<unknown>): Promise<TilewrightError> => {
    const { bytes } = engine.counters;
    const error = await failure(code, load);
    expect(engine.counters.bytes).toBe(bytes);
    return error;
  };
  const weights = await file(RESNET, 'model.safetensors');

  it('says what is wrong with a file', async () => {
    await refuses('invalid-file', () =>
      engine.load({ 'model.safetensors': new TextEncoder().encode('<!doctype html><p>Not found, sorry</p>') }),
    );
    await refuses('invalid-file', () => engine.load({ 'model.safetensors': weights.slice(0, weights.length - 8) }));
    await refuses('invalid-file', () => engine.load({ 'model.safetensors': new Uint8Array([...weights, 0, 0]) }));
    await refuses('not-found', () => engine.load({ 'config.json': new TextEncoder().encode('{}') }));
    await refuses('invalid-file', () =>
      engine.load({ 'model.safetensors': weights, 'config.json': new TextEncoder().encode('{"model_type": ') }),
    );
  });

  it('names a missing tensor, and one of another shape', async () => {
    const bytes = (count: number): Uint8Array => new Uint8Array(new Float32Array(count).fill(0.5).buffer);
    const stem = [
      { name: 'conv1.weight', storedType: 'F32' as const, shape: [4, 3, 3, 3], bytes: bytes(108) },
      ...['weight', 'bias', 'running_mean', 'running_var'].map((part) => ({
        name: `bn1.${part}`,
        storedType: 'F32' as const,
        shape: [4],
        bytes: bytes(4),
      })),
      { name: 'fc.weight', storedType: 'F32' as const, shape: [10, 4], bytes: bytes(40) },
    ];
    const missing = await refuses('missing-tensor', () => engine.load(encodeSafetensors(stem)));
    expect(missing.message).toContain("'layer1.0.conv1.weight'");
    const block = [
      ...stem,
      { name: 'layer1.0.conv1.weight', storedType: 'F32' as const, shape: [4, 5, 3, 3], bytes: bytes(180) },
      { name: 'layer1.0.conv2.weight', storedType: 'F32' as const, shape: [4, 4, 3, 3], bytes: bytes(144) },
    ];
    const other = await refuses('wrong-shape', () => engine.load(encodeSafetensors(block)));
    expect(other.message).toContain("'layer1.0.conv1.weight': expected [*,4,*,*], got [4,5,3,3]");
  });

  it('knows what it does not know', async () => {
    const tensor = { name: 'encoder.weight', storedType: 'F32' as const, shape: [1], bytes: new Uint8Array(4) };
    await refuses('unknown-architecture', () => engine.load(encodeSafetensors([tensor])));
    const config = new TextEncoder().encode('{"model_type": "mamba"}');
    const error = await refuses('unknown-architecture', () =>
      engine.load({ 'model.safetensors': encodeSafetensors([tensor]), 'config.json': config }),
    );
    expect(error.message).toContain('"mamba"');
    expect(error.hint).toContain('GPT-2');
    await refuses('unknown-architecture', async () => engine.load(await file(GPT, 'model.safetensors'))); // heads are in the config only
  });

  it('stops a load that is aborted, before and in the middle', async () => {
    await refuses('aborted', () => engine.load(repositoryFolder(GPT), { signal: AbortSignal.abort() }));
    const controller = new AbortController();
    await refuses('aborted', () =>
      engine.load(repositoryFolder(GPT), { signal: controller.signal, onProgress: () => controller.abort() }),
    );
  });

  it('checks the inputs of a run', async () => {
    const b = new GraphBuilder();
    using session = await engine.build(b.outputs({ y: b.relu(b.input('x', { dataType: 'float32', shape: [2, 3] })) }));
    expect((await failure('wrong-shape', () => session.run({ x: new Float32Array(5) }))).message).toContain(
      'expected 6 elements for float32[2,3], got 5',
    );
    expect((await failure('wrong-type', () => session.run({ x: new Int32Array(6) }))).message).toContain(
      'expected Float32Array',
    );
    await failure('invalid-argument', () => session.run({ z: new Float32Array(6) }));
    await failure('aborted', () => session.run({ x: new Float32Array(6) }, { signal: AbortSignal.abort() }));
    expect(await session.run({ x: [-1, 2, -3, 4, -5, 6] })).toEqual({ y: Float32Array.of(0, 2, 0, 4, 0, 6) }); // and is fine afterwards
  });

  it('keeps a prompt within the context', async () => {
    using model = (await engine.load(repositoryFolder(GPT))) as TextGenerator;
    const long = Array.from({ length: model.context + 1 }, (_, i) => i % 200);
    const consume = async (tokens: AsyncIterable<{ token: number }>): Promise<number> => {
      let count = 0;
      for await (const _ of tokens) count++;
      return count;
    };
    const error = await failure('context-exceeded', () => consume(model.generate(long)));
    expect(error.message).toContain(`${model.context + 1} tokens are more than the context of ${model.context}`);
    expect(
      await consume(model.generate(long, { overflow: 'slide', maxNewTokens: 4, temperature: 0, stopTokens: [] })),
    ).toBe(4);
    // One token fits behind the last position's logits; then the context is full.
    expect(
      await consume(model.generate(long.slice(0, model.context), { maxNewTokens: 4, temperature: 0, stopTokens: [] })),
    ).toBe(1);
    await failure('invalid-argument', () => consume(model.generate([model.shape.vocabulary])));
    await failure('not-found', () => consume(model.generate('text without a tokenizer')));
  });

  it('refuses a broken picture', async () => {
    if (typeof createImageBitmap !== 'function') return; // decoding pictures is the browser's part
    using model = (await engine.load(repositoryFolder(RESNET))) as ImageClassifier;
    await failure('invalid-image', () => model.classify(new Blob(['no picture'], { type: 'image/png' })));
  });
});

describe('lifecycle', () => {
  it('takes runs that overlap in their order, and hands an output to the next on the device', async () => {
    using engine = await Engine.create();
    const b = new GraphBuilder();
    const x = b.input('x', { dataType: 'float32', shape: [3] });
    using session = await engine.build(b.outputs({ y: b.add(x, x) }));
    const copy = { y: session.inputBuffer('x') };
    const runs = [session.run({ x: [1, 2, 3] }, { copy }), session.run({}, { copy }), session.run({})];
    runs.push(session.run({ x: [5, 5, 5] }));
    const results = (await Promise.all(runs)).map(({ y }) => [...(y as Float32Array)]);
    expect(results).toEqual([
      [2, 4, 6],
      [4, 8, 12],
      [8, 16, 24],
      [10, 10, 10],
    ]); // prettier-ignore
    const { bytes } = engine.counters;
    await Promise.all([1, 2, 3, 4].map((value) => session.run({ x: [value, value, value] })));
    expect(engine.counters.bytes).toBe(bytes); // staging is used again
  });

  it('frees everything, and dispose() twice is fine', async () => {
    const engine = await Engine.create();
    {
      using model = (await engine.load(repositoryFolder(RESNET), { dtype: 'int8' })) as ImageClassifier;
      expect((await model.logits(new Float32Array(3 * 32 * 32).fill(0.1)))[0]).not.toBeNaN();
      model.dispose();
      await failure('disposed', () => model.logits(new Float32Array(3 * 32 * 32)));
    }
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(engine.counters.bytes).toBe(0);
    engine.dispose();
    engine.dispose();
    await failure('disposed', () => engine.load(repositoryFolder(RESNET)));
  });

  it("takes the caller's device, and leaves it alive", async () => {
    const adapter = (await navigator.gpu.requestAdapter())!;
    const device = await adapter.requestDevice();
    const engine = await Engine.create({ device });
    const b = new GraphBuilder();
    const session = await engine.build(b.outputs({ y: b.exp(b.input('x', { dataType: 'float32', shape: [1] })) }));
    expect((await session.run({ x: [0] })).y).toEqual(Float32Array.of(1));
    engine.dispose();
    const buffer = device.createBuffer({ size: 4, usage: GPUBufferUsage.COPY_DST });
    device.queue.writeBuffer(buffer, 0, new Uint32Array(1));
    await device.queue.onSubmittedWorkDone();
    device.destroy();
  });

  it("works within WebGPU's default limits and without any feature", async () => {
    using engine = await Engine.create({ defaultLimits: true, without: ['shader-f16', 'subgroups'] });
    expect(engine.adapter.limits.maxStorageBufferBindingSize).toBe(128 * 2 ** 20);
    using model = (await engine.load(repositoryFolder(GPT))) as TextGenerator;
    expect((await model.logits([1, 2, 3])).every(Number.isFinite)).toBe(true);
  });

  it('says that the device is lost, and everything can be made again', async () => {
    const engine = await Engine.create();
    const model = (await engine.load(repositoryFolder(GPT))) as TextGenerator;
    const before = await model.logits([1, 2, 3]);
    engine.device.destroy();
    await engine.device.lost;
    const error = await failure('device-lost', () => model.logits([1, 2, 3]));
    expect(error.hint).toContain('again');
    await failure('device-lost', () => engine.load(repositoryFolder(GPT)));
    engine.dispose();
    using fresh = await Engine.create();
    using again = (await fresh.load(repositoryFolder(GPT))) as TextGenerator;
    expect(await again.logits([1, 2, 3])).toEqual(before);
  });
});
