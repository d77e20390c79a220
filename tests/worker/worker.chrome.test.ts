import { afterAll, describe, expect, it } from 'vitest';
import type * as plain from '../../src/index.ts';
import { PromptAPI } from '../../src/prompt/index.ts';
import { Engine, type ImageClassifier, type TextGenerator, TilewrightError, transfer } from '../../src/worker/index.ts';
import { crossing, KINDS, type Kind } from '../../src/worker/members.ts';
import { testEngine } from '../support/engine.ts';
import { codeOf } from '../support/errors.ts';
import { encodeModel, floats, node } from '../support/onnx.ts';

const RESNET = '/weights/resnet20-cifar10/';
const GPT = '/weights/gpt-shakespeare/';
const CAT = '/weights/samples/cat.png';
const WHISPER = '/tests/fixtures/seq2seq/whisper/';
const BART = '/tests/fixtures/seq2seq/bart/';

const startWorker = (): Worker => new Worker(new URL('../../src/worker/host.ts', import.meta.url), { type: 'module' });
const worker = startWorker();
const engine = await Engine.create({ worker });
const here = await testEngine();
afterAll(() => {
  engine.dispose();
  worker.terminate();
});

const picture = async (): Promise<Blob> => (await fetch(CAT)).blob();
const resnet = async (): Promise<ImageClassifier> => (await engine.load(RESNET)) as ImageClassifier;
const gpt = async (): Promise<TextGenerator> => (await engine.load(GPT)) as TextGenerator;

/** y = x + [1, 2, 3, 4] */
const ADD = encodeModel({
  nodes: [node('Add', ['x', 'w'], ['y'])],
  inputs: [['x', 'float', ['n', 4]]],
  outputs: [['y', 'float', ['n', 4]]],
  initializers: [floats('w', [4], [1, 2, 3, 4])],
});

/** As data cross: what an object computes does not. */
const withoutMethods = (data: Record<string, unknown>): unknown =>
  JSON.parse(JSON.stringify(data), (_, value) => value);

/** The data that a page sees of an object, by name: all members that are no methods. */
const dataOf = (object: object, kind: Kind): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(KINDS[kind])
      .filter(([, how]) => how === 'data' || how === 'state')
      .map(([name]) => [name, (object as Record<string, unknown>)[name]]),
  );

describe('an engine in a worker', () => {
  it('has all that the engine and its models have', async () => {
    expect(engine.adapter).toEqual(here.adapter);
    expect((await Engine.availability({ worker })).available).toBe(true);
    for (const source of [RESNET, GPT, WHISPER, BART, { 'm.onnx': ADD }] as plain.ModelSource[]) {
      using there = await engine.load(source);
      using model = await here.load(source);
      expect(there.task).toBe(model.task);
      expect(withoutMethods(dataOf(there, there.task))).toEqual(withoutMethods(dataOf(model, model.task)));
      for (const name of Object.keys(KINDS[there.task])) {
        const how = crossing(there.task, name);
        expect(name in model, name).toBe(true);
        if (how === 'call' || how === 'stream') expect((there as never)[name], name).toBeTypeOf('function');
        if (how === 'stays') expect(() => (there as never)[name], name).toThrow('stays in the worker');
      }
    }
    expect(() => (engine as unknown as plain.Engine).device).toThrow('device of engine stays in the worker');
  });

  it('classifies what the page has: files, elements, bitmaps, frames, pixels', async () => {
    using model = await resnet();
    using other = (await here.load(RESNET)) as plain.ImageClassifier;
    const blob = await picture();
    const expected = await other.classify(blob);
    const image = new Image();
    image.src = CAT;
    await image.decode();
    const { naturalWidth: width, naturalHeight: height } = image;
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    const context = canvas.getContext('2d')!;
    context.drawImage(image, 0, 0);
    const offscreen = new OffscreenCanvas(width, height);
    offscreen.getContext('2d')!.drawImage(image, 0, 0);
    const bitmap = await createImageBitmap(blob);
    const pixels = context.getImageData(0, 0, width, height);
    const own = { width, height, data: new Uint8Array(pixels.data) };
    for (const source of [blob, image, canvas, offscreen, bitmap, pixels, own])
      expect(await model.classify(source), String(source)).toEqual(expected);
    const frame = new VideoFrame(bitmap, { timestamp: 0 });
    const [best] = await model.classify(frame as unknown as ImageBitmap);
    expect(best!.label).toBe('cat');
    frame.close();
    // Nothing was taken away from the page, but what is marked is.
    expect([bitmap.width, offscreen.width, own.data.length]).toEqual([width, width, 4 * width * height]);
    expect(await model.classify(transfer(bitmap), { topK: 5 })).toEqual(expected);
    expect(bitmap.width).toBe(0);
    expect(await model.rank(await model.logits(new Float32Array(3072)), 1)).toHaveLength(1);
    const calibration = await model.calibrate(new Set([image, blob]));
    expect(calibration).toEqual(await other.calibrate([blob, blob]));
  });

  it('loads from a list of files, with progress, and profiles, reports and verifies', async () => {
    const names = ['config.json', 'model.safetensors'];
    const files = await Promise.all(
      names.map(async (name) => new File([await (await fetch(RESNET + name)).blob()], name)),
    );
    const phases = new Set<string>();
    using model = (await engine.load(files, {
      dtype: 'int8',
      onProgress: ({ phase }) => phases.add(phase),
    })) as ImageClassifier;
    expect([...phases]).toEqual(expect.arrayContaining(['upload', 'compile']));
    expect(model.info.weightBytes.device).toBeLessThan(model.info.weightBytes.file / 2);
    const before = engine.counters;
    const { rows } = await model.profile({ rounds: 1 });
    expect(rows.length === 0 || rows.some(({ label }) => label.includes('conv1'))).toBe(true);
    const done: number[] = [];
    const { totals } = await model.report([await picture()], { onLayer: (count) => done.push(count) });
    expect(totals.layers).toBeGreaterThan(20);
    expect(done.length).toBeGreaterThan(20);
    const { passed } = await engine.verify(model);
    expect(passed).toBe(true);
    expect(engine.counters.dispatches).toBeGreaterThan(before.dispatches);
  });

  it('writes the same text, and stops where the page does', async () => {
    using model = await gpt();
    using other = (await here.load(GPT)) as plain.TextGenerator;
    const how = { seed: 1, temperature: 0.8, topK: 40, maxNewTokens: 12 };
    const read = async (stream: AsyncIterable<plain.GeneratedToken>): Promise<plain.GeneratedToken[]> => {
      const tokens: plain.GeneratedToken[] = [];
      for await (const token of stream) tokens.push(token);
      return tokens;
    };
    const expected = await read(other.generate('ROMEO:', how));
    expect(await read(model.generate('ROMEO:', how))).toEqual(expected);
    expect(await Promise.all([read(model.generate('ROMEO:', how)), read(model.generate('ROMEO:', how))])).toEqual([
      expected,
      expected,
    ]);
    expect(await model.tokenizer.encode('ROMEO:')).toEqual(other.tokenizer.encode('ROMEO:'));
    expect(model.tokenizer.size).toBe(other.tokenizer.size);

    for await (const _ of model.generate('ROMEO:', { maxNewTokens: 200 })) break;
    const { dispatches } = engine.counters;
    await new Promise((resolve) => setTimeout(resolve, 300));
    await model.deviceBytes();
    expect(engine.counters.dispatches - dispatches, 'a generator that was left works on').toBe(0);

    const reason = new Error('enough');
    const controller = new AbortController();
    let count = 0;
    const failure = read(
      (async function* () {
        for await (const token of model.generate('ROMEO:', { maxNewTokens: 200, signal: controller.signal })) {
          if (++count === 2) controller.abort(reason);
          yield token;
        }
      })(),
    ).catch((error) => error);
    expect(await failure).toMatchObject({ code: 'aborted', cause: reason });
    expect(count).toBe(2);
    expect(await codeOf(model.generate('x', { topK: -1 }).next())).toBe('invalid-argument');
  });

  it('talks in sessions of the Prompt API', async () => {
    const files = Object.fromEntries(
      await Promise.all(
        ['model.safetensors', 'config.json', 'tokenizer.json'].map(
          async (name) => [name, await (await fetch(GPT + name)).blob()] as const,
        ),
      ),
    );
    const template = new Blob(['{% for m in messages %}{{ m.content }}\n{% endfor %}']);
    const api = new PromptAPI((how) => engine.load({ ...files, 'chat_template.jinja': template }, how));
    const loaded: number[] = [];
    const session = await api.create({
      topK: 1,
      temperature: 1,
      monitor: (m) => m.addEventListener('downloadprogress', (event) => loaded.push(event.loaded)),
    });
    expect([loaded[0], loaded.at(-1)]).toEqual([0, 1]);
    expect(await session.measureContextUsage('ROMEO:')).toBeGreaterThan(1);
    expect(await session.prompt('ROMEO:', { responseConstraint: /thou|thee/ })).toMatch(/^(thou|thee)$/);
    const abort = new AbortController();
    const ended = session.prompt('JULIET:', { signal: abort.signal });
    abort.abort('enough');
    await expect(ended).rejects.toBe('enough');
  });

  it('runs an ONNX file, moves what it is told to, and refuses by name what cannot be sent', async () => {
    using model = (await engine.load({ 'm.onnx': ADD })) as import('../../src/worker/index.ts').GraphModel;
    const data = Float32Array.of(1, 1, 1, 1);
    const { y } = await model.run({ x: { dims: [1, 4], data } });
    expect(y).toEqual({ type: 'float', dims: [1, 4], data: Float32Array.of(2, 3, 4, 5) });
    expect(data).toHaveLength(4);
    await model.run({ x: { dims: [1, 4], data: transfer(data) } });
    expect(data).toHaveLength(0);
    const buffer = here.device.createBuffer({ size: 16, usage: 4 });
    const refused = await model.run({ x: { dims: [1, 4], buffer } }).catch((error) => error);
    expect(refused).toBeInstanceOf(TilewrightError);
    expect(refused).toMatchObject({ code: 'invalid-argument', hint: expect.stringContaining("'tilewright'") });
    expect(refused.message).toContain('x.buffer: a GPUBuffer');
    const device = await Engine.create({ worker, device: here.device } as never).catch((error) => error);
    expect(device.message).toContain('device: a GPUDevice');
    buffer.destroy();
    const send = async (): Promise<Response> => new Response();
    expect(await codeOf(engine.load(RESNET, { network: { fetch: send } }))).toBe('invalid-argument');
    using elsewhere = await here.load({ 'm.onnx': ADD });
    expect(await codeOf(engine.verify(elsewhere as never))).toBe('invalid-argument');
  });

  it('fails as the engine does: code, hint, cause, and the reason of a signal', async () => {
    for (const work of [
      (one: { load: (...args: never[]) => Promise<unknown> }) => one.load('/weights/none/' as never),
      (one: { load: (...args: never[]) => Promise<unknown> }) => one.load(RESNET as never, { dtpye: 'int8' } as never),
      (one: { load: (...args: never[]) => Promise<unknown> }) => one.load(new ArrayBuffer(20) as never),
    ]) {
      const [a, b] = (await Promise.all([engine, here].map((one) => work(one as never).catch((error) => error)))) as [
        TilewrightError,
        TilewrightError,
      ];
      expect(a).toBeInstanceOf(TilewrightError);
      expect([a.code, a.message, a.hint]).toEqual([b.code, b.message, b.hint]);
      expect(a.cause === undefined).toBe(b.cause === undefined);
    }
    const reason = new DOMException('no more', 'AbortError');
    expect(await engine.load(RESNET, { signal: AbortSignal.abort(reason) }).catch((error) => error)).toMatchObject({
      code: 'aborted',
      cause: reason,
    });
  });

  it('ends one thing and leaves the others', async () => {
    const [one, two] = await Promise.all([gpt(), gpt()]);
    const cut = one.generate('ROMEO:', { maxNewTokens: 200 });
    await cut.next();
    const pending = codeOf(cut.next().then(() => cut.next()));
    let told = 0;
    one.onDispose(() => told++);
    one.dispose();
    one.dispose();
    expect([one.disposed, told]).toEqual([true, 1]);
    expect(await pending).toBe('disposed');
    expect(await codeOf(one.logits([1]))).toBe('disposed');
    expect((await two.generate('ROMEO:').next()).done).toBe(false);
    two.dispose();
    expect(await codeOf(engine.load({ 'm.onnx': ADD }).then((model) => model.dispose()))).toBe('fine');
  });
});

describe('a worker that ends', () => {
  it('ends calls under way and later ones with worker-lost, and says so', async () => {
    const own = startWorker();
    const mortal = await Engine.create({ worker: own });
    const model = (await mortal.load(GPT)) as TextGenerator;
    const stream = model.generate('ROMEO:', { maxNewTokens: 500 });
    await stream.next();
    const pending = codeOf(model.perplexity('Once upon a time, '.repeat(200)));
    own.terminate();
    expect(await pending).toBe('worker-lost');
    expect(await mortal.lost).toMatchObject({ reason: 'unknown' });
    expect(await codeOf(stream.next())).toBe('worker-lost');
    expect(await codeOf(mortal.load(RESNET))).toBe('worker-lost');
    expect(model.disposed).toBe(true);
  });

  it('is told where it cannot be started', async () => {
    const failing = new Worker('/no-such-file.js', { type: 'module' });
    const error = await Engine.create({ worker: failing }).catch((reason) => reason);
    expect(error).toMatchObject({ code: 'worker-lost', hint: expect.stringContaining('worker-host') });
    const controller = new AbortController();
    const silent = new Worker(URL.createObjectURL(new Blob([])));
    const created = codeOf(Engine.create({ worker: silent, signal: controller.signal }));
    controller.abort();
    expect(await created).toBe('aborted');
    silent.terminate();
  });

  it('ends with its engine: disposed, and destroyed', async () => {
    const own = startWorker();
    const [first, second] = await Promise.all([Engine.create({ worker: own }), Engine.create({ worker: own })]);
    const pending = codeOf(first.load(GPT));
    first.dispose();
    expect(await pending).toBe('disposed');
    expect(await first.lost).toMatchObject({ reason: 'destroyed' });
    expect(await codeOf(first.load(RESNET))).toBe('disposed');
    using model = await second.load({ 'm.onnx': ADD }); // the worker is the caller's, and so is the other engine
    expect(model.task).toBe('graph');
    second.dispose();
    own.terminate();
  });
});

it('recovers from a lost device as the engine does, and tells the page', async () => {
  const losing = new Worker(new URL('./losing-worker.ts', import.meta.url), { type: 'module' });
  const recover = (async () => undefined) as unknown as boolean;
  expect(await codeOf(Engine.create({ worker: losing, recover }))).toBe('invalid-argument');
  const mine = await Engine.create({ worker: losing, recover: true });
  const model = (await mine.load(GPT)) as TextGenerator;
  const events: string[] = [];
  for (const type of ['lost', 'recovered']) mine.addEventListener(type, () => events.push(type));
  const written = async (lose: boolean): Promise<number[]> => {
    const tokens: number[] = [];
    for await (const { token } of model.generate('The king', { temperature: 0, maxNewTokens: 8 })) {
      tokens.push(token);
      if (lose && tokens.length === 4) losing.postMessage('lose');
    }
    return tokens;
  };
  const wanted = await written(false);
  const { lost } = mine;
  expect(await written(true)).toEqual(wanted);
  expect((await lost).reason).toBe('destroyed');
  expect(events).toEqual(['lost', 'recovered']);
  expect(mine.lost).not.toBe(lost);
  mine.dispose();
  losing.terminate();
});
