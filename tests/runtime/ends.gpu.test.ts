import { describe, expect, it } from 'vitest';
import { Engine } from '../../src/engine.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import type { ImageClassifier } from '../../src/models/resnet.ts';
import type { TextGenerator } from '../../src/models/text-generator.ts';
import { testEngine } from '../support/engine.ts';
import { codeOf } from '../support/errors.ts';
import { repositoryFolder } from '../support/files.ts';

const GPT = repositoryFolder('tests/fixtures/gpt2-tiny');
const RESNET = repositoryFolder('tests/fixtures/resnet-tiny/cifar-projection');
const pixels = (count: number): Float32Array =>
  Float32Array.from({ length: 3072 * count }, (_, i) => Math.sin(0.37 * i));
const float = (...shape: number[]) => ({ dataType: 'float32' as const, shape });

const engine = await testEngine();
const classifier = async (on = engine): Promise<ImageClassifier> => (await on.load(RESNET)) as ImageClassifier;
const generator = async (on = engine): Promise<TextGenerator> => (await on.load(GPT)) as TextGenerator;
const options = { stopTokens: [], temperature: 0 };

describe('the end of an object', () => {
  it('bug 3: a classifier that is disposed of with a call on its way', async () => {
    const c = await classifier();
    const [first, second, third] = [c.logits(pixels(1)), c.logits(pixels(1)), c.logits(pixels(2), 2)];
    c.dispose();
    expect(await Promise.all([first, second, third].map(codeOf))).toEqual(['disposed', 'disposed', 'disposed']);
  });

  it('bug 3: a classifier that is disposed of with a run on the device', async () => {
    const c = await classifier();
    const run = c.logits(pixels(1));
    await Promise.resolve().then(() => {}); // the run may be submitted by now
    await new Promise((resolve) => setTimeout(resolve, 0));
    c.dispose();
    expect(['fine', 'disposed']).toContain(await codeOf(run));
  });

  it('bug 3: a generator that is disposed of between two tokens', async () => {
    const g = await generator();
    const tokens = g.generate([1, 2, 3], options);
    await tokens.next();
    g.dispose();
    // Tokens that were read before may still come.
    for (let code: string = 'fine'; code !== 'disposed'; ) {
      code = await codeOf(tokens.next());
      expect(['fine', 'disposed']).toContain(code);
    }
  });

  it('bug 3: a session, with runs on their way, a calibration, and a build', async () => {
    const { bytes } = engine.counters;
    const b = new GraphBuilder();
    const graph = b.outputs({ y: b.relu(b.input('x', float(4))) });
    const session = await engine.build(graph);
    const runs = [session.run({ x: [1, 2, 3, 4] }), session.run({ x: [1, 2, 3, 4] }, { outputs: [] })];
    session.dispose();
    expect(await codeOf(runs[0]!)).toBe('disposed');
    expect(['fine', 'disposed']).toContain(await codeOf(runs[1]!));
    expect(await codeOf(session.run({ x: [1, 2, 3, 4] }))).toBe('disposed');
    const g = await generator();
    const calibration = g.calibrate([[1, 2, 3, 4, 5, 6, 7, 8]], { onSample: () => g.dispose() });
    expect(['fine', 'disposed']).toContain(await codeOf(calibration));
    const other = await generator();
    const building = other.logits([1, 2]);
    other.dispose();
    expect(await codeOf(building)).toBe('disposed');
    expect(engine.counters.bytes).toBe(bytes);
  });

  it('bug 26: what is disposed of holds no byte, whatever was done with it', async () => {
    const before = engine.counters.bytes;
    const [c, g] = [await classifier(), await generator()];
    await c.logits(pixels(3), 3);
    await g.logits([1, 2, 3]);
    for await (const _ of g.generate([1, 2], { ...options, maxNewTokens: 3 }));
    for await (const _ of g.generate([1, 2], options)) break;
    c.dispose();
    g.dispose();
    expect(engine.counters).toMatchObject({ bytes: before, hostBytes: 0 });
    const left = await generator();
    const tokens = left.generate([1, 2], options);
    await tokens.next();
    left.dispose();
    expect(engine.counters.bytes).toBe(before);
    await codeOf(tokens.next());
    expect(engine.counters.bytes).toBe(before);
  });

  it('bug 27: a generator that is disposed of in its own loop leaves the others alone', async () => {
    using c = await classifier();
    const want = await c.logits(pixels(1));
    const g = await generator();
    const text = (async () => {
      let n = 0;
      for await (const _ of g.generate([65], options)) if (++n === 5) g.dispose();
    })();
    expect(await codeOf(text)).toBe('disposed');
    expect(await c.logits(pixels(1))).toEqual(want);
    using again = await generator();
    expect(again.info.parameters).toBeGreaterThan(0);
  });

  it("bug 27: one session's fault is its own", async () => {
    const b = new GraphBuilder();
    const graph = b.outputs({ y: b.relu(b.input('x', float(4))) });
    using bad = await engine.build(graph);
    using good = await engine.build(graph);
    bad.inputBuffer('x').destroy();
    const [fault, fine] = [bad.run({ x: [1, 2, 3, 4] }), good.run({ x: [-1, 2, 3, 4] })];
    expect(await codeOf(fault)).toBe('gpu-validation');
    expect(await fine).toEqual({ y: Float32Array.of(0, 2, 3, 4) });
    expect(await codeOf(good.run({ x: [1, 2, 3, 4] }, { copy: { y: bad.inputBuffer('x') } }))).toBe('gpu-validation');
    expect(await good.run({ x: [-1, 2, 3, 4] })).toEqual({ y: Float32Array.of(0, 2, 3, 4) });
  });

  it('bug 27: an error of WebGPU that belongs to no work is told once', async () => {
    using own = await Engine.create();
    const b = new GraphBuilder();
    using session = await own.build(b.outputs({ y: b.relu(b.input('x', float(4))) }));
    own.device.createBuffer({ size: 4, usage: 0xffff });
    await own.device.queue.onSubmittedWorkDone();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await codeOf(session.run({ x: [1, 2, 3, 4] }))).toBe('gpu-validation');
    expect(await codeOf(session.run({ x: [1, 2, 3, 4] }))).toBe('fine');
  });

  it('bug 32: an engine that is disposed of while it loads, builds and verifies', async () => {
    const own = await Engine.create();
    const b = new GraphBuilder();
    const work = [
      own.load(GPT),
      own.load(RESNET, { dtype: 'int8' }),
      own.build(b.outputs({ y: b.exp(b.input('x', float(4))) })),
      own.verify(undefined, { ops: ['relu'] }),
    ];
    const codes = Promise.all(work.map(codeOf));
    await Promise.resolve();
    own.dispose();
    expect(await codes).toEqual(work.map(() => 'disposed'));
  });

  it("bug 32: on the caller's device nothing of a load that was cut off stays", async () => {
    const device = await (await navigator.gpu.requestAdapter())!.requestDevice();
    for (const wait of [0, 5, 20, 60]) {
      const own = await Engine.create({ device });
      const load = codeOf(own.load(GPT));
      await new Promise((resolve) => setTimeout(resolve, wait));
      own.dispose();
      expect(['disposed', 'fine']).toContain(await load);
      expect(own.counters).toMatchObject({ bytes: 0, hostBytes: 0 });
    }
    device.destroy();
  });
});

describe('what callers share', () => {
  it('bug 4: a signal ends the call that it came with, and no other', async () => {
    using c = await classifier();
    const stop = new AbortController();
    const a = c.logits(pixels(7), 7, { signal: stop.signal });
    const b = c.logits(pixels(7), 7);
    stop.abort();
    expect(await codeOf(a)).toBe('aborted');
    expect(await b).toHaveLength(70);
    // The other way round, and one who comes when the only one has left.
    const [other, last] = [new AbortController(), new AbortController()];
    const first = c.logits(pixels(5), 5);
    const late = c.logits(pixels(5), 5, { signal: other.signal });
    const alone = c.logits(pixels(6), 6, { signal: last.signal });
    other.abort();
    last.abort();
    const again = c.logits(pixels(6), 6);
    expect(await Promise.all([first, late, alone, again].map(codeOf))).toEqual(['fine', 'aborted', 'aborted', 'fine']);
  });

  it('bug 5: sessions of 12 batch sizes, one after the other and all at once, are never more than 4', async () => {
    using c = await classifier();
    const sessions = async (): Promise<number> => (await c.sessions()).length;
    for (const count of [1, 2, 4, 8, 6, 7, 3, 1]) {
      expect(await c.logits(pixels(count), count)).toHaveLength(10 * count);
      expect(await sessions()).toBeLessThanOrEqual(4);
    }
    const single = await c.logits(pixels(1));
    const all = await Promise.all([9, 1, 8, 2, 7, 3, 6, 4, 5].map((count) => c.logits(pixels(count), count)));
    for (const logits of all) for (let i = 0; i < 10; i++) expect(logits[i]).toBeCloseTo(single[i]!, 4);
    expect(await sessions()).toBeLessThanOrEqual(4);
  });

  it('bug 18: an input that is left out is named, unless something else writes it', async () => {
    const b = new GraphBuilder();
    const [x, z] = [b.input('x', float(2)), b.input('z', float(2))];
    using session = await engine.build(b.outputs({ y: b.add(x, z) }));
    await session.run({ x: [1, 2], z: [10, 20] });
    await expect(session.run({ x: [5, 6] })).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringContaining("'z'"),
    });
    await expect(session.run({})).rejects.toMatchObject({ message: expect.stringContaining("'x'") });
    await expect(session.run({ x: [5, 6], z: [1, 1] }, { outputs: ['q'] })).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringContaining("'q'"),
    });
    session.write('z', [3, 4]);
    expect(await session.run({ x: [5, 6] })).toEqual({ y: Float32Array.of(8, 10) });
    engine.gpu.write(session.inputBuffer('x'), 0, Float32Array.of(1, 1));
    expect(await session.run({})).toEqual({ y: Float32Array.of(4, 5) });
  });

  it('bug F3: constants that differ in infinity, NaN or the sign of zero alone are two', async () => {
    const b = new GraphBuilder();
    const c = b.constant(float(1), Float32Array.of(7));
    const values = [Infinity, -Infinity, 0, -0];
    const padded = values.map((value, i) => [`y${i}`, b.reciprocal(b.pad(c, [0], [1], { value }))] as const);
    using session = await engine.build(b.outputs(Object.fromEntries(padded)));
    const results = await session.run({});
    const ends = padded.map(([name]) => results[name]![1]);
    expect(ends[0]).not.toBe(ends[1]);
    expect(Math.sign(ends[2]!)).toBe(1);
    expect(Math.sign(ends[3]!)).toBe(-1);
  });
});

it("bug 20: a caller's device is enough, without the globals of WebGPU", async () => {
  const device = await (await navigator.gpu.requestAdapter())!.requestDevice();
  const names = Object.getOwnPropertyNames(globalThis).filter((name) => /^GPU/.test(name));
  const kept = names.map((name) => Object.getOwnPropertyDescriptor(globalThis, name)!);
  for (const name of names) Reflect.deleteProperty(globalThis, name);
  try {
    using own = await Engine.create({ device });
    using c = await classifier(own);
    expect(await c.logits(pixels(1))).toHaveLength(10);
    using g = await generator(own);
    expect((await g.generate([1], options).next()).done).toBe(false);
  } finally {
    for (const [i, name] of names.entries()) Object.defineProperty(globalThis, name, kept[i]!);
    device.destroy();
  }
});
