import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-web';
import { afterAll, describe, expect, it } from 'vitest';
import { writeOnnx } from '../../src/cli/commands/quantize-onnx.ts';
import { type Sink, Taking } from '../../src/cli/runtime.ts';
import { layoutOnnx } from '../../src/formats/onnx-rewrite.ts';
import type { TensorHeader } from '../../src/formats/safetensors-write.ts';
import { openFolder } from '../../src/hub/folder.ts';
import { bytesSource } from '../../src/hub/source.ts';
import { encodeModel, floats, type ModelToEncode, node } from '../support/onnx.ts';
import { expectError } from './files.ts';

const root = mkdtempSync(join(tmpdir(), 'tilewright-'));
afterAll(() => rmSync(root, { recursive: true }));

const [K, N] = [64, 3];
const beside = new Uint8Array(Float32Array.from({ length: N }, (_, i) => i + 1).buffer);

/** y: of x [2, K] by w, plus a bias that lies beside the file. `w` is an input too, as in files of the first versions. */
const model = (opset: number): ModelToEncode => ({
  opset,
  inputs: [
    ['x', 'float', [2, K]],
    ['w', 'float', [K, N]],
  ],
  outputs: [['y', 'float', [2, N]]],
  initializers: [
    floats('w', [K, N], new Array(K * N).fill(1)),
    { name: 'b', type: 'float', dims: [N], external: { location: 'b.bin' } },
    floats('w_int8', [1], [7]), // a name that is taken
  ],
  nodes: [node('MatMul', ['x', 'w'], ['p']), node('Add', ['p', 'b'], ['q']), node('Mul', ['q', 'w_int8'], ['y'])],
});

const integers = Int8Array.from({ length: K * N }, (_, i) => (i % 17) - 8);
const x = Float32Array.from({ length: 2 * K }, (_, i) => Math.cos(i));

/** What onnxruntime makes of the folder that is written for values and scales. */
async function written(name: string, opset: number, scales: readonly number[], shape: readonly number[]) {
  const folder = await openFolder({ 'm.onnx': encodeModel(model(opset)), 'b.bin': beside });
  const headers: TensorHeader[] = [
    { name: 'w', storedType: 'I8', shape: [K, N] },
    { name: 'w_scale', storedType: 'F32', shape },
  ];
  const taking = new Taking();
  const give = async (sink: string): Promise<void> => {
    await taking.give(sink, new Uint8Array(integers.buffer));
    await taking.give(sink, new Uint8Array(Float32Array.from(scales).buffer));
  };
  const { signal } = new AbortController();
  const runtime = { take: (sink: Sink) => taking.add(sink) };
  const target = join(root, name);
  const sizes = await writeOnnx(folder, 'm.onnx', target, headers, { dtype: 'int8' }, { runtime, give, signal });
  const bytes = readFileSync(join(target, 'm.onnx'));
  expect(bytes).toHaveLength(sizes.bytes);
  expect(sizes.before).toBe(4 * (K * N + N + 1));
  const session = await InferenceSession.create(bytes, { executionProviders: ['wasm'] });
  expect(session.inputNames).toEqual(['x']);
  const { y } = await session.run({ x: new Tensor('float32', x, [2, K]) });
  return Array.from(y!.data as Float32Array);
}

describe('a file with small weights', () => {
  it.each<[string, number, readonly number[], (k: number, n: number) => number]>([
    ['a scale a column', 20, [1, N], (_, n) => n],
    ['a scale a column, of an operator set that has none', 11, [1, N], (_, n) => n],
    ['a scale of blocks', 21, [2, N], (k, n) => Math.floor(k / 32) * N + n],
  ])('computes in onnxruntime what its numbers say: %s', async (name, opset, shape, scaleAt) => {
    const scales = Array.from({ length: shape[0]! * N }, (_, i) => 2 ** -i);
    const got = await written(name, opset, scales, shape);
    got.forEach((value, i) => {
      const [row, n] = [Math.floor(i / N), i % N];
      let sum = n + 1;
      for (let k = 0; k < K; k++) sum += x[row * K + k]! * integers[k * N + n]! * scales[scaleAt(k, n)]!;
      expect(Math.abs(value - 7 * sum)).toBeLessThan(1e-3);
    });
  });

  it('has blocks of no operator set without them', async () => {
    await expectError(
      () => written('refused', 20, new Array(2 * N).fill(1), [2, N]),
      'unsupported-option',
      /operator set 21 or above, got 20/,
    );
    expect(readdirSync(root)).not.toContain('refused');
  });

  it('is the same file where nothing changes', async () => {
    const { initializers, ...rest } = model(20);
    const bytes = encodeModel({ ...rest, initializers: initializers!.filter(({ external }) => !external) });
    const source = bytesSource('m.onnx', bytes);
    const none = { removed: new Set<string>(), nodes: [], tensors: [], opsets: new Map(), metadata: {} };
    const { parts, tensors, byteLength } = await layoutOnnx(source, none, new Map());
    expect([tensors.size, byteLength]).toEqual([0, bytes.length]);
    const made = new Uint8Array(byteLength);
    for (const { offset, bytes: part } of parts)
      made.set(part instanceof Uint8Array ? part : await source.slice(part.start, part.end), offset);
    expect(made).toEqual(bytes);
  });

  it('is refused where it cannot be: cut off, or of 2 GiB', async () => {
    const none = { removed: new Set<string>(), nodes: [], tensors: [], opsets: new Map(), metadata: {} };
    const bytes = encodeModel(model(20));
    await expectError(
      () => layoutOnnx(bytesSource('m.onnx', bytes.subarray(0, 100)), none, new Map()),
      'invalid-file',
      /m\.onnx: byte \d+/,
    );
    const large = { name: 'large', type: 'int8', dims: [2 ** 31], byteLength: 2 ** 31 } as const;
    await expectError(
      () => layoutOnnx(bytesSource('m.onnx', bytes), { ...none, tensors: [large] }, new Map()),
      'unsupported-option',
      /less than 2 GiB/,
    );
  });
});
