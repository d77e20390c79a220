import { beforeEach, describe, expect, it } from 'vitest';
import type { BuildOptions } from '../../src/build/build.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import type { Operand } from '../../src/graph/ir.ts';
import { fromHalf, toHalf } from '../../src/tensor/half.ts';
import { float32, test, valued } from '../../src/verify/case.ts';
import { checkCase } from '../../src/verify/run.ts';
import { testEngine } from '../support/engine.ts';

const engine = await testEngine();
let b = new GraphBuilder();
beforeEach(() => {
  b = new GraphBuilder();
});
const float = (...shape: number[]) => ({ dataType: 'float32' as const, shape });
const given = (...numbers: number[]): Operand => b.constant(float(numbers.length), new Float32Array(numbers));
const [NAN, INF] = [Number.NaN, Number.POSITIVE_INFINITY];

/** What a graph of one input `x` gives. */
async function run(y: Operand, x: readonly number[] | Float32Array | Uint16Array, options: BuildOptions = {}) {
  using session = await engine.build(b.outputs({ y }), options);
  return Array.from((await session.run({ x: x as Float32Array }))['y']!);
}

const failure = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'done',
    ({ code, message }) => ({ code, message }),
  );

/** NaN as arithmetic makes it on x86 has a sign. */
const SIGNED_NAN = new Float32Array(new Uint32Array([0x7fc00000, 0xffc00000, 0x7f800001, 0xffffffff]).buffer);

describe('numbers that are none', () => {
  const functions: Record<string, (x: Operand) => Operand> = {
    relu: (x) => b.relu(x),
    clamp: (x) => b.clamp(x, { minValue: -1, maxValue: 6 }),
    elu: (x) => b.elu(x),
    leakyRelu: (x) => b.leakyRelu(x),
    hardSigmoid: (x) => b.hardSigmoid(x),
    hardSwish: (x) => b.hardSwish(x),
    swish: (x) => b.swish(x, { alpha: 1.702 }),
    sigmoid: (x) => b.sigmoid(x),
    tanh: (x) => b.tanh(x),
    gelu: (x) => b.gelu(x),
    softplus: (x) => b.softplus(x),
    sign: (x) => b.sign(x),
    exp: (x) => b.exp(x),
    log: (x) => b.log(x),
    max: (x) => b.max(x, given(-1, 0, 1, INF)),
    min: (x) => b.min(given(-1, 0, 1, -INF), x),
    pow: (x) => b.pow(x, given(1, 2, -0.5, 3)),
    prelu: (x) => b.prelu(x, given(0.5)),
    reduceMax: (x) => b.reduceMax(b.reshape(x, [4, 1]), { axes: [1] }),
    reduceMin: (x) => b.reduceMin(b.reshape(x, [4, 1]), { axes: [1] }),
    roundEven: (x) => b.roundEven(x),
    asin: (x) => b.asin(x),
    acos: (x) => b.acos(x),
    atan: (x) => b.atan(x),
    sinh: (x) => b.sinh(x),
    cosh: (x) => b.cosh(x),
    asinh: (x) => b.asinh(x),
    acosh: (x) => b.acosh(x),
    atanh: (x) => b.atanh(x),
    mod: (x) => b.mod(x, given(1, 2, -0.5, INF)),
    fmod: (x) => b.fmod(given(1, 2, -0.5, 0), x),
    cumulativeSum: (x) => b.cumulativeSum(b.reshape(x, [4, 1]), 1),
    softmax: (x) => b.softmax(b.reshape(b.concat([x, x], 0), [2, 4]), 0),
    maxPool2d: (x) => b.maxPool2d(b.reshape(x, [1, 1, 2, 2]), { windowDimensions: [1, 1] }),
  };
  for (const [name, f] of Object.entries(functions)) {
    it(`bug 11: NaN of either sign goes through ${name}`, async () => {
      expect(new Set(await run(f(b.input('x', float(4))), SIGNED_NAN))).toEqual(new Set([NAN]));
    });
  }

  it('isNaN and isInfinite tell what was computed, after an epilogue too', async () => {
    const x = b.input('x', float(1, 4));
    const product = b.matmul(x, b.constant(float(4, 1), new Float32Array(4).fill(3e38)));
    for (const [numbers, odd, endless] of [
      [[1, 1, 1, 1], 0, 1],
      [[NAN, 1, 1, 1], 1, 0],
      [[1, 0, 0, 0], 0, 0],
    ] as const) {
      expect(await run(b.cast(b.isNaN(b.relu(product)), 'float32'), numbers)).toEqual([odd]);
      expect(await run(b.cast(b.isInfinite(product), 'float32'), numbers)).toEqual([endless]);
    }
    const difference = b.sub(x, x);
    expect(await run(b.cast(b.isNaN(difference), 'float32'), [INF, -INF, NAN, 3])).toEqual([1, 1, 1, 0]);
  });

  it('bug 11: relu(matmul(x, w)) of a weight that is NaN is NaN', async () => {
    const x = b.input('x', float(1, 4));
    const w = new Float32Array(16).fill(1);
    w[0] = NAN;
    const y = b.relu(b.matmul(x, b.constant(float(4, 4), w), { label: 'fc' }));
    expect(await run(y, [1, 2, 3, -7])).toEqual([NAN, 0, 0, 0]);
    expect(await failure(run(y, [1, 2, 3, -7], { check: 'finite' }))).toMatchObject({
      code: 'not-finite',
      message: expect.stringMatching(/^fc: matmul produced/),
    });
  });

  it("bug 11: check: 'finite' sees what an epilogue makes a number of", async () => {
    const x = b.input('x', float(1, 4));
    const product = b.matmul(x, b.constant(float(4, 2), new Float32Array(8).fill(3e38)), { label: 'fc' });
    for (const y of [
      b.relu(product),
      b.sigmoid(product),
      b.tanh(product),
      b.clamp(product, { minValue: 0, maxValue: 6 }),
    ]) {
      expect(await failure(run(y, [-1, -2, -3, -4], { check: 'finite' }))).toMatchObject({
        code: 'not-finite',
        message: expect.stringMatching(/^fc: matmul produced/),
      });
      expect((await run(y, [0, 0, 0, 1e-30], { check: 'finite' })).every(Number.isFinite)).toBe(true);
    }
  });

  it('bug 11: the first NaN is the largest and the smallest', async () => {
    const x = b.input('x', float(2, 4));
    const numbers = [1, INF, NAN, NAN, -INF, 3, 2, -INF];
    expect(await run(b.argMax(x, 1), numbers)).toEqual([2, 1]);
    expect(await run(b.argMin(x, 1), numbers)).toEqual([2, 0]);
    expect(await run(b.reduceMax(x, { axes: [1] }), numbers)).toEqual([NAN, 3]);
  });

  it('bug 11: what is not finite stays where it is: padding and other rows are as they were', async () => {
    const x = b.input('x', float(1, 4, 4, 4));
    const filter = b.constant(float(3, 3, 4, 4), new Float32Array(144).fill(1));
    const layouts = { inputLayout: 'nhwc', filterLayout: 'hwio' } as const;
    const picture = new Float32Array(64).fill(1);
    picture[0] = INF;
    const y = await run(b.conv2d(x, filter, { padding: [1, 1, 1, 1], ...layouts }), picture);
    expect([y[0], y[4 * 5], y[4 * 2], y[4 * 15]]).toEqual([INF, INF, 24, 16]);
  });

  for (const [weights, bad] of [
    ['int8', NAN],
    ['int8', -INF],
    ['int4', NAN],
    ['int4', INF],
  ] as const) {
    it(`bug 11: weights with ${bad} are refused where they become ${weights}, by name`, async () => {
      const x = b.input('x', float(2, 64));
      const numbers = Float32Array.from({ length: 64 * 32 }, (_, i) => Math.sin(i));
      const y = (w: Float32Array): Operand => b.matmul(x, b.constant(float(64, 32), w), { label: 'h.3.fc' });
      const ones = new Float32Array(128).fill(1);
      expect(await run(y(numbers.slice()), ones, { weights })).toHaveLength(64);
      numbers[1234] = bad;
      expect(await failure(run(y(numbers), ones, { weights }))).toEqual({
        code: 'not-finite',
        message: expect.stringMatching(/^h\.3\.fc: numbers that are not finite cannot be quantised/),
      });
    });
  }

  it('bug 13: pow of a negative base is a number where the exponent is whole', async () => {
    const cases: [number, number, number][] = [
      [-8, 1 / 3, NAN],
      [-2, 0.5, NAN],
      [-2, 3, -8],
      [-2, 2, 4],
      [-2, -1, -0.5],
      [-3, 0, 1],
      [0, 0, 1],
      [0, -1, INF],
      [0, -0.5, INF],
      [0, 2, 0],
      [NAN, 0, 1],
      [1, NAN, 1],
      [NAN, 1, NAN],
      [2, NAN, NAN],
      [-1, INF, 1],
      [0.5, INF, 0],
      [2, -INF, 0],
      [-INF, 3, -INF],
      [-INF, 2, INF],
      [INF, -1, 0],
    ];
    const x = b.input('x', float(cases.length));
    const exponents = given(...cases.map(([, exponent]) => exponent));
    const powers = await run(
      b.pow(x, exponents),
      cases.map(([base]) => base),
    );
    expect(powers.map((power) => Math.round(power * 1e4) / 1e4)).toEqual(cases.map(([, , power]) => power));
  });

  it('bug 24: clamp of NaN is NaN, in float16 too; of a minimum above the maximum, the maximum', async () => {
    const numbers = [NAN, -5, 5, INF, -INF, 0.5];
    const h = b.input('x', { dataType: 'float16', shape: [6] });
    const limits = { minValue: -2, maxValue: 3 };
    const halves = await run(b.clamp(h, limits), new Uint16Array(numbers.map(toHalf)));
    expect(halves.map(fromHalf)).toEqual([NAN, -2, 3, 3, -2, 0.5]);
    b = new GraphBuilder();
    const x = b.input('x', float(6));
    expect(await run(b.clamp(x, { minValue: 2, maxValue: -1 }), numbers)).toEqual([NAN, -1, -1, -1, -1, -1]);
    expect(await run(b.clamp(x, { minValue: 0 }), numbers)).toEqual([NAN, 0, 5, INF, 0, 0.5]);
    expect(await run(b.clamp(x), numbers)).toEqual(numbers);
  });

  it('bug 23: top-k of many tokens is drawn as the reference draws it', async () => {
    const draws = float32([3, 5], (run) =>
      [
        [0.8, 40, 0.95, 0.51 - 0.3 * run, 0],
        [1, 7, 1, 0.7, 0],
        [0.5, 200, 1, 0.2 + 0.6 * run, 0.01],
      ].flat(),
    );
    const many = test('sample', { logits: valued([3, 33333], { low: -9, high: 9 }), settings: draws });
    expect((await checkCase(engine.gpu, many)).faults).toEqual([]);
  });
});
