import { expect, it } from 'vitest';
import { Engine } from '../../src/engine.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import type { StoredType, TensorSource } from '../../src/tensor/source.ts';

const [ROWS, WIDTH] = [70_037, 64];
/** Rows of other sizes, signs and forms: `row(i)[j]`. */
const valueAt = (i: number, j: number): number => Math.sin(i * 0.37 + j) * (1 + (i % 7));

/** A table that is never whole in memory: 17.9 MB as float32. */
function tableOf(storedType: StoredType & ('F32' | 'BF16')): TensorSource {
  async function* chunks(signal?: AbortSignal): AsyncIterable<Uint8Array> {
    const rows = 1001;
    for (let first = 0; first < ROWS; first += rows) {
      signal?.throwIfAborted();
      const count = Math.min(rows, ROWS - first);
      const floats = Float32Array.from({ length: count * WIDTH }, (_, k) =>
        valueAt(first + Math.floor(k / WIDTH), k % WIDTH),
      );
      if (storedType === 'F32') yield new Uint8Array(floats.buffer);
      else yield new Uint8Array(Uint16Array.from(new Uint32Array(floats.buffer), (bits) => bits >>> 16).buffer);
    }
  }
  return { name: 'table.weight', storedType, shape: [ROWS, WIDTH], order: 0, chunks };
}

const rows = [0, 1, 63, 64, 32_767, 65_535, 65_536, ROWS - 1];

for (const [weights, levels] of [
  ['int8', 127],
  ['int4', 7],
] as const) {
  // prettier-ignore
  for (const storedType of ['F32', 'BF16'] as const) {
    it(`${weights} of a large table is made a slab at a time, from ${storedType}`, async () => {
      using engine = await Engine.create();
      const b = new GraphBuilder();
      const table = b.constant(tableOf(storedType));
      const ids = b.input('ids', { dataType: 'uint32', shape: [rows.length] });
      const x = b.input('x', { dataType: 'float32', shape: [1, WIDTH] });
      // A tied head: products too take the table, so that int4 may.
      const graph = b.outputs({ y: b.gather(table, ids), logits: b.matmul(x, table, { transposeB: true }) });
      using session = await engine.build(graph, { weights, groupSize: 32 });
      const { y } = await session.run({ ids: rows, x: new Float32Array(WIDTH).fill(1) }, { outputs: ['y'] });
      rows.forEach((row, n) => {
        for (let group = 0; group < WIDTH; group += 32) {
          const want = Array.from({ length: 32 }, (_, j) => valueAt(row, group + j));
          const step = Math.max(...want.map(Math.abs)) / levels;
          const off = want.map((value, j) => Math.abs(value - y![n * WIDTH + group + j]!));
          expect(Math.max(...off), `row ${row}`).toBeLessThan(0.51 * step + (storedType === 'BF16' ? 0.03 : 1e-6));
          expect(Math.max(...off), `row ${row}`).toBeGreaterThan(0.05 * step);
        }
      });
      const whole = ROWS * WIDTH * 4;
      const { peakBytes, peakHostBytes } = engine.counters;
      // What stays, and of the floats a slab of 16 MiB at the most (and its bits, where they are 16 wide); not the whole beside it.
      expect(peakBytes).toBeLessThan(0.28 * whole + (storedType === 'BF16' ? 3 : 1.4) * 2 ** 24);
      expect(peakHostBytes).toBeLessThan(12 * 2 ** 20);
    });
  }
}

it('an abort between slabs leaves nothing on the device', async () => {
  using engine = await Engine.create();
  const before = engine.counters.bytes;
  const b = new GraphBuilder();
  const graph = b.outputs({
    y: b.gather(b.constant(tableOf('F32')), b.input('ids', { dataType: 'uint32', shape: [1] })),
  });
  const abort = new AbortController();
  const building = engine.build(graph, {
    weights: 'int8',
    signal: abort.signal,
    onProgress: ({ phase, loaded, total }) => phase === 'upload' && loaded > total / 2 && abort.abort(),
  });
  await expect(building).rejects.toThrow('aborted');
  expect(engine.counters).toMatchObject({ bytes: before, hostBytes: 0 });
});
