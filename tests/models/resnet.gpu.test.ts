import { describe, expect, it } from 'vitest';
import type { ImageClassifier } from '../../src/models/resnet.ts';
import { normwise } from '../../src/verify/compare.ts';
import { testEngine } from '../support/engine.ts';
import { parseTensors, readAnywhere, repositoryFolder } from '../support/files.ts';

const FIXTURES = 'tests/fixtures/resnet-tiny';
const NAMES = [
  'torchvision-basic',
  'torchvision-bottleneck',
  'cifar-projection',
  'cifar-option-a',
  'hf-basic',
  'hf-bottleneck',
  'hf-bottleneck-v1',
];

describe('ResNet against PyTorch', () => {
  for (const name of NAMES) {
    it(name, async () => {
      const engine = await testEngine();
      const reference = await parseTensors(
        await readAnywhere(`${repositoryFolder(`${FIXTURES}/${name}`)}/reference.safetensors`),
      );
      const input = reference.get('input')!;
      using model = (await engine.load(repositoryFolder(`${FIXTURES}/${name}`), {
        inputSize: [input.shape[2]!, input.shape[3]!],
      })) as ImageClassifier;
      const error = normwise(await model.logits(input.data, 2), reference.get('logits')!.data);
      expect(error).toBeLessThan(2e-5);
    });
  }
});
