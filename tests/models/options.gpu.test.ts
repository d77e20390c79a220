import { describe, expect, it } from 'vitest';
import { Engine } from '../../src/engine.ts';
import type { ImageClassifier } from '../../src/models/resnet.ts';
import { folderOf, handResnet } from '../support/checkpoint.ts';
import { testEngine } from '../support/engine.ts';

const files = folderOf(handResnet([1], [1], { weight: [1, 2], bias: [0, 0] }));

/** A call as someone writes it who has no types. */
type Loose = (...args: readonly unknown[]) => Promise<unknown>;

const refusal = (message: string) => ({ code: 'invalid-argument', message: expect.stringContaining(message) });

describe('bug 17: options of public calls', () => {
  it.each([
    [{ check: 'nan' }, 'load: check: expected "finite", got "nan"'],
    [{ tune: 'no' }, 'load: tune: expected "off" or "fast" or "full", got "no"'],
    [{ inputSize: 224 }, 'load: inputSize: expected a list of 2'],
    [{ inputSize: [224, -1] }, 'got [224,-1]'],
    [{ inputSize: [224, 1e9] }, 'got [224,1000000000]'],
    [{ inputSize: [224, Number.NaN] }, 'inputSize'],
    [{ dtype: 'int2' }, 'load: dtype'],
    [{ dtype: { fc: 'int8' } }, 'with a default'],
    [{ dtype: null }, 'got null'],
    [{ groupSize: 48 }, 'load: groupSize: expected 32 or 64 or 128, got 48'],
    [{ activations: 'int8' }, 'load: activations'],
    [{ allowUnused: 'yes' }, 'load: allowUnused'],
    [{ signal: new AbortController() }, 'load: signal: expected an AbortSignal, got an AbortController'],
    [{ onProgress: 'log' }, 'load: onProgress'],
    [{ quantize: true }, 'load: there is no option quantize'],
    [null, 'load: options'],
  ])('load refuses %o', async (options, message) => {
    const engine = await testEngine();
    await expect((engine.load as Loose).call(engine, files, options)).rejects.toMatchObject(refusal(message));
  });

  it.each([
    [{ powerPreference: 'fast' }, 'Engine.create: powerPreference'],
    [{ device: 'gpu' }, 'Engine.create: device'],
    [{ backend: 'webgl' }, 'there is no option backend'],
    [null, 'Engine.create: options'],
  ])('Engine.create refuses %o', async (options, message) => {
    await expect((Engine.create as Loose)(options)).rejects.toMatchObject(refusal(message));
  });

  const pixels = new Float32Array(3 * 32 * 32);
  const picture = { width: 1, height: 1, data: new Uint8Array(4) };

  it.each<[keyof ImageClassifier, readonly unknown[], string]>([
    ['logits', [[1, 2]], 'logits: pixels: expected a Float32Array or a GPUBuffer, got [1,2]'],
    ['logits', [null], 'logits: pixels'],
    ['logits', [pixels, 0], 'logits: count: expected an integer from 1 on, got 0'],
    ['logits', [pixels, 1.5], 'logits: count'],
    ['logits', [pixels, 1, { batch: 1 }], 'there is no option batch'],
    ['classify', [picture, { topK: 0 }], 'classify: topK: expected an integer from 1 on, got 0'],
    ['classify', [picture, { top_k: 5 }], 'classify: there is no option top_k (got 5)'],
    ['classify', [picture, { copy: [] }], 'classify: copy: expected an object'],
    ['classify', [picture, 5], 'classify: options: expected an object, got 5'],
    ['classify', ['/a.png'], 'got "/a.png"'],
    ['classify', [null], 'got null'],
    ['calibrate', [picture], 'calibrate: pictures: expected a list'],
    ['calibrate', [[picture], { percentile: 101 }], 'calibrate: percentile'],
    ['calibrate', [[picture], { percentile: Number.NaN }], 'calibrate: percentile'],
    ['report', [picture], 'report: samples: expected a list'],
    ['report', [[], { onlayer: () => {} }], 'there is no option onlayer'],
    ['profile', [{ rounds: 0 }], 'profile: rounds'],
    ['profile', [{ plan: 7 }], 'profile: plan'],
    ['profile', [{ plan: 'decode' }], "there is no plan 'decode'"],
  ])('%s refuses %o', async (method, args, message) => {
    using model = (await (await testEngine()).load(files)) as ImageClassifier;
    const call = async () => (model[method] as Loose).call(model, ...args);
    await expect(call()).rejects.toMatchObject(refusal(message));
  });

  it.each([
    [['resnet20'], 'verify: the target: expected a model or a session, got "resnet20"'],
    [[undefined, { ops: ['conv4d'] }], 'verify: ops'],
    [[undefined, { every: true }], 'there is no option every'],
  ])('verify refuses %o', async (args, message) => {
    const engine = await testEngine();
    await expect((engine.verify as Loose).call(engine, ...args)).rejects.toMatchObject(refusal(message));
  });
});
