import { afterAll, expect, it } from 'vitest';
import { remove } from '../../src/hub/cache/index.ts';
import { Engine, type VectorIndex } from '../../src/worker/index.ts';
import { testEngine } from '../support/engine.ts';
import { codeOf } from '../support/errors.ts';

const worker = new Worker(new URL('../../src/worker/host.ts', import.meta.url), { type: 'module' });
const there = await Engine.create({ worker });
afterAll(async () => {
  there.dispose();
  worker.terminate();
  await remove('shared');
});

const VECTORS = Array.from({ length: 40 }, (_, i) => [Math.sin(i), Math.cos(i), i % 3]);

it('an index that a worker saved is opened here, for its model alone', async () => {
  using made: VectorIndex = await there.index(VECTORS, { dtype: 'int8', model: 'org/model' });
  expect(made).toMatchObject({
    task: 'vector-search',
    size: 40,
    dimension: 3,
    dtype: 'int8',
    metric: 'cosine',
    model: 'org/model',
  });
  const wanted = await made.search([0.5, 0.5, 1], { topK: 5 });
  await made.save('shared');
  const engine = await testEngine();
  using index = await engine.openIndex('shared', { model: 'org/model', dimension: 3 });
  expect(index).toMatchObject({ size: 40, dimension: 3, dtype: 'int8', metric: 'cosine', model: 'org/model' });
  expect(await index.search([0.5, 0.5, 1], { topK: 5 })).toEqual(wanted);
  expect(await made.vector(7)).toEqual(index.vector(7));
  using copy = await engine.openIndex(await made.blob());
  expect(await copy.search([[0.5, 0.5, 1]], { topK: 5 })).toEqual([wanted]);
  const { bytes } = engine.counters;
  for (const [code, source, options] of [
    ['invalid-argument', 'shared', { model: 'org/other' }],
    ['wrong-shape', 'shared', { dimension: 4 }],
    ['not-found', 'absent', {}],
    ['invalid-argument', '', {}],
    ['invalid-argument', 'shared', { metric: 'dot' }],
    ['invalid-file', new Uint8Array(9), {}],
    ['aborted', 'shared', { signal: AbortSignal.abort() }],
  ] as const)
    expect(await codeOf(engine.openIndex(source, options as object)), code).toBe(code);
  using unnamed = await engine.index(VECTORS);
  expect(await codeOf(engine.openIndex(await unnamed.blob(), { model: 'org/model' }))).toBe('invalid-argument');
  expect(await codeOf(unnamed.save(''))).toBe('invalid-argument');
  expect(await codeOf(there.openIndex('absent'))).toBe('not-found');
  unnamed.dispose();
  expect(engine.counters.bytes).toBe(bytes);
});

it('words with their vectors cross from a worker', async () => {
  const file = new Blob(['a 1 0\nb 0.9 0.1\nc 0 1\n']);
  using words = await there.wordVectors(file);
  expect(words).toMatchObject({ task: 'word-vectors', size: 3, dimension: 2, dtype: 'float32' });
  expect(await words.has('d')).toBe(false);
  expect(await words.vector('c')).toEqual(Float32Array.of(0, 1));
  expect((await words.nearest('a')).map(({ word }) => word)).toEqual(['b', 'c']);
  expect(await words.similarity('a', 'c')).toBe(0);
  expect(await codeOf(words.analogy({ positive: ['d'] }))).toBe('invalid-argument');
  expect(await codeOf(there.wordVectors(new Blob(['a 1\na 2\n'])))).toBe('invalid-file');
});
