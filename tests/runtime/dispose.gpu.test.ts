import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import type { ImageClassifier } from '../../src/models/resnet.ts';
import type { TextGenerator } from '../../src/models/text-generator.ts';
import { freshEngine, testEngine } from '../support/engine.ts';
import { codeOf } from '../support/errors.ts';
import { repositoryFolder } from '../support/files.ts';

const GPT = repositoryFolder('tests/fixtures/gpt2-tiny');
const RESNET = repositoryFolder('tests/fixtures/resnet-tiny/cifar-projection');
const pixels = Float32Array.from({ length: 3072 }, (_, i) => Math.sin(0.37 * i));
const options = { stopTokens: [], temperature: 0 };
const float = (...shape: number[]) => ({ dataType: 'float32' as const, shape });
const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Numbers from 0 to 1: a linear congruential generator (Numerical Recipes). */
function* random(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state / 2 ** 32;
  }
}

const classifier = async (engine: Engine): Promise<ImageClassifier> => (await engine.load(RESNET)) as ImageClassifier;
const generator = async (engine: Engine): Promise<TextGenerator> => (await engine.load(GPT)) as TextGenerator;

async function text(model: TextGenerator, count: number): Promise<number[]> {
  const tokens: number[] = [];
  for await (const { token } of model.generate([5, 1, 30], { ...options, maxNewTokens: count })) tokens.push(token);
  return tokens;
}

const relu = () => {
  const b = new GraphBuilder();
  return b.outputs({ y: b.relu(b.input('x', float(4))) });
};

/** What may be under way when its model, session or engine is disposed of. */
const WORK: Record<string, (engine: Engine) => Promise<{ end: () => void; work: Promise<unknown> }>> = {
  generate: async (engine) => {
    const model = await generator(engine);
    return { end: () => model.dispose(), work: text(model, 40) };
  },
  logits: async (engine) => {
    const model = await classifier(engine);
    const work = (async () => {
      for (let i = 0; i < 40; i++) await model.logits(pixels);
    })();
    return { end: () => model.dispose(), work };
  },
  'a new batch size': async (engine) => {
    const model = await classifier(engine);
    return { end: () => model.dispose(), work: model.logits(new Float32Array(2 * 3072), 2) };
  },
  verify: async (engine) => {
    const session = await engine.build(relu());
    return { end: () => session.dispose(), work: engine.verify(session) };
  },
  'a run': async (engine) => {
    const session = await engine.build(relu());
    const work = Promise.all(Array.from({ length: 30 }, () => session.run({ x: [1, 2, 3, 4] })));
    return { end: () => session.dispose(), work };
  },
};

describe('the end of one leaves the others alone', () => {
  it('at each of 50 random moments, while another generates and a third loads', async () => {
    const engine = await testEngine();
    using writer = await generator(engine);
    const want = await text(writer, 6);
    using reader = await classifier(engine);
    const logits = await reader.logits(pixels);
    const numbers = random(13);
    const kinds = Object.values(WORK);
    const seen = new Set<string>();
    for (let i = 0; i < 50; i++) {
      const { end, work } = await kinds[i % kinds.length]!(engine);
      const code = codeOf(work);
      const others = [text(writer, 6), classifier(engine)] as const;
      await later(numbers.next().value * 40);
      end();
      seen.add(await code);
      expect(['fine', 'disposed']).toContain(await code);
      expect(await others[0]).toEqual(want);
      using loaded = await others[1];
      expect(await loaded.logits(pixels)).toEqual(logits);
    }
    expect(seen).toContain('disposed');
  });
});

describe('what is left on the device', () => {
  const { prototype } = GPUDevice;
  const create = prototype.createBuffer;
  const alive = new Set<GPUBuffer>();
  beforeEach(() => {
    prototype.createBuffer = function (descriptor) {
      const buffer = create.call(this, descriptor);
      const destroy = buffer.destroy;
      alive.add(buffer);
      buffer.destroy = function () {
        alive.delete(this);
        return destroy.call(this);
      };
      return buffer;
    };
  });
  afterEach(() => {
    prototype.createBuffer = create;
    alive.clear();
  });

  it('100 times loaded, run and disposed of: no byte, no buffer', async () => {
    const engine = await testEngine();
    const { bytes } = engine.counters;
    for (let i = 0; i < 100; i++) {
      using session = await engine.build(relu());
      expect((await session.run({ x: [-1, 2, -3, 4] }))['y']).toEqual(Float32Array.of(0, 2, 0, 4));
      if (i % 10) continue;
      using model = await classifier(engine);
      await model.logits(pixels);
    }
    expect(engine.counters).toMatchObject({ bytes, hostBytes: 0 });
    expect(alive.size).toBe(0);
  });

  it('30 engines: no byte, no buffer', async () => {
    for (let i = 0; i < 30; i++) {
      const engine = await freshEngine();
      const session = await engine.build(relu());
      if (i % 2) await session.run({ x: [1, 2, 3, 4] });
      else void codeOf(session.run({ x: [1, 2, 3, 4] }));
      engine.dispose();
      expect(engine.counters).toMatchObject({ bytes: 0, hostBytes: 0 });
      expect(alive.size).toBe(0);
    }
  });
});
