import { afterAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine.ts';
import { countersSince } from '../../src/gpu/counters.ts';
import { USAGE } from '../../src/gpu/usage.ts';
import type { LoadOptions } from '../../src/models/model.ts';
import type { ImageClassifier } from '../../src/models/resnet.ts';
import { preprocess } from '../../src/vision/preprocess.ts';
import type { DevicePicture } from '../../src/vision/surface.ts';
import { folderOf, handResnet } from '../support/checkpoint.ts';
import { freshEngine, testEngine } from '../support/engine.ts';
import { repositoryFolder } from '../support/files.ts';
import { bufferOf, noise, TEXTURE_USAGE, textureOf } from '../support/pictures.ts';

const load = async (engine: Engine, options: LoadOptions = {}) =>
  (await engine.load(repositoryFolder('weights/resnet20-cifar10'), options)) as ImageClassifier;

const TINY = folderOf(handResnet([1], [1], { weight: [1, 2], bias: [0, 0] }));

const numbersOf = async ({ gpu }: Engine, buffer: GPUBuffer): Promise<ArrayBuffer> => {
  const staging = gpu.createBuffer(buffer.size, USAGE.staging, 'numbers');
  const encoder = gpu.device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, buffer.size);
  gpu.submit(encoder);
  const numbers = await gpu.readStaging(staging, buffer.size);
  gpu.destroyBuffer(staging);
  return numbers;
};

describe('classify takes pictures that are on the device', () => {
  it.each(['float32', 'int8'] as const)('with %s weights as the host does', async (dtype) => {
    const engine = await testEngine();
    using model = await load(engine, { dtype });
    const picture = noise(45, 61);
    const texture = textureOf(engine.device, picture);
    const inBuffer = bufferOf(engine.device, picture, 256);
    const onHost = await model.classify(picture, { topK: 10 });
    for (const source of [texture, inBuffer]) {
      expect(await model.preprocessesOn(source)).toBe('gpu');
      const found = await model.classify(source, { topK: 10 });
      expect(found.map(({ label }) => label)).toEqual(onHost.map(({ label }) => label));
      found.forEach(({ index, probability }, i) => {
        expect(index).toBe(onHost[i]!.index);
        expect(Math.abs(probability - onHost[i]!.probability)).toBeLessThan(1e-5);
      });
    }
    texture.destroy();
    inBuffer.buffer.destroy();
  });

  it('whose input is float16', async () => {
    const engine = await testEngine();
    using model = (await engine.load(TINY, { dtype: 'float16' })) as ImageClassifier;
    const texture = textureOf(engine.device, noise(30, 31));
    const [first, second] = await model.classify(texture);
    expect([first!.index, second!.index]).toEqual([1, 0]);
    expect(first!.probability).toBeCloseTo((await model.classify(noise(30, 31)))[0]!.probability, 3);
    texture.destroy();
  });

  it('reads 8 bytes a label, uploads nothing for a size that it knows, and leaves nothing behind', async () => {
    using engine = await freshEngine();
    const model = await load(engine);
    const picture = noise(80, 60);
    const texture = textureOf(engine.device, picture);
    const first = await model.classify(texture, { topK: 2 });
    const before = engine.counters;
    const [again, other] = await Promise.all([
      model.classify(texture, { topK: 2 }),
      model.classify(texture, { topK: 2 }),
    ]);
    expect(again).toEqual(first);
    expect(other).toEqual(first);
    const { bytesRead, bytesUploaded, submits, passes } = countersSince(before, engine.counters);
    expect({ bytesRead, bytesUploaded, submits, passes }).toEqual({
      bytesRead: 2 * 16,
      bytesUploaded: 0,
      submits: 2,
      passes: 4,
    });
    const sizes = await Promise.all(
      [1, 2, 3, 4, 5, 6].map(async (n) => {
        const small = textureOf(engine.device, noise(n, n));
        await model.classify(small, { topK: 2 });
        small.destroy();
        return engine.counters.bytes;
      }),
    );
    expect(sizes).toHaveLength(6);
    expect((await model.deviceBytes()).sessions).toBeGreaterThan(0);
    expect(await model.classify(texture, { topK: 2 })).toEqual(first);
    texture.destroy();
    model.dispose();
    expect(engine.counters.bytes).toBe(0);
  });

  it('leaves results on the device', async () => {
    const engine = await testEngine();
    const { device } = engine;
    using model = await load(engine);
    const picture = noise(32, 32);
    const texture = textureOf(device, picture);
    const buffer = (size: number) => device.createBuffer({ size, usage: USAGE.COPY_DST | USAGE.COPY_SRC });
    const copy = { logits: buffer(40), scores: buffer(16), indices: buffer(16) };
    for (const source of [texture, picture]) {
      const found = await model.classify(source, { topK: 4, copy });
      expect([...new Float32Array(await numbersOf(engine, copy.scores))]).toEqual(
        found.map(({ probability }) => probability),
      );
      expect([...new Int32Array(await numbersOf(engine, copy.indices))]).toEqual(found.map(({ index }) => index));
      const logits = new Float32Array(await numbersOf(engine, copy.logits));
      expect(logits.indexOf(Math.max(...logits))).toBe(found[0]!.index);
    }
    const small = { topK: 4, copy: { scores: buffer(12) } };
    await expect(model.classify(texture, small)).rejects.toMatchObject({ code: 'wrong-shape' });
    const unknown = { copy: { labels: buffer(64) } } as object;
    await expect(model.classify(texture, unknown)).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringContaining("no output 'labels'"),
    });
    texture.destroy();
  });

  it("has logits of a model's input that is in a buffer", async () => {
    const engine = await testEngine();
    using model = await load(engine);
    const pixels = preprocess([noise(32, 32), noise(33, 32)], model.preprocessing);
    const buffer = engine.device.createBuffer({ size: pixels.byteLength, usage: USAGE.COPY_SRC | USAGE.COPY_DST });
    engine.device.queue.writeBuffer(buffer, 0, pixels as Float32Array<ArrayBuffer>);
    expect(await model.logits(buffer, 2)).toEqual(await model.logits(pixels, 2));
    await expect(model.logits(buffer, 3)).rejects.toMatchObject({ code: 'wrong-shape' });
    buffer.destroy();
  });

  it('counts what it takes against the budget', async () => {
    const engine = await testEngine();
    const loaded = async (options: LoadOptions) => (await engine.load(TINY, options)) as ImageClassifier;
    using free = await loaded({});
    const texture = textureOf(engine.device, noise(300, 300));
    const found = await free.classify(texture);
    const { weights, sessions } = await free.deviceBytes();
    using model = await loaded({ memory: { budget: weights + sessions } });
    expect(await model.classify(texture)).toEqual(found);
    using tight = await loaded({ memory: { budget: weights + sessions - 16 } });
    await expect(tight.classify(texture)).rejects.toMatchObject({ code: 'limit-exceeded' });
    expect(await tight.classify(noise(300, 300))).toHaveLength(2);
    texture.destroy();
  });
});

describe('what is no picture is refused by name', () => {
  let shared: ImageClassifier | undefined;
  afterAll(() => shared?.dispose());

  const texture = (device: GPUDevice, descriptor: Partial<GPUTextureDescriptor>) =>
    device.createTexture({ size: [4, 4], format: 'rgba8unorm', usage: TEXTURE_USAGE, ...descriptor });
  const buffer = (device: GPUDevice, size: number, usage: GPUBufferUsageFlags = USAGE.STORAGE) =>
    device.createBuffer({ size, usage });

  it.each<[string, (device: GPUDevice) => object, string]>([
    ['integers', (device) => texture(device, { format: 'rgba8uint' }), "the texture's format is rgba8uint"],
    ['one channel', (device) => texture(device, { format: 'r8unorm' }), "the texture's format is r8unorm"],
    ['depth', (device) => texture(device, { format: 'depth24plus' }), "the texture's format is depth24plus"],
    ['signs', (device) => texture(device, { format: 'rgba8snorm' }), "the texture's format is rgba8snorm"],
    ['a volume', (device) => texture(device, { size: [4, 4, 4], dimension: '3d' }), 'the texture is 3d of 4 layers'],
    ['layers', (device) => texture(device, { size: [4, 4, 2] }), 'the texture is 2d of 2 layers'],
    ['samples', (device) => texture(device, { sampleCount: 4, usage: 4 | 16 }), '1 layers and 4 samples'],
    ['another usage', (device) => texture(device, { usage: 2 }), 'lacks the usage TEXTURE_BINDING'],
    ['a buffer alone', (device) => buffer(device, 64), 'a GPUBuffer alone is no picture'],
    ['a small buffer', (device) => ({ width: 4, height: 4, buffer: buffer(device, 60) }), '4x4 takes 64 bytes'],
    ['no size', (device) => ({ width: 0, height: 4, buffer: buffer(device, 64) }), 'a width and a height from 1 on'],
    [
      'a stride within a row',
      (device) => ({ width: 4, height: 4, buffer: buffer(device, 64), bytesPerRow: 12 }),
      'bytesPerRow: expected a multiple of 4 from 16 on, got 12',
    ],
    [
      'a buffer of another usage',
      (device) => ({ width: 4, height: 4, buffer: buffer(device, 64, USAGE.COPY_SRC) }),
      'the buffer lacks the usage STORAGE',
    ],
  ])('%s', async (_, make, message) => {
    const engine = await testEngine();
    shared ??= await load(engine);
    await expect(shared.classify(make(engine.device) as DevicePicture)).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringContaining(message),
    });
  });

  it('what is destroyed or of another device is an invalid-image, and the model goes on', async () => {
    const engine = await testEngine();
    using model = await load(engine);
    using other = await freshEngine();
    const good = textureOf(engine.device, noise(4, 4));
    const gone = textureOf(engine.device, noise(4, 4));
    gone.destroy();
    const lost = bufferOf(engine.device, noise(4, 4));
    lost.buffer.destroy();
    const expected = await model.classify(good);
    const inBuffer = bufferOf(engine.device, noise(4, 4));
    expect((await model.classify(inBuffer))[0]!.label).toBe(expected[0]!.label);
    const { bytes } = engine.counters;
    for (const source of [
      gone,
      lost,
      textureOf(other.device, noise(4, 4)),
      bufferOf(other.device, noise(4, 4)),
    ] as DevicePicture[]) {
      const call = model.classify(source);
      await expect(call).rejects.toMatchObject({
        code: 'invalid-image',
        message: expect.stringContaining('of another device'),
      });
      expect(await model.classify(good)).toEqual(expected);
    }
    expect(engine.counters.bytes).toBe(bytes);
    good.destroy();
    inBuffer.buffer.destroy();
  });

  it('ends with disposed, aborted and device-lost as other calls do', async () => {
    const engine = await freshEngine();
    const model = await load(engine);
    const texture = textureOf(engine.device, noise(9, 9));
    await model.classify(texture);
    await expect(model.classify(texture, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' });
    const running = model.classify(texture);
    model.dispose();
    await expect(running).rejects.toMatchObject({ code: 'disposed' });
    await expect(model.classify(texture)).rejects.toMatchObject({ code: 'disposed' });
    const next = await load(engine);
    await next.classify(texture);
    const late = next.classify(texture);
    engine.device.destroy();
    await expect(late).rejects.toMatchObject({ code: 'device-lost' });
    engine.dispose();
  });
});
