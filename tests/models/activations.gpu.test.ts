import { describe, expect, it } from 'vitest';
import type { ImageClassifier } from '../../src/models/resnet.ts';
import type { TextGenerator } from '../../src/models/text-generator.ts';
import { normwise } from '../../src/verify/compare.ts';
import { testEngine } from '../support/engine.ts';
import { repositoryFolder } from '../support/files.ts';

/** Integer products also where others are faster. */
const everywhere = { dtype: 'int8', integer: () => true } as const;

describe('int8 activations', () => {
  it('ResNet-20: scales of a calibration, a number a layer, and logits near those of floats', async () => {
    const engine = await testEngine();
    const folder = repositoryFolder('weights/resnet20-cifar10');
    using float = (await engine.load(folder)) as ImageClassifier;
    const [height, width] = float.preprocessing.size;
    const pictures = Array.from({ length: 4 }, (_, seed) => {
      const data = Uint8Array.from(
        { length: 4 * height * width },
        (_unused, i) => 128 + 100 * Math.sin(i * 0.013 * (seed + 1)),
      );
      return { width, height, data };
    });
    const calibration = await float.calibrate(pictures);
    const layers = Object.keys(calibration);
    expect(layers).toHaveLength(22); // two are shortcuts
    expect(Object.values(calibration).every((scale) => scale > 0 && Number.isFinite(scale))).toBe(true);
    using quantised = (await engine.load(folder, {
      ...everywhere,
      activations: 'static',
      calibration,
    })) as ImageClassifier;
    const { steps } = await quantised.plan(quantised.graph());
    expect(steps.filter(({ node }) => node.op === 'conv2dInteger')).toHaveLength(20); // all but the first, which has four channels
    expect(steps.filter(({ node }) => node.op === 'matmulInteger')).toHaveLength(1);
    const pixels = Float32Array.from({ length: 3 * height * width }, (_, i) => Math.sin(i * 0.01));
    const off = normwise(await quantised.logits(pixels), await float.logits(pixels));
    expect(off).toBeLessThan(0.15);
    expect(off).toBeGreaterThan(1e-4);
    await expect(engine.load(folder, { ...everywhere, activations: 'static' })).rejects.toMatchObject({
      code: 'invalid-argument',
    });
  });

  it('GPT: dynamic and static scales hardly change the perplexity of a text', async () => {
    const engine = await testEngine();
    const folder = repositoryFolder('weights/gpt-shakespeare');
    const text =
      'ROMEO:\nBut soft, what light through yonder window breaks?\nIt is the east, and Juliet is the sun.\n'.repeat(12);
    using float = (await engine.load(folder)) as TextGenerator;
    const { perplexity } = await float.perplexity(text);
    const calibration = await float.calibrate([text]);
    for (const activations of ['dynamic', 'static'] as const) {
      using model = (await engine.load(folder, { ...everywhere, activations, calibration })) as TextGenerator;
      const off = (await model.perplexity(text)).perplexity / perplexity - 1;
      console.log(`${activations}: perplexity ${(100 * off).toFixed(2)} % off`);
      expect(Math.abs(off)).toBeLessThan(activations === 'dynamic' ? 0.02 : 0.05);
    }
  });
});
