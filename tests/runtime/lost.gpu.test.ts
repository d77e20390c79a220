import { describe, expect, it } from 'vitest';
import { Engine } from '../../src/engine.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import type { ImageClassifier } from '../../src/models/resnet.ts';
import type { TextGenerator } from '../../src/models/text-generator.ts';
import { freshEngine } from '../support/engine.ts';
import { codeOf } from '../support/errors.ts';
import { repositoryFolder } from '../support/files.ts';
import '../../src/verify/verify.ts'; // its download is no part of the time

const GPT = repositoryFolder('tests/fixtures/gpt2-tiny');
const RESNET = repositoryFolder('tests/fixtures/resnet-tiny/cifar-projection');
const pixels = Float32Array.from({ length: 3072 }, (_, i) => Math.sin(0.37 * i));
const options = { stopTokens: [], temperature: 0 };
const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A chain of products: long enough to be measured, and to be lost in the middle. */
function products(count: number, size: number) {
  const b = new GraphBuilder();
  let x = b.input('x', { dataType: 'float32', shape: [size, size] });
  for (let i = 0; i < count; i++) x = b.matmul(x, x);
  return b.outputs({ x });
}

/** Calls that go on until the device is lost. */
const forever = async (call: () => Promise<unknown>): Promise<never> => {
  for (;;) await call();
};

/** The codes of calls by name after `device.destroy()`, and the milliseconds that the last took to fail. */
async function lost(engine: Engine, work: Record<string, Promise<unknown>>, wait: number) {
  const codes = Object.entries(work).map(async ([name, call]) => [name, await codeOf(call)] as const);
  await later(wait);
  engine.device.destroy(); // Dawn waits in it for what compiles
  const start = performance.now();
  const found = Object.fromEntries(await Promise.all(codes));
  return { found, ms: performance.now() - start };
}

describe('a device that is lost', () => {
  it('bug 28: at several moments of everything that goes on', async () => {
    for (const wait of [0, 40]) {
      using engine = await freshEngine();
      const [c, g] = [(await engine.load(RESNET)) as ImageClassifier, (await engine.load(GPT)) as TextGenerator];
      const session = await engine.build(products(40, 256));
      const decoding = g.generate([1, 2, 3], options);
      await decoding.next();
      const prompt = Array.from({ length: 40 }, (_, i) => i);
      const { found, ms } = await lost(
        engine,
        {
          classify: forever(() => c.logits(pixels)),
          decode: forever(async () => {
            for await (const _ of decoding);
            for await (const _ of g.generate([1, 2, 3], options));
          }),
          prefill: forever(() => g.generate(prompt, options).next()),
          load: forever(() => engine.load(RESNET)),
          run: forever(() => session.run({ x: new Float32Array(256 * 256).fill(0.01) })),
          verify: forever(() => engine.verify(c)),
          tune: forever(() => engine.build(products(3, 64), { tune: 'full' })),
        },
        wait,
      );
      const names = ['classify', 'decode', 'prefill', 'load', 'run', 'verify', 'tune'];
      expect(found).toEqual(Object.fromEntries(names.map((name) => [name, 'device-lost'])));
      expect(ms).toBeLessThan(1000);
    }
  });

  it('bug 28: before a call', async () => {
    const device = await (await navigator.gpu.requestAdapter())!.requestDevice();
    using own = await Engine.create({ device });
    const c = (await own.load(RESNET)) as ImageClassifier;
    device.destroy();
    expect(await codeOf(c.logits(pixels))).toBe('device-lost');
    expect(await codeOf(own.load(GPT))).toBe('device-lost');
  });
});

describe('engine.lost', () => {
  it('tells that the device was destroyed, by whom ever', async () => {
    const engine = await freshEngine();
    const other = await freshEngine();
    expect(await Promise.race([engine.lost, later(50)])).toBeUndefined();
    engine.dispose();
    other.device.destroy();
    expect(await engine.lost).toMatchObject({ reason: 'destroyed', message: expect.any(String) });
    expect(await other.lost).toMatchObject({ reason: 'destroyed' });
    other.dispose();
  });
});
