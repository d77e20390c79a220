import { describe, expect, it } from 'vitest';
import { USAGE } from '../../src/gpu/usage.ts';
import type { ImageClassifier } from '../../src/models/resnet.ts';
import { type Picture, preprocess } from '../../src/vision/preprocess.ts';
import { testEngine } from '../support/engine.ts';
import { apart, preprocessed, textureOf } from '../support/pictures.ts';
import { hasShared, sharedPath } from '../support/shared.ts';

const BATCH = 100;

const argMax = (logits: Float32Array, n: number): number => {
  const row = logits.subarray(10 * n, 10 * n + 10);
  return row.indexOf(Math.max(...row));
};

// Pictures are decoded by the command's reader, which is Node's.
describe.skipIf(!hasShared || typeof window !== 'undefined' || 'Deno' in globalThis)(
  '1,000 pictures of CIFAR-10 (needs ../shared, and Node)',
  () => {
    it('have the same label, preprocessed on the device and on the host', { timeout: 400_000 }, async () => {
      const engine = await testEngine();
      const { device } = engine;
      using model = (await engine.load(sharedPath('weights/resnet20-cifar10-akamaster'))) as ImageClassifier;
      const { preprocessing, labels } = model;
      const { openDataset } = await import('../../src/cli/datasets.ts');
      const dataset = await openDataset(sharedPath('data/cifar10/cifar10_jpeg_test.tar.gz'), undefined, {
        limit: 1000,
      });
      const pictures: Picture[] = [];
      for await (const { picture } of dataset) pictures.push(picture);
      expect([pictures.length, labels.length]).toEqual([1000, 10]);
      const input = device.createBuffer({ size: BATCH * 12 * 1024, usage: USAGE.COPY_DST | USAGE.COPY_SRC });
      let [same, worst] = [0, 0];
      for (let from = 0; from < pictures.length; from += BATCH) {
        const batch = pictures.slice(from, from + BATCH);
        const onHost = preprocess(batch, preprocessing);
        for (const [n, picture] of batch.entries()) {
          const texture = textureOf(device, picture as Picture & { data: Uint8Array<ArrayBuffer> });
          const pixels = new Float32Array(await preprocessed(engine, texture, preprocessing));
          texture.destroy();
          worst = Math.max(worst, apart(pixels, onHost.subarray(3072 * n, 3072 * (n + 1)), preprocessing));
          device.queue.writeBuffer(input, 12 * 1024 * n, pixels);
        }
        const [here, there] = [await model.logits(onHost, BATCH), await model.logits(input, BATCH)];
        same += batch.filter((_, n) => argMax(here, n) === argMax(there, n)).length;
      }
      input.destroy();
      console.log(`${same} of ${pictures.length} labels are the same; pixels are within ${worst} of a byte`);
      expect(same).toBe(pictures.length);
      expect(worst).toBeLessThan(0.02);
    });
  },
);
