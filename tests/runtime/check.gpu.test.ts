import { describe, expect, it } from 'vitest';
import { encodeSafetensors } from '../../src/formats/safetensors-write.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import type { Operand } from '../../src/graph/ir.ts';
import type { LoadOptions } from '../../src/models/model.ts';
import type { TextGenerator } from '../../src/models/text-generator.ts';
import { toHalf } from '../../src/tensor/half.ts';
import { freshEngine, testEngine } from '../support/engine.ts';
import { parseTensors, readAnywhere, repositoryFolder } from '../support/files.ts';

const FOLDER = repositoryFolder('tests/fixtures/gpt2-tiny');

const { gpu } = await testEngine();
const b = new GraphBuilder();
const float = (...shape: number[]) => ({ dataType: 'float32' as const, shape });
const x = b.input('x', float(5));

/** What a run on these numbers says, or the numbers it gives. */
async function run(y: Operand, numbers: number[], options = {}): Promise<unknown> {
  const engine = await testEngine();
  using session = await engine.build(b.outputs({ y }), { check: 'finite', label: 'net', ...options });
  return await session.run({ x: numbers }).then(
    ({ y: result }) => [...result!],
    ({ code, message, hint }) => ({ code, message, hint }),
  );
}

describe("check: 'finite'", () => {
  const divided = b.div(b.add(x, x, { label: 'twice' }), b.sub(x, b.constant(float(1), new Float32Array([3]))), {
    label: 'quotient',
  });
  const net = b.reduceSum(b.relu(divided, { label: 'later' }), { keepDimensions: true });

  it('leaves finite runs alone, and large numbers too', async () => {
    expect(await run(b.relu(x), [1, -3.4e38, 3.4e38, 0, -1e-40])).toEqual([1, 0, Math.fround(3.4e38), 0, 0]);
  });

  it('names the first op that made infinity', async () => {
    expect(await run(net, [1, 2, 4, 5, 3])).toMatchObject({
      code: 'not-finite',
      message: expect.stringMatching(/^quotient: div produced a number that is not finite \(step 2 of net, binary\[/),
    });
  });

  it('names the first op that made NaN', async () => {
    const root = b.mul(b.sqrt(x, { label: 'root' }), x, { label: 'later' });
    expect(await run(root, [1, 2, 3, 4, -5])).toMatchObject({
      code: 'not-finite',
      message: expect.stringMatching(/^root: sqrt .*step 0 of net/),
    });
  });

  it('each run is judged alone, runs that are on their way together too', async () => {
    const engine = await testEngine();
    using session = await engine.build(b.outputs({ y: net }), { check: 'finite', runsAhead: 3 });
    const codes = await Promise.all(
      [3, 1, 3, 2].map((last) =>
        session.run({ x: [1, 2, 4, 5, last] }).then(
          () => 'finite',
          ({ code }) => code,
        ),
      ),
    );
    expect(codes).toEqual(['not-finite', 'finite', 'not-finite', 'finite']);
  });

  it('looks at states that are written in place', async () => {
    const state = b.state('s', float(3, 2));
    const updates = b.reshape(b.slice(b.exp(x, { label: 'power' }), [0], [2]), [1, 2]);
    const positions = b.constant({ dataType: 'uint32', shape: [1] }, new Uint32Array([1]));
    const kept = b.scatterRows(state, updates, positions, { label: 'kept' });
    expect(await run(kept, [1, 0, 0, 0, 0])).toHaveLength(6);
    expect(await run(kept, [100, 0, 0, 0, 0])).toMatchObject({ message: expect.stringMatching(/^power: exp/) });
  });

  it('looks at all pieces of what is larger than a binding', async () => {
    using engine = await freshEngine();
    Object.assign(engine.gpu.caps, { maxBindingBytes: 2 ** 16 });
    const rows = b.input('rows', float(600, 64));
    using session = await engine.build(b.outputs({ y: b.reciprocal(rows) }), { check: 'finite' });
    const numbers = new Float32Array(600 * 64).fill(1);
    await session.run({ rows: numbers });
    numbers[numbers.length - 1] = 0;
    await expect(session.run({ rows: numbers })).rejects.toMatchObject({ code: 'not-finite' });
  });

  it('finds what overflows float16, and not what pads it', async () => {
    const half = b.input('h', { dataType: 'float16', shape: [3] });
    const engine = await testEngine();
    const graph = b.outputs({ y: b.linear(half, { label: 'twice', alpha: 2, beta: 1 }) });
    using session = await engine.build(graph, { check: 'finite' });
    await session.run({ h: new Uint16Array([3, -32000, 0].map(toHalf)) });
    await expect(session.run({ h: new Uint16Array([3, 4, 40000].map(toHalf)) })).rejects.toMatchObject({
      code: 'not-finite',
      // Without shader-f16 it is computed in float32, and overflows where it is rounded.
      message: expect.stringMatching(gpu.caps.f16 ? /^twice: linear/ : /^twice: narrow/),
      hint: expect.stringContaining('65504'),
    });
    await session.run({ h: new Uint16Array([1, 2, 3].map(toHalf)) });
  });

  it('a text is generated as without it, and where a weight is infinite the layer is named', async () => {
    const engine = await testEngine();
    const tensors = await parseTensors(await readAnywhere(`${FOLDER}/model.safetensors`));
    const config = await readAnywhere(`${FOLDER}/config.json`);
    const generated = async (bias: number | undefined, options: LoadOptions): Promise<number[]> => {
      const file = encodeSafetensors(
        [...tensors].map(([name, { shape, data }]) => {
          const numbers = bias && name.endsWith('h.1.ln_2.bias') ? data.map(() => bias) : data.slice();
          return { name, storedType: 'F32' as const, shape, bytes: new Uint8Array(numbers.buffer) };
        }),
      );
      using model = (await engine.load({ 'model.safetensors': file, 'config.json': config }, options)) as TextGenerator;
      const tokens: number[] = [];
      for await (const { token } of model.generate([1, 2, 3], { maxNewTokens: 8, stopTokens: [], temperature: 0 }))
        tokens.push(token);
      return tokens;
    };
    const plain = await generated(undefined, {});
    expect(plain).toHaveLength(8);
    expect(await generated(undefined, { check: 'finite' })).toEqual(plain);
    await expect(generated(Number.POSITIVE_INFINITY, { check: 'finite' })).rejects.toMatchObject({
      code: 'not-finite',
      message: expect.stringMatching(/h\.1\.ln_2.*: layerNormalization .* of prefill/),
    });
  });
});
