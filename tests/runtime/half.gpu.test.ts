import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../src/graph/builder.ts';
import type { ImageClassifier } from '../../src/models/resnet.ts';
import type { TextGenerator } from '../../src/models/text-generator.ts';
import { fromHalf, toHalf } from '../../src/tensor/half.ts';
import { specOf } from '../../src/verify/case.ts';
import { CASES } from '../../src/verify/cases/index.ts';
import { normwise } from '../../src/verify/compare.ts';
import { checkCase } from '../../src/verify/run.ts';
import { freshEngine } from '../support/engine.ts';
import { repositoryFolder } from '../support/files.ts';

/** As on a device without shader-f16, on every device. */
const engine = await freshEngine();
Object.assign(engine.gpu.caps, { f16: false });

const half = (...shape: number[]) => ({ dataType: 'float16' as const, shape });
const bits = (numbers: readonly number[]): Uint16Array => Uint16Array.from(numbers, toHalf);
const numbers = (data: ArrayLike<number>): number[] => Array.from(data, fromHalf);
const waves = (count: number, seed: number): number[] =>
  Array.from({ length: count }, (_, i) => Math.sin(1.7 * i + seed));

describe('float16 without shader-f16', () => {
  it('inputs and outputs are float16, and a cast rounds to it', async () => {
    const b = new GraphBuilder();
    const x = b.input('x', half(3));
    const y = b.input('y', { dataType: 'float32', shape: [3] });
    using session = await engine.build(
      b.outputs({ x, sum: b.add(x, x), rounded: b.cast(b.cast(y, 'float16'), 'float32'), whole: b.cast(x, 'int32') }),
    );
    const got = await session.run({ x: bits([1.5, -2, 40000]), y: [1 + 2 ** -11, 2049.5, 1e-9] });
    expect(numbers(got['x']!)).toEqual([1.5, -2, 40000]);
    expect(numbers(got['sum']!)).toEqual([3, -4, Number.POSITIVE_INFINITY]);
    expect([...got['rounded']!]).toEqual([1, 2050, 0]);
    expect([...got['whole']!]).toEqual([1, -2, 40000]);
  });

  it('weights stay float16 on the device, also behind a normalisation that is folded into them', async () => {
    const b = new GraphBuilder();
    const constant = (shape: number[], seed: number) =>
      b.constant(
        half(...shape),
        bits(
          waves(
            shape.reduce((a, c) => a * c, 1),
            seed,
          ).map((x) => x + 1.5),
        ),
      );
    const x = b.input('x', half(1, 8, 6, 6));
    const image = b.batchNormalization(b.conv2d(x, constant([16, 8, 3, 3], 1)), constant([16], 2), constant([16], 3));
    const y = b.matmul(b.reshape(image, [16, 16]), constant([16, 32], 4));
    using session = await engine.build(b.outputs({ y }));
    // Filter, matrix, and the bias in float32 that the normalisation leaves.
    expect(session.plan.constants.map(({ dataType }) => dataType).sort()).toEqual(['float16', 'float16', 'float32']);
    expect(session.stores.constants.bytes).toBe(2 * (16 * 8 * 9 + 16 * 32) + 4 * 16);
    const { y: got } = await session.run({ x: bits(waves(288, 5)) });
    using exact = await engine.build(b.outputs({ y: b.cast(y, 'float32') }), { without: ['fold', 'winograd'] });
    const want = (await exact.run({ x: bits(waves(288, 5)) }))['y']!;
    expect(normwise(Float32Array.from(got!, fromHalf), want as Float32Array)).toBeLessThan(1e-3);
  });

  it('states are kept from run to run', async () => {
    const b = new GraphBuilder();
    const positions = b.input('at', { dataType: 'uint32', shape: [1] });
    const state = b.scatterRows(b.state('s', half(3, 2)), b.input('x', half(1, 2)), positions);
    using session = await engine.build(b.outputs({ state }));
    await session.run({ x: bits([1, 2]), at: [0] });
    expect(numbers((await session.run({ x: bits([3, 4]), at: [2] }))['state']!)).toEqual([1, 2, 0, 0, 3, 4]);
  });

  const free = CASES.filter((test) => Object.keys(test.inputs).some((name) => !specOf(test, name).dataType));
  const firsts = [...new Map([...free].reverse().map((test) => [test.op, test])).values()].reverse();
  // llvmpipe takes minutes to compile these again for float32.
  for (const test of engine.gpu.caps.longKernels ? firsts : [])
    it(test.title, async () => expect((await checkCase(engine.gpu, test, { floats: ['float16'] })).faults).toEqual([]));
});

describe('models in float16 without shader-f16', () => {
  it('resnet20: logits are those of float32 in float16', async () => {
    const folder = repositoryFolder('weights/resnet20-cifar10');
    const pixels = Float32Array.from(waves(3 * 32 * 32, 1));
    const logits = async (dtype: 'float32' | 'float16') => {
      using model = (await engine.load(folder, { dtype })) as ImageClassifier;
      return { numbers: await model.logits(pixels, 1), bytes: model.info.weightBytes.device };
    };
    const [whole, short] = [await logits('float32'), await logits('float16')];
    expect(normwise(short.numbers, whole.numbers)).toBeLessThan(2e-3);
    expect(short.bytes).toBeLessThan(0.55 * whole.bytes);
  });

  it('gpt-shakespeare: logits are those of float32 in float16, and a text is written', async () => {
    const folder = repositoryFolder('weights/gpt-shakespeare');
    const ids = Array.from({ length: 16 }, (_, i) => (i * 37) % 200);
    const answer = async (dtype: 'float32' | 'float16') => {
      using model = (await engine.load(folder, { dtype })) as TextGenerator;
      const tokens: number[] = [];
      for await (const { token } of model.generate(ids, { maxNewTokens: 6, temperature: 0 })) tokens.push(token);
      return { logits: await model.logits(ids), tokens, bytes: model.info.weightBytes.device };
    };
    const [whole, short] = [await answer('float32'), await answer('float16')];
    expect(normwise(short.logits, whole.logits)).toBeLessThan(2e-3);
    expect(short.tokens).toEqual(whole.tokens);
    expect(short.bytes).toBeLessThan(0.55 * whole.bytes);
  });
});
