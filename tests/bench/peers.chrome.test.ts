import { expect, it } from 'vitest';
import { peerFolders } from '../../bench/peers/packages.ts';
import { runBench } from '../../bench/run.ts';

const peerFiles = await peerFolders((name) => new URL(`/node_modules/${name}/dist/`, window.location.href).href);

// In Chrome alone: llvmpipe compiles onnxruntime's first kernel for half a minute.
it('onnxruntime-web on WebGPU computes as we do, and is timed beside us', async () => {
  const { rows, notes, versions } = await runBench({
    weights: '/weights/',
    peerFolders: peerFiles,
    peers: ['onnxruntime-web'],
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

it('onnxruntime-web writes as we do, with a GPT-2 and with a Llama whose queries share keys, on WebGPU and in wasm', async () => {
  const peers = ['onnxruntime-web', 'onnxruntime-web-wasm'] as const;
  const { rows, notes } = await runBench({
    weights: '/weights/',
    peerFolders: peerFiles,
    peers,
    suites: ['gpt'],
    preset: 'tiny',
  });
  expect(notes.filter((note) => /has no figure|did not start/.test(note))).toEqual([]);
  const engines = ['tilewright', ...peers];
  const parts = ['gpt2', 'llama'].flatMap((name) => [`${name} tiny prefill`, `${name} tiny decode`]);
  expect(rows.map(({ name, engine }) => `${name} ${engine}`)).toEqual(
    parts.flatMap((part) => engines.map((engine) => `${part} ${engine}`)),
  );
});

it('jax-js computes as we do, a depthwise convolution too', async () => {
  const suites = ['matmul', 'gemv', 'conv', 'attention', 'resnet'] as const;
  const { rows, notes, versions } = await runBench({
    weights: '/weights/',
    peerFolders: peerFiles,
    peers: ['jax-js'],
    suites,
    preset: 'tiny',
  });
  expect(notes.filter((note) => /has no figure|did not start/.test(note))).toEqual([]);
  const cases = (engine: string) => rows.filter((row) => row.engine === engine).map(({ name }) => name);
  expect(cases('jax-js')).toEqual(cases('tilewright'));
  expect(new Set(rows.map(({ suite }) => suite))).toEqual(new Set(suites));
  expect(cases('jax-js').some((name) => name.includes('depthwise'))).toBe(true);
  expect(versions['jax-js']).toMatch(/^0\.1\.\d+/);
});
