import { describe, expect, it } from 'vitest';
import type { ImageClassifier } from '../../src/models/resnet.ts';
import { worst } from '../../src/verify/compare.ts';
import { preprocess } from '../../src/vision/preprocess.ts';
import { testEngine } from '../support/engine.ts';
import { hasShared, readShared, sharedPath } from '../support/shared.ts';

const FOLDER = 'weights/resnet20-cifar10-akamaster';

/** `label, 3072 bytes` a line, pixels in rows, red green blue. */
async function readCsv(
  path: string,
): Promise<{ label: number; picture: { width: number; height: number; data: Uint8Array } }[]> {
  const text = new TextDecoder().decode(await readShared(path));
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [label, ...rgb] = line.split(',').map(Number);
      const data = new Uint8Array(4 * 1024).fill(255);
      for (let pixel = 0; pixel < 1024; pixel++) for (let c = 0; c < 3; c++) data[4 * pixel + c] = rgb[3 * pixel + c]!;
      return { label: label!, picture: { width: 32, height: 32, data } };
    });
}

const argMax = (row: Float32Array): number => row.indexOf(Math.max(...row));

describe.skipIf(!hasShared)('the published CIFAR-10 ResNet-20 (needs ../shared)', () => {
  it("gives PyTorch's logits for the 50 golden pictures", async () => {
    const engine = await testEngine();
    const golden = JSON.parse(new TextDecoder().decode(await readShared(`${FOLDER}/golden-first50.json`))) as {
      labels: number[];
      logits: number[][];
    };
    const pictures = (await readCsv('data/cifar10/cifar10_test_first100.csv')).slice(0, 50);
    // The bare file says neither mean nor size: the engine reads them off the tensors and ImageNet's defaults.
    for (const source of [FOLDER, `${FOLDER}/model.safetensors`]) {
      using model = (await engine.load(sharedPath(source))) as ImageClassifier;
      expect(model.architecture).toBe('resnet20');
      const pixels = preprocess(
        pictures.map(({ picture }) => picture),
        model.preprocessing,
      );
      const logits = await model.logits(pixels, 50);
      const { error, index } = worst(logits, golden.logits.flat());
      expect(error, `element ${index}`).toBeLessThan(1e-3);
      const right = golden.labels.filter((label, i) => argMax(logits.subarray(10 * i, 10 * i + 10)) === label);
      expect(right).toHaveLength(49);
    }
  });

  it('agrees with float32 on 99 of 100 pictures and more with int8 weights, in groups too', async () => {
    const engine = await testEngine();
    const pictures = await readCsv('data/cifar10/cifar10_test_first100.csv');
    const answers: number[][] = [];
    for (const options of [{}, { dtype: 'int8' }, { dtype: 'int8', groupSize: 32 }] as const) {
      using model = (await engine.load(sharedPath(FOLDER), options)) as ImageClassifier;
      const pixels = preprocess(
        pictures.map(({ picture }) => picture),
        model.preprocessing,
      );
      const logits = await model.logits(pixels, 100);
      answers.push(pictures.map((_, i) => argMax(logits.subarray(10 * i, 10 * i + 10))));
      if ('dtype' in options) expect(model.info.weightBytes.device).toBeLessThan(0.3 * model.info.weightBytes.file);
    }
    for (const small of answers.slice(1)) {
      const agreed = answers[0]!.filter((answer, i) => answer === small[i]).length;
      console.log(`int8 agrees with float32 on ${agreed} of 100`);
      expect(agreed).toBeGreaterThanOrEqual(99);
    }
  });
});
