import { describe, expect, it } from 'vitest';
import { countersSince } from '../../src/gpu/counters.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import type { Session } from '../../src/runtime/session.ts';
import type { TensorData } from '../../src/tensor/types.ts';
import { testEngine } from '../support/engine.ts';
import { codeOf } from '../support/errors.ts';

const SIZE = 256;
/** Products of a chain that two cores take 0.3 s for, or a second where they are busy. */
const LONG = 150;
/** A hash of the bits of a result: FNV-1a by words. */
const bits = (y: TensorData | undefined): number =>
  new Uint32Array(y!.buffer).reduce((hash, word) => Math.imul(hash ^ word, 16777619), 2166136261);
const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const numbers = (seed: number): Float32Array =>
  Float32Array.from({ length: SIZE * SIZE }, (_, i) => Math.sin(seed + 0.37 * i));

/** y = x after `count` products and as many steps that keep it bounded. */
function chain(count: number) {
  const b = new GraphBuilder();
  const x = b.input('x', { dataType: 'float32', shape: [SIZE, SIZE] });
  let y = x;
  for (let i = 0; i < count; i++) y = b.sin(b.matmul(y, x));
  return b.outputs({ y });
}

const engine = await testEngine();
const build = (count: number): Promise<Session> => engine.build(chain(count), { tune: 'off' });
/** The result of a run that is one submit, however long it takes. */
const whole = async (session: Session, x: Float32Array): Promise<Float32Array> => {
  engine.gpu.write(session.inputBuffer('x'), 0, x);
  return (await session.run({}))['y'] as Float32Array;
};

describe('a run of more than 100 ms', () => {
  it('is cut into parts, and gives what it gives as a whole', async () => {
    using session = await build(LONG);
    using other = await build(LONG);
    await session.run({ x: numbers(0) });
    const before = engine.counters;
    const { y } = await session.run({ x: numbers(1) });
    const { submits, passes, dispatches } = countersSince(before, engine.counters);
    expect(bits(y)).toBe(bits(await whole(other, numbers(1))));
    const { submits: one } = countersSince(before, engine.counters);
    expect(one - submits).toBe(1);
    expect(passes).toBe(submits);
    expect(dispatches).toBe(session.plan.steps.length);
    if (engine.adapter.software) expect(submits).toBeGreaterThan(1);
  });

  it('is followed by what is run after it, whoever runs it', async () => {
    using session = await build(LONG);
    using after = await build(1);
    const want = await Promise.all([1, 2].map(async (seed) => (await session.run({ x: numbers(seed) }))['y']));
    using apart = await build(1);
    const copied = await whole(apart, want[1] as Float32Array);
    const copy = { y: after.inputBuffer('x') };
    const runs = [
      session.run({ x: numbers(1) }, { copy }),
      session.run({ x: numbers(2) }, { copy }),
      after.run({}),
      session.run({ x: numbers(1) }, { outputs: [], copy }),
      build(LONG + 1),
    ] as const;
    const [first, second, third, , built] = await Promise.all(runs);
    expect([first, second].map(({ y }) => bits(y))).toEqual(want.map(bits));
    expect(bits(third['y'])).toBe(bits(copied));
    built.dispose();
  });

  it('has the numbers that it was called with, and so have those that wait', async () => {
    using session = await build(LONG);
    using other = await build(1);
    const want = [await session.run({ x: numbers(7) }), await other.run({ x: numbers(7) })].map(({ y }) => bits(y));
    const x = numbers(7);
    const runs = [session.run({ x }), other.run({ x })];
    x.fill(0);
    expect((await Promise.all(runs)).map(({ y }) => bits(y))).toEqual(want);
  });

  it('keeps its numbers while the next are written', async () => {
    using session = await build(LONG);
    const want: number[] = [];
    for (const seed of [7, 8]) want.push(bits((await session.run({ x: numbers(seed) }))['y']));
    const first = session.run({ x: numbers(7) });
    await later(10);
    const x = numbers(8);
    session.write('x', x);
    x.fill(0);
    const second = session.run({});
    expect([await first, await second].map(({ y }) => bits(y))).toEqual(want);
  });

  it('keeps its numbers while another session on the same memory is built', async () => {
    using session = await build(LONG);
    const want = bits((await session.run({ x: numbers(3) }))['y']);
    const { stores } = session;
    const b = new GraphBuilder();
    const x = b.input('x', { dataType: 'float32', shape: [2 * SIZE, SIZE] });
    const larger = b.outputs({
      y: b.sin(b.sin(b.matmul(x, b.sin(b.input('z', { dataType: 'float32', shape: [SIZE, SIZE] }))))),
    });
    const run = session.run({ x: numbers(3) });
    using built = await engine.build(larger, { tune: 'off', stores });
    expect(bits((await run)['y'])).toBe(want);
    expect(built.disposed).toBe(false);
  });

  it('ends at its signal and its dispose within 300 ms or half of its time, and so does what the device has to do', async () => {
    using session = await build(LONG);
    using other = await build(1);
    const want = bits((await other.run({ x: numbers(5) }))['y']);
    const right = bits((await session.run({ x: numbers(4) }))['y']);
    const begin = performance.now();
    await session.run({ x: numbers(6) });
    const took = performance.now() - begin;
    const steps = session.plan.steps.length + other.plan.steps.length;
    const ends = async (code: string, wait: number, end: () => void, signal?: AbortSignal): Promise<void> => {
      const before = engine.counters;
      const run = codeOf(session.run({ x: numbers(6) }, { signal }));
      const next = other.run({ x: numbers(5) });
      await later(wait);
      const start = performance.now();
      end();
      expect([code, 'fine']).toContain(await run);
      expect(performance.now() - start).toBeLessThan(Math.max(300, took / 2)); // a busy machine is slower at all
      expect(bits((await next)['y'])).toBe(want);
      // What is not submitted by then never is.
      if (!wait && engine.adapter.software)
        expect(countersSince(before, engine.counters).dispatches).toBeLessThan(steps);
    };
    for (const wait of [0, 30, took / 4]) {
      const stop = new AbortController();
      await ends('aborted', wait, () => stop.abort(), stop.signal);
    }
    expect(bits((await session.run({ x: numbers(4) }))['y'])).toBe(right);
    await ends('disposed', took / 4, () => session.dispose());
  });
});
