import { describe, expect, it } from 'vitest';
import { Engine, type EngineOptions } from '../../src/engine.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import type { ImageClassifier } from '../../src/models/resnet.ts';
import type { TextGenerator } from '../../src/models/text-generator.ts';
import type { GenerateOptions } from '../../src/models/text-options.ts';
import type { GraphModel } from '../../src/onnx/graph-model.ts';
import type { GraphTensor } from '../../src/onnx/run-tensors.ts';
import { expectError } from '../formats/files.ts';
import { codeOf } from '../support/errors.ts';
import { repositoryFolder } from '../support/files.ts';
import { encodeModel, type ModelToEncode, node } from '../support/onnx.ts';

const GPT = repositoryFolder('tests/fixtures/gpt2-tiny');
const RESNET = repositoryFolder('tests/fixtures/resnet-tiny/cifar-projection');
const pixels = Float32Array.from({ length: 3072 }, (_, i) => Math.sin(0.37 * i));
const prompt = Array.from({ length: 20 }, (_, i) => 3 * i);

const recovering = (options: EngineOptions = {}): Promise<Engine> => Engine.create({ recover: true, ...options });
const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The tokens of a text. `lose` is called before the token of each number. */
async function tokensOf(model: TextGenerator, options: GenerateOptions, lose: (token: number) => void = () => {}) {
  const tokens: number[] = [];
  lose(0);
  for await (const { token } of model.generate(prompt, { stopTokens: [], ...options })) {
    tokens.push(token);
    lose(tokens.length);
  }
  return tokens;
}

describe('an engine that recovers', () => {
  it.each<[string, number[], GenerateOptions]>([
    ['greedy, lost before it', [0], { temperature: 0, maxNewTokens: 10 }],
    ['greedy, lost twice', [6, 7], { temperature: 0, maxNewTokens: 20 }],
    ['drawn by a seed', [1], { temperature: 1.3, seed: 7, maxNewTokens: 20 }],
    ['across slides of the context', [75], { temperature: 1, seed: 8, maxNewTokens: 90, overflow: 'slide' }],
  ])('writes the same text: %s', async (_, at, options) => {
    using engine = await recovering();
    using model = (await engine.load(GPT)) as TextGenerator;
    const wanted = await tokensOf(model, options);
    expect(wanted).toHaveLength(options.maxNewTokens!);
    const first = engine.device;
    expect(await tokensOf(model, options, (token) => at.includes(token) && engine.device.destroy())).toEqual(wanted);
    expect(engine.device).not.toBe(first);
  });

  it('goes on with everything that was under way: two texts, pictures, logits, a self-check, loads', async () => {
    using engine = await recovering();
    const [c, g] = [(await engine.load(RESNET)) as ImageClassifier, (await engine.load(GPT)) as TextGenerator];
    const work = () =>
      Promise.all([
        tokensOf(g, { temperature: 0, maxNewTokens: 12 }),
        tokensOf(g, { temperature: 1, seed: 3, maxNewTokens: 12 }),
        g.logits(prompt).then((logits) => Array.from(logits)),
        c.logits(pixels).then((logits) => Array.from(logits)),
        engine.verify(c).then(({ rows }) => rows.length),
        engine.load(RESNET).then(async (model) => Array.from(await (model as ImageClassifier).logits(pixels))),
        engine
          .load(GPT, { dtype: 'int8' })
          .then((model) => tokensOf(model as TextGenerator, { maxNewTokens: 4, seed: 1 })),
      ]);
    const wanted = await work();
    const events: string[] = [];
    for (const type of ['lost', 'recovered']) engine.addEventListener(type, () => events.push(type));
    const going = work();
    await later(20);
    const { lost } = engine;
    engine.device.destroy();
    expect(await going).toEqual(wanted);
    expect((await lost).reason).toBe('destroyed');
    expect(events).toEqual(['lost', 'recovered']); // one device for all
  });

  it('runs an ONNX graph again; what feedback kept is gone, and is said to be', async () => {
    using engine = await recovering();
    const sums: ModelToEncode = {
      nodes: [node('Add', ['state', 'x'], ['next']), node('ReduceSum', ['next'], ['y'], { keepdims: 0 })],
      inputs: [
        ['x', 'float', []],
        ['state', 'float', [4]],
      ],
      outputs: [
        ['y', 'float'],
        ['next', 'float'],
      ],
    };
    const file = encodeModel(sums);
    const y = async (model: GraphModel, more = {}): Promise<unknown> =>
      ((await model.run({ x: [1], ...more }, { outputs: ['y'] }))['y'] as GraphTensor).data[0];
    const model = (await engine.load(file, { feedback: { next: 'state' } })) as GraphModel;
    expect([await y(model), await y(model)]).toEqual([4, 8]);
    engine.device.destroy();
    await expectError(() => y(model), 'device-lost', /feedback.*lost device/);
    await expectError(() => y(model), 'device-lost', /feedback/);
    expect(await y(model, { state: [1, 1, 1, 1] })).toBe(8);
    expect(await y(model)).toBe(12);
    engine.device.destroy();
    expect(await codeOf(y(model))).toBe('device-lost');
    model.reset();
    expect(await y(model)).toBe(4);

    const plain = (await engine.load(file)) as GraphModel;
    const state = [0, 0, 0, 0];
    const buffer = engine.device.createBuffer({ size: 16, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST });
    expect(await y(plain, { state })).toBe(4);
    const copy = plain.run({ x: [1], state }, { copy: { next: buffer } });
    engine.device.destroy();
    expect(await codeOf(copy)).toBe('device-lost'); // the caller's buffer is on the old device
    expect(await y(plain, { state })).toBe(4);
  });

  it('checks the kernels that a model had, though nothing was asked of it since', async () => {
    using engine = await recovering();
    const model = (await engine.load(RESNET)) as ImageClassifier;
    const checked = async (): Promise<(string | undefined)[]> =>
      (await engine.verify(model)).rows.map(({ variant }) => variant).sort();
    const wanted = await checked();
    engine.device.destroy();
    await engine.lost;
    expect(wanted.length).toBeGreaterThan(0);
    expect(await checked()).toEqual(wanted);
    expect(await model.sessions()).toHaveLength(1);
  });

  it('gives up when two more devices are lost in the same call', async () => {
    using engine = await recovering();
    using model = (await engine.load(RESNET)) as ImageClassifier;
    let devices = 0;
    const lose = (): void => {
      devices++;
      engine.device.destroy();
    };
    engine.addEventListener('recovered', lose);
    engine.device.destroy();
    await expectError(() => model.logits(pixels), 'device-lost', /again on each of 2 new ones/);
    expect(devices).toBe(2);
    engine.removeEventListener('recovered', lose);
    expect(await codeOf(model.logits(pixels))).toBe('fine');
  });

  it('leaves nothing on any device', async () => {
    const engine = await recovering();
    const model = (await engine.load(GPT)) as TextGenerator;
    await tokensOf(model, { maxNewTokens: 3 });
    const { bytes } = engine.counters;
    engine.device.destroy();
    await tokensOf(model, { maxNewTokens: 3 });
    expect(engine.counters.bytes).toBe(bytes);
    model.dispose();
    expect(engine.counters.bytes).toBe(0);
    const { lost } = engine;
    engine.dispose();
    expect((await lost).reason).toBe('destroyed');
  });

  it('ends with `disposed` when it goes while a new device is asked for', async () => {
    const engine = await recovering();
    const model = (await engine.load(RESNET)) as ImageClassifier;
    engine.device.destroy();
    const work = codeOf(model.logits(pixels));
    await engine.lost;
    engine.dispose();
    expect(await work).toBe('disposed');
  });

  it('leaves sessions of graphs to their caller: they are built again', async () => {
    using engine = await recovering();
    const build = () => {
      const b = engine.graph();
      return engine.build(b.outputs({ y: b.relu(b.input('x', { dataType: 'float32', shape: [4] })) }));
    };
    const session = await build();
    engine.device.destroy();
    const x = Float32Array.of(-1, 0, 1, 2);
    expect(await codeOf(session.run({ x }))).toBe('device-lost');
    expect((await (await build()).run({ x }))['y']).toEqual(Float32Array.of(0, 0, 1, 2));
  });
});

describe("the caller's own device", () => {
  const another = async (): Promise<GPUDevice> => (await navigator.gpu.requestAdapter())!.requestDevice();

  it('is replaced by what a function gives, and not by itself', async () => {
    const device = await another();
    expect(await codeOf(Engine.create({ device, recover: true }))).toBe('invalid-argument');
    const asked: string[] = [];
    const own: GPUDevice[] = [];
    const recover = async ({ reason }: GPUDeviceLostInfo): Promise<GPUDevice> => {
      asked.push(reason);
      own.push(await another());
      return own.at(-1)!;
    };
    const engine = await Engine.create({ device, recover });
    const model = (await engine.load(RESNET)) as ImageClassifier;
    const wanted = await model.logits(pixels);
    device.destroy();
    expect(await model.logits(pixels)).toEqual(wanted);
    expect([asked, engine.device]).toEqual([['destroyed'], own[0]]);
    engine.dispose();
    expect(() => own[0]!.createBuffer({ size: 16, usage: GPUBufferUsage.STORAGE }).destroy()).not.toThrow();
    const ended = await Promise.race([own[0]!.lost.then(() => 'destroyed'), later(50).then(() => 'there')]);
    expect(ended).toBe('there'); // it is the caller's
    own[0]!.destroy();
  });

  it.each<[string, () => unknown, RegExp]>([
    ['undefined: none is wanted', () => undefined, /device was lost/],
    ['no device', () => 7, /no other could be had.*device/],
    ['an error', () => Promise.reject(new Error('no more')), /no other could be had.*no more/],
  ])('ends with device-lost where the function gives %s', async (_, recover, message) => {
    const device = await another();
    using engine = await Engine.create({ device, recover: recover as () => undefined });
    using model = (await engine.load(RESNET)) as ImageClassifier;
    device.destroy();
    await expectError(() => model.logits(pixels), 'device-lost', message);
    await expectError(() => engine.build(new GraphBuilder().outputs({})), 'device-lost', message);
  });
});
