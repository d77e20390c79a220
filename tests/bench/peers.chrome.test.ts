import { expect, it } from 'vitest';
import { runContest } from '../../bench/peers/contest.ts';

// In Chrome alone: llvmpipe compiles onnxruntime's first kernel for half a minute.
it('onnxruntime-web on WebGPU computes as we do, and is timed beside us', async () => {
  const dist = (name: string): string => new URL(`/node_modules/${name}/dist/`, window.location.href).href;
  const { rows, notes, versions } = await runContest({
    folders: {
      onnxruntime: dist('onnxruntime-web'),
      tensorflow: [dist('@tensorflow/tfjs-core'), dist('@tensorflow/tfjs-backend-webgpu')],
    },
    engines: ['onnxruntime-web'],
    suites: ['matmul', 'resnet'],
    preset: 'tiny',
  });
  expect(notes.filter((note) => /has no figure|did not start/.test(note))).toEqual([]);
  expect(rows.map(({ suite, engine }) => `${suite} ${engine}`)).toEqual([
    'matmul tilewright',
    'matmul onnxruntime-web',
    'resnet tilewright',
    'resnet onnxruntime-web',
  ]);
  for (let i = 0; i < rows.length; i += 2) {
    const [ours, theirs] = [rows[i]!, rows[i + 1]!];
    expect(ours.ratioToTilewright).toBe(1);
    expect(theirs.ratioToTilewright).toBe(theirs.ms.median / ours.ms.median);
    expect(Math.min(ours.ms.n, theirs.ms.n)).toBeGreaterThanOrEqual(3);
  }
  expect(versions['onnxruntime-web']).toMatch(/^1\.\d+/);
});
