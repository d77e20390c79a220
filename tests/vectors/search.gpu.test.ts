import { describe, expect, it } from 'vitest';
import type { IndexOptions } from '../../src/vectors/make.ts';
import type { Hit } from '../../src/vectors/vector-index.ts';
import { freshEngine, testEngine } from '../support/engine.ts';
import { codeOf } from '../support/errors.ts';

/** Numbers of a vector, of other sizes from vector to vector. */
const vectorOf = (seed: number, dimension: number): Float32Array =>
  Float32Array.from(
    { length: dimension },
    (_, i) => Math.sin(12.9898 * seed + 78.233 * i * (seed % 17)) * (1 + (seed % 5)),
  );

const vectorsOf = (count: number, dimension: number): Float32Array[] =>
  Array.from({ length: count }, (_, seed) => vectorOf(seed + 1, dimension));

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);

/** All ids by their scores in float64, best first; of equals the lower first. */
function ranked(vectors: readonly Float32Array[], query: Float32Array, metric: 'cosine' | 'dot'): Hit[] {
  const score = (vector: Float32Array): number =>
    metric === 'dot' ? dot(vector, query) : dot(vector, query) / Math.sqrt(dot(vector, vector) * dot(query, query));
  return vectors.map((vector, id) => ({ id, score: score(vector) })).sort((a, b) => b.score - a.score || a.id - b.id);
}

/** Scores are those of the ids that were found, and no other is better by more than `error`. */
function expectBest(found: readonly Hit[], wanted: readonly Hit[], error: number): void {
  const scoreOf = new Map(wanted.map(({ id, score }) => [id, score]));
  expect(new Set(found.map(({ id }) => id)).size).toBe(found.length);
  found.forEach(({ id, score }, i) => {
    expect(Math.abs(score - scoreOf.get(id)!), `score of ${id}`).toBeLessThan(error);
    expect(Math.abs(score - wanted[i]!.score), `place ${i}`).toBeLessThan(error);
  });
}

describe('a search', () => {
  it.each<[IndexOptions, number, number, number, number]>([
    [{}, 3000, 20, 10, 2e-6],
    [{ metric: 'dot' }, 3000, 20, 10, 1e-4],
    [{}, 5, 3, 5, 2e-6],
    [{}, 1, 1, 1, 2e-6],
    [{}, 2049, 7, 200, 2e-6],
    [{ dtype: 'float16' }, 1500, 20, 10, 2e-3],
    [{ dtype: 'float16', metric: 'dot' }, 700, 9, 3, 0.1],
    [{ dtype: 'int8' }, 1500, 64, 10, 1e-2],
    [{ dtype: 'int8', metric: 'dot' }, 700, 25, 10, 1.5],
  ])('%o finds the best of %i x %i, %i of them', async (options, count, dimension, topK, error) => {
    const engine = await testEngine();
    const vectors = vectorsOf(count, dimension);
    using index = await engine.index(vectors, options);
    const queries = [4001, 4002, 4003].map((seed) => vectorOf(seed, dimension));
    const many = await index.search(queries, { topK });
    const single = await index.search(queries[1]!, { topK });
    expect(many).toHaveLength(3);
    for (const [i, query] of queries.entries()) {
      expect(many[i]).toHaveLength(Math.min(topK, count));
      expectBest(many[i]!, ranked(vectors, query, options.metric ?? 'cosine'), error);
    }
    for (const [i, { score }] of single.entries()) expect(Math.abs(score - many[1]![i]!.score)).toBeLessThan(error);
  });

  it('gives equals by their ids, and all vectors where more are asked for', async () => {
    const engine = await testEngine();
    // 300 of each of 4 vectors, in turn.
    const vectors = Array.from(
      { length: 1200 },
      (_, i) =>
        [
          [1, 0],
          [0, 1],
          [-1, 0],
          [0, 0],
        ][i % 4]!,
    );
    using index = await engine.index(vectors, { metric: 'dot' });
    const some = await index.search([2, 0.5], { topK: 6 });
    expect(some).toEqual([0, 4, 8, 12, 16, 20].map((id) => ({ id, score: 2 })));
    // Blocks of equal maxima: the second best of all are in the first blocks too.
    const more = await index.search([2, 0.5], { topK: 303 });
    expect(more.slice(298).map(({ id }) => id)).toEqual([1192, 1196, 1, 5, 9]);
    const all = await index.search([2, 0.5], { topK: 5000 });
    expect(all).toHaveLength(1200);
    expect(new Set(all.map(({ id }) => id)).size).toBe(1200);
    expect(all[1199]!.score).toBe(-2);
  });

  it('takes vectors in one array, in lists, and as they come', async () => {
    const engine = await testEngine();
    const vectors = vectorsOf(50, 6);
    const flat = Float32Array.from(vectors.flatMap((vector) => [...vector]));
    async function* coming() {
      for (const vector of vectors) yield vector;
    }
    using one = await engine.index(flat, { dimension: 6 });
    using two = await engine.index(vectors.map((vector) => [...vector]));
    using three = await engine.index(coming());
    const hits = await one.search(vectors[7]!);
    expect(hits[0]).toMatchObject({ id: 7 });
    for (const index of [one, two, three]) {
      expect(index).toMatchObject({ size: 50, dimension: 6, dtype: 'float32', metric: 'cosine', model: undefined });
      expect(await index.search(vectors[7]!)).toEqual(hits);
      expect(index.vector(49)).toEqual(vectors[49]);
    }
  });

  it('cuts a long list of queries, and compiles nothing for a count that it had', async () => {
    const engine = await testEngine();
    const vectors = vectorsOf(600, 8);
    using index = await engine.index(vectors);
    const queries = vectors.slice(0, 150);
    const found = await index.search(queries, { topK: 3 });
    expect(found.map(([best]) => best!.id)).toEqual(
      queries.map((_, id) => ranked(vectors, queries[id]!, 'cosine')[0]!.id),
    );
    await index.search(queries.slice(0, 40), { topK: 3 });
    const { pipelines } = engine.counters;
    await index.search(queries.slice(0, 64), { topK: 3 });
    await index.search(queries.slice(0, 33), { topK: 3 });
    expect(engine.counters.pipelines).toBe(pipelines);
  });

  it('keeps the table alone on the device: int8 is a byte a number, and scales', async () => {
    using engine = await freshEngine();
    const vectors = vectorsOf(2048, 32);
    const before = engine.counters.bytes;
    const floats = await engine.index(vectors);
    expect(floats.deviceBytes).toBe(engine.counters.bytes - before);
    expect(floats.deviceBytes).toBeGreaterThan(2048 * 33 * 4);
    using small = await engine.index(vectors, { dtype: 'int8' });
    // 32 numbers and two scales of them.
    expect(small.deviceBytes - (floats.deviceBytes - 2048 * 32 * 4)).toBe(2048 * (32 + 8));
    floats.dispose();
    expect(engine.counters.bytes - before).toBe(small.deviceBytes);
    small.dispose();
    expect(engine.counters.bytes).toBe(before);
  });

  it('goes on after a lost device', async () => {
    using engine = await freshEngine({ recover: true });
    const vectors = vectorsOf(300, 5);
    using index = await engine.index(vectors);
    const wanted = await index.search(vectors[3]!);
    engine.device.destroy();
    expect(await index.search(vectors[3]!)).toEqual(wanted);
  });
});

describe('refused', () => {
  const list = [
    [1, 2],
    [3, 4],
  ];
  it.each<[string, unknown, object]>([
    ['wrong-shape', [[1, 2], [3]], {}],
    ['wrong-shape', new Float32Array(7), { dimension: 2 }],
    ['wrong-shape', list, { dimension: 3 }],
    ['invalid-argument', new Float32Array(8), {}],
    ['invalid-argument', new Float32Array(0), { dimension: 2 }],
    ['invalid-argument', [], {}],
    ['invalid-argument', [[]], {}],
    ['invalid-argument', [new Float32Array(0)], {}],
    ['invalid-argument', [[1, Number.NaN]], {}],
    ['invalid-argument', [[1, Number.POSITIVE_INFINITY]], {}],
    ['invalid-argument', [[1, 1e39]], {}],
    ['invalid-argument', [[1, '2']], {}],
    ['invalid-argument', [[1, 65520]], { dtype: 'float16' }],
    ['invalid-argument', 'vectors', {}],
    ['invalid-argument', undefined, {}],
    ['invalid-argument', list, { metric: 'euclidean' }],
    ['invalid-argument', list, { dtype: 'int4' }],
    ['invalid-argument', list, { topK: 3 }],
    ['aborted', list, { signal: AbortSignal.abort() }],
  ])('%s: an index of %j with %j', async (code, vectors, options) => {
    const engine = await testEngine();
    const before = engine.counters.bytes;
    expect(await codeOf(engine.index(vectors as number[][], options))).toBe(code);
    expect(engine.counters.bytes).toBe(before);
  });

  it.each<[string, unknown, object]>([
    ['wrong-shape', [1, 2, 3], {}],
    ['wrong-shape', [[1, 2], [1]], {}],
    ['invalid-argument', [], {}],
    ['invalid-argument', [[]], {}],
    ['invalid-argument', new Float32Array(0), {}],
    ['invalid-argument', [1, Number.NaN], {}],
    ['invalid-argument', 'near', {}],
    ['invalid-argument', [1, 2], { topK: 0 }],
    ['invalid-argument', [1, 2], { topK: 1.5 }],
    ['invalid-argument', [1, 2], { k: 1 }],
    ['aborted', [1, 2], { signal: AbortSignal.abort() }],
    ['not-finite', [3e38, 3e38], {}],
  ])('%s: a search for %j with %j', async (code, query, options) => {
    const engine = await testEngine();
    using index = await engine.index(
      [
        [3e38, 1],
        [1, 3e38],
      ],
      { metric: 'dot' },
    );
    expect(await codeOf(index.search(query as number[], options))).toBe(code);
  });

  it('what was disposed of', async () => {
    using engine = await freshEngine();
    const index = await engine.index(list);
    engine.dispose();
    expect(index.disposed).toBe(true);
    expect(await codeOf(index.search([1, 2]))).toBe('disposed');
    expect(await codeOf(engine.index(list))).toBe('disposed');
  });
});
