import { describe, expect, it } from 'vitest';
import { testEngine } from '../support/engine.ts';
import { hasShared } from '../support/shared.ts';
import { loadBackendCases, runBackendCase } from './backend.ts';

/** Cases that are refused, by what refuses them. None ends in a wrong number. */
const REFUSED: Readonly<Record<string, string>> = {
  'node/test_ai_onnx_ml_tree_ensemble_single_tree': 'not computed here: ai.onnx.ml.TreeEnsemble',
  'node/test_basic_deform_conv_without_padding': 'not computed here: DeformConv',
  'node/test_deform_conv_with_multiple_offset_groups': 'not computed here: DeformConv',
  'node/test_convtranspose_3d': 'an input of rank 5',
  'node/test_scan_sum': 'Scan before opset 9',
};

/** Cases of a test: each takes milliseconds, most of them a pipeline. */
const BATCH = 64;

const cases = hasShared ? await loadBackendCases() : [];
const batches = Array.from({ length: Math.ceil(cases.length / BATCH) }, (_, i) =>
  cases.slice(i * BATCH, (i + 1) * BATCH),
);

describe.skipIf(!hasShared)('ONNX backend cases that onnxruntime passes', () => {
  it.each(batches.map((batch) => [`${batch[0]!.name} to ${batch.at(-1)!.name}`, batch] as const))(
    '%s',
    async (_, batch) => {
      const engine = await testEngine();
      const failures: string[] = [];
      for (const one of batch) {
        const why = await runBackendCase(engine, one);
        const refused = REFUSED[one.name];
        if (refused === undefined ? why !== undefined : !why?.includes(refused))
          failures.push(`${one.name}: ${why ?? 'passes'}`);
      }
      expect(failures).toEqual([]);
    },
  );

  it('97 % pass', () => {
    expect(cases.length).toBeGreaterThan(700);
    expect(Object.keys(REFUSED).length / cases.length).toBeLessThan(0.03);
  });
});
