import { expect, it } from 'vitest';
import wanted from '../fixtures/vectors/nearest.json' with { type: 'json' };
import { freshEngine } from '../support/engine.ts';
import { numbers } from './numbers.ts';

const [COUNT, DIMENSION, QUERIES] = [100_000, 384, 64];

it('among 100,000 x 384 the ten best of 64 queries are those of NumPy, and int8 keeps 99 % of them', async () => {
  // Within the default limits the table of 154 MB is larger than a binding: it is read in pieces.
  using engine = await freshEngine({ defaultLimits: true });
  expect(4 * COUNT * DIMENSION).toBeGreaterThan(engine.device.limits.maxStorageBufferBindingSize);
  const vectors = numbers(0, COUNT, DIMENSION);
  const queries = Array.from({ length: QUERIES }, (_, i) => numbers(COUNT + i, 1, DIMENSION));
  using exact = await engine.index(vectors, { dimension: DIMENSION });
  const found = await exact.search(queries);
  for (const [query, hits] of found.entries()) {
    expect(hits).toHaveLength(10);
    const scores = wanted.scores[query]!;
    for (const [i, { id, score }] of hits.entries()) {
      expect(Math.abs(score - scores[i]!), `query ${query}, place ${i}`).toBeLessThan(5e-7);
      // Two whose scores float32 cannot tell apart may change places.
      const place = wanted.ids[query]!.indexOf(id);
      if (place !== i) expect(Math.abs((scores[place] ?? scores[9]!) - scores[i]!)).toBeLessThan(1e-6);
    }
  }
  exact.dispose();
  using small = await engine.index(vectors, { dimension: DIMENSION, dtype: 'int8' });
  let kept = 0;
  for (const [query, hits] of (await small.search(queries)).entries())
    kept += hits.filter(({ id }) => wanted.ids[query]!.includes(id)).length;
  expect(kept / (10 * QUERIES)).toBeGreaterThanOrEqual(0.99);
});
