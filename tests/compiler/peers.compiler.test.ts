import { expect, it } from 'vitest';
import { GPUS } from '../../tools/gpu-compiler/gpus.mjs';
import { workloads } from '../../tools/gpu-compiler/kernels.ts';
import { boundOfRun, runPeers } from '../../tools/gpu-compiler/peers.mjs';

it('every peer runs on a GPU that is not there, and what it dispatches has a bound', async () => {
  const { contest, name } = workloads().find((workload) => workload.name === 'matmul 128 float32')!;
  const { runs, rows } = await runPeers('navi31', [name]);
  expect(runs.map(({ engine, error }) => [engine, error])).toEqual([
    ['onnxruntime-web', undefined],
    ['tensorflow.js', undefined],
    ['jax-js', undefined],
  ]);
  for (const { engine, dispatches } of runs) {
    expect(dispatches.map((dispatch) => dispatch.name.startsWith(engine))).toEqual([true]);
    const { us, products } = boundOfRun(GPUS['navi31']!, contest!, dispatches, rows);
    expect(products).toBe(us);
    expect(us).toBeGreaterThan(0.1); // 128³ multiply-adds at the peak take 0.136 µs
  }
});
