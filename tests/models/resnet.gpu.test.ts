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

/** A fixture, and what PyTorch says of it. */
async function opened(name: string) {
  const folder = repositoryFolder(`${FIXTURES}/${name}`);
  const reference = await parseTensors(await readAnywhere(`${folder}/reference.safetensors`));
  const input = reference.get('input')!;
  const [, , height, width] = input.shape as [number, number, number, number];
  const model = (await (await testEngine()).load(folder, { inputSize: [height, width] })) as ImageClassifier;
  return { model, input: input.data, reference };
}

async function check(name: string): Promise<void> {
  const { model, input, reference } = await opened(name);
  using _ = model;
  expect(normwise(await model.logits(input, 2), reference.get('logits')!.data)).toBeLessThan(2e-5);
}

describe('ResNet against PyTorch', () => {
  for (const name of NAMES) it(name, () => check(name));

  it.each(['hf-gelu', 'hf-silu-multi-label'])('bug 7: %s, as hidden_act says', check);

  it('bug 6: each label has the probability that transformers gives it', async () => {
    const { model, input, reference } = await opened('hf-silu-multi-label');
    using _ = model;
    const logits = await model.logits(input, 2);
    const found = [0, 1].flatMap((i) =>
      model
        .rank(logits.slice(5 * i, 5 * i + 5), 5)
        .sort((a, b) => a.index - b.index)
        .map(({ probability }) => probability),
    );
    expect(normwise(found, reference.get('probabilities')!.data)).toBeLessThan(2e-5);
    expect(found.slice(0, 5).reduce((sum, probability) => sum + probability)).not.toBeCloseTo(1, 2);
  });
});
