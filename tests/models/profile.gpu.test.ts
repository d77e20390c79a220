import { describe, expect, it } from 'vitest';
import { testEngine } from '../support/engine.ts';
import { repositoryFolder } from '../support/files.ts';

describe('bug 25: the work of a model is what it asks for, whoever says it', () => {
  it('of ResNet-20: 40.8 MMAC, in Winograd form too', async () => {
    using model = await (await testEngine()).load(repositoryFolder('weights/resnet20-cifar10'));
    const { rows, totals } = await model.profile({ rounds: 1 });
    expect(totals.macs).toBe(model.info.macs);
    expect(totals.macs / 1e6).toBeCloseTo(40.81, 2);
    expect(totals.parameters).toBe(model.info.parameters);
    if (rows.length) expect(rows.reduce((sum, { macs }) => sum + macs, 0)).toBeLessThanOrEqual(totals.macs);
  });

  it('of the writer: a token of GPT-2', async () => {
    using model = await (await testEngine()).load(repositoryFolder('tests/fixtures/gpt2-tiny'));
    const { totals } = await model.profile({ plan: 'decode', rounds: 1 });
    expect(totals.macs).toBe(model.info.macs);
  });
});
