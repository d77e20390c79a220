import { describe, expect, it } from 'vitest';
import '../support/ops.ts';
import { openSafetensors } from '../../src/formats/safetensors.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import type { HostData } from '../../src/tensor/types.ts';
import { expectError, sourceOf } from '../formats/files.ts';
import { testEngine } from '../support/engine.ts';

const engine = await testEngine();
const int64 = (...shape: number[]) => ({ dataType: 'int64' as const, shape });
const big = (...values: number[]) => BigInt64Array.from(values, BigInt);

describe('sessions of types that the device has not', () => {
  it('take and give BigInt arrays, and plain numbers', async () => {
    const b = new GraphBuilder();
    const [x, y] = [b.input('x', int64(3)), b.input('y', int64(3))];
    const picked = b.gather(b.constant(int64(4), big(10, -20, 30, -40)), x);
    const unsigned = b.max(
      b.input('u', { dataType: 'uint64', shape: [1] }),
      b.cast(b.reshape(b.slice(x, [1], [1]), [1]), 'uint64'),
    );
    using session = await engine.build(b.outputs({ sum: b.add(x, y), picked, unsigned, less: b.lesser(x, y) }));
    const given = { x: big(1, 3, 0), y: big(-5, 2147483640, -2147483648), u: new BigUint64Array([4294967295n]) };
    const want = {
      sum: big(-4, 2147483643, -2147483648),
      picked: big(-20, -40, 10),
      unsigned: new BigUint64Array([4294967295n]),
      less: new Uint8Array([0, 1, 0]),
    };
    expect(await session.run<HostData>(given)).toEqual(want);
    const plain = { x: [1, 3, 0], y: [-5n, 2147483640n, -2147483648n], u: [4294967295] };
    expect(await session.run<HostData>(plain)).toEqual(want);
    session.write('y', big(0, 0, 0));
    expect((await session.run<HostData>({ x: big(7, 8, 9), u: [0] }))['sum']).toEqual(big(7, 8, 9));
  });

  it('refuse what does not fit by name and value, in the types of the graph', async () => {
    const b = new GraphBuilder();
    using session = await engine.build(b.outputs({ y: b.identity(b.input('ids', int64(2))) }));
    const run = (ids: HostData | number[]) => () => session.run({ ids });
    await expectError(
      run(big(1, 2147483648)),
      'unsupported-type',
      /input ids: the int64 value 2147483648 does not fit int32/,
    );
    await expectError(run(big(-2147483649, 0)), 'unsupported-type', /-2147483649/);
    await expectError(run([0.5, 1]), 'unsupported-type', /the int64 value 0.5/);
    await expectError(run(new Int32Array(2)), 'wrong-type', /expected BigInt64Array for int64\[2\], got Int32Array/);
    await expectError(run(big(1)), 'wrong-shape', /expected 2 elements for int64\[2\], got 1/);
    await expectError(() => session.run({}), 'invalid-argument', /'ids' is missing: int64\[2\]/);
    expect((await session.run<HostData>({ ids: big(1, 2) }))['y']).toEqual(big(1, 2));
    const c = b.constant(int64(1), big(2 ** 40));
    await expectError(
      () => engine.build(b.outputs({ c })),
      'unsupported-type',
      /constant: the int64 value 1099511627776/,
    );
  });

  it('have constants of I64 and U64 from a file, narrowed as they are read', async () => {
    const values = big(3, -1, 2147483647);
    const header = {
      ids: { dtype: 'I64', shape: [3], data_offsets: [0, 24] },
      far: { dtype: 'U64', shape: [1], data_offsets: [24, 32] },
    };
    const body = new Uint8Array(32);
    body.set(new Uint8Array(values.buffer));
    body.set(new Uint8Array(new BigUint64Array([2n ** 32n]).buffer), 24);
    const { tensors } = await openSafetensors(sourceOf(header, body));
    const b = new GraphBuilder();
    const ids = b.constant(tensors.get('ids')!);
    expect(ids.dataType).toBe('int64');
    using session = await engine.build(b.outputs({ ids, sum: b.add(ids, b.input('x', int64(1))) }));
    expect(await session.run<HostData>({ x: [-3] })).toEqual({ ids: values, sum: big(0, -4, 2147483644) });
    const far = b.constant(tensors.get('far')!);
    await expectError(() => engine.build(b.outputs({ far })), 'unsupported-type', /far: the U64 value 4294967296/);
  });

  it('argMax gives int64 where it is asked to', async () => {
    const b = new GraphBuilder();
    const x = b.input('x', { dataType: 'float32', shape: [2, 3] });
    using session = await engine.build(
      b.outputs({ y: b.argMax(x, 1, { outputDataType: 'int64' }), z: b.argMin(x, 1) }),
    );
    const results = await session.run<HostData>({ x: [1, 5, 2, 9, 0, 3] });
    expect(results).toEqual({ y: big(1, 0), z: new Int32Array([0, 1]) });
  });
});

describe('int4 and uint4', () => {
  it('go in and out two to a byte, the first in the low half', async () => {
    const b = new GraphBuilder();
    const x = b.input('x', { dataType: 'uint4', shape: [3] });
    const scale = b.constant({ dataType: 'float32', shape: [1] }, new Float32Array([0.5]));
    const zero = b.constant({ dataType: 'uint4', shape: [1] }, new Uint8Array([3]));
    const floats = b.dequantizeLinear(x, scale, zero);
    const back = b.quantizeLinear(b.add(floats, floats), scale, zero);
    const signed = b.quantizeLinear(floats, scale, undefined, { dataType: 'int4' });
    using session = await engine.build(b.outputs({ floats, back, signed, same: b.reshape(x, [1, 3]) }));
    const results = await session.run<HostData>({ x: new Uint8Array([0xf0, 0x05]) });
    expect(results).toEqual({
      floats: new Float32Array([-1.5, 6, 1]),
      back: new Uint8Array([0xf0, 0x07]), // -3, 27 and 7, within 0 and 15
      signed: new Uint8Array([0x7d, 0x02]), // -3, 12 and 2, within -8 and 7
      same: new Uint8Array([0xf0, 0x05]),
    });
    expect(await session.run<HostData>({ x: [0, 15, 5] })).toEqual(results);
  });

  it('weights of a product are read as they lie, turned or not, with zero points or without', async () => {
    const [K, N] = [64, 8];
    const numbers = Array.from({ length: K * N }, (_, i) => ((i * 7) % 16) - 8);
    const packed = Uint8Array.from(
      { length: (K * N) / 2 },
      (_, i) => (numbers[2 * i]! & 15) | ((numbers[2 * i + 1]! & 15) << 4),
    );
    const activations = Float32Array.from({ length: K }, (_, i) => (i % 5) - 2);
    const weight = (k: number, n: number): number => numbers[k * N + n]!;
    const product = (zero: number) =>
      Float32Array.from({ length: N }, (_, n) =>
        activations.reduce((sum, a, k) => sum + a * 0.25 * (weight(k, n) - zero), 0),
      );
    for (const zero of [undefined, 0, 1]) {
      const b = new GraphBuilder();
      const a = b.input('a', { dataType: 'float32', shape: [1, K] });
      const w = b.constant({ dataType: 'int4', shape: [K, N] }, packed);
      const scale = b.constant({ dataType: 'float32', shape: [1, N] }, new Float32Array(N).fill(0.25));
      const zeros =
        zero === undefined
          ? undefined
          : b.constant({ dataType: 'int4', shape: [1, N] }, new Uint8Array(N / 2).fill(17 * zero));
      const floats = b.dequantizeLinear(w, scale, zeros);
      const turned = b.matmul(a, b.transpose(b.transpose(floats)));
      using session = await engine.build(b.outputs({ y: b.matmul(a, floats), turned, floats }));
      const { y, turned: also, floats: whole } = await session.run({ a: activations });
      expect(y, `zero ${zero}`).toEqual(product(zero ?? 0));
      expect(also, `zero ${zero}`).toEqual(product(zero ?? 0));
      expect(whole).toEqual(Float32Array.from(numbers, (value) => 0.25 * (value - (zero ?? 0))));
    }
  });
});
