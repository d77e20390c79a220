import { describe, expect, it } from 'vitest';
import { testEngine } from '../support/engine.ts';
import { hasShared } from '../support/shared.ts';
import { loadBackendCases, runBackendCase } from './backend.ts';

describe.skipIf(!hasShared)('ONNX backend cases', async () => {
  const cases = hasShared ? await loadBackendCases() : [];
  it('all', async () => {
    const engine = await testEngine();
    const failures: string[] = [];
    for (const one of cases) {
      const why = await runBackendCase(engine, one);
      if (why) failures.push(`${one.name}: ${why}`);
    }
    console.log(`${cases.length - failures.length} of ${cases.length} pass\n${failures.join('\n')}`);
    expect(failures.length).toBe(0);
  }, 600_000);
});
