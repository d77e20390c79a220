import { describe, expect, it } from 'vitest';
import type { ImageClassifier } from '../../src/models/resnet.ts';
import type { GraphModel } from '../../src/onnx/graph-model.ts';
import type { GraphTensor } from '../../src/onnx/run-tensors.ts';
import { elementCount } from '../../src/tensor/types.ts';
import { preprocess } from '../../src/vision/preprocess.ts';
import { testEngine } from '../support/engine.ts';
import { readAnywhere, repositoryFolder } from '../support/files.ts';
import {
  encodeModel,
  floats,
  type ModelToEncode,
  node,
  type TensorToEncode,
  type ValueToEncode,
} from '../support/onnx.ts';
import { parseReference, type Reference } from '../support/references.ts';
import { hasShared, sharedPath } from '../support/shared.ts';

const FOLDER = 'tests/fixtures/onnx-quantised';

/** Models that tools/export_onnx.py quantised, and the integers among their outputs. */
const MODELS: readonly [name: string, integers: number][] = [
  ['resnet20-qdq-u8s8', 9],
  ['stage1-qdq-s8s8', 6],
  ['stage1-qlinear-u8u8', 4],
  ['stage1-qlinear-u8s8', 4],
  ['stage1-dynamic', 3],
  ['transformer-qdq-u8s8', 30],
  ['transformer-qlinear-u8u8', 30],
  ['transformer-dynamic', 18],
  ['transformer-nbits4-zero', 0],
  ['transformer-nbits8', 0],
];

const referenceOf = async (name: string): Promise<Reference> =>
  parseReference(name, await readAnywhere(repositoryFolder(`${FOLDER}/${name}.safetensors`)));

async function withModel<T>(name: string, work: (model: GraphModel) => Promise<T>): Promise<T> {
  const engine = await testEngine();
  const before = engine.counters.bytes;
  const model = (await engine.load(repositoryFolder(`${FOLDER}/${name}.onnx`))) as GraphModel;
  try {
    return await work(model);
  } finally {
    model.dispose();
    expect(engine.counters.bytes).toBe(before);
  }
}

/** How many elements differ, and by how much at the most. */
function differences(got: ArrayLike<number>, want: ArrayLike<number>): { count: number; most: number } {
  let [count, most] = [0, 0];
  for (let i = 0; i < want.length; i++) {
    const difference = Math.abs(got[i]! - want[i]!);
    if (difference === 0) continue;
    count++;
    if (!(difference <= most)) most = difference;
  }
  return { count, most };
}

describe('models of a quantiser', () => {
  it.each(MODELS)('%s gives the integers of exact arithmetic', async (name, integers) => {
    const { inputs, outputs } = await referenceOf(name);
    const results = await withModel(name, (model) => model.run(inputs));
    expect(Object.keys(results).sort()).toEqual(Object.keys(outputs).sort());
    let compared = 0;
    for (const [key, { dims, data }] of Object.entries(outputs)) {
      const got = results[key] as GraphTensor;
      expect(got.dims, key).toEqual(dims);
      const found = differences(got.data as ArrayLike<number>, data as ArrayLike<number>);
      if (data instanceof Float32Array) {
        const size = data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        expect(found.most, key).toBeLessThan(1e-5 * size);
      } else {
        compared++;
        expect(found, `${key}, of ${data.length}`).toEqual({ count: 0, most: 0 });
      }
    }
    expect(compared).toBe(integers);
  });
});

describe('the plan of quantised ResNet-20', () => {
  it('has an integer kernel for each of its 21 convolutions, and no transpose between them', async () => {
    const name = 'resnet20-qdq-u8s8';
    const { inputs, outputs } = await referenceOf(name);
    const kernels = await withModel(name, async (model) => {
      await model.run(inputs, { outputs: ['logits'] });
      const [session] = await model.sessions();
      return session!.plan.steps.map(({ candidate }) => candidate.label.replace(/[_[].*/, ''));
    });
    const count = (wanted: string): number => kernels.filter((kernel) => kernel === wanted).length;
    expect(count('conv2dInteger')).toBe(21);
    expect(count('matmulInteger')).toBe(1);
    expect(count('conv2d') + count('matmul') + count('gemm')).toBe(0);
    const images = Object.values(outputs).filter(({ dims }) => dims.length === 4 && dims[2]! > 1).length;
    expect(count('transpose'), 'of the picture, and of the images that are outputs').toBe(1 + images);
  });
});

const bytesOf = (type: 'int8' | 'uint8', count: number, from: number): number[] =>
  Array.from({ length: count }, (_, i) => ((i * 97 + from * 31 + (i >> 4) * 57) & 255) - (type === 'int8' ? 128 : 0));

const stored = (
  name: string,
  type: 'int8' | 'uint8',
  dims: readonly number[],
  values: readonly number[],
): TensorToEncode => ({
  name,
  type,
  dims,
  raw: type === 'int8' ? new Uint8Array(Int8Array.from(values).buffer) : Uint8Array.from(values),
});

interface Product {
  readonly types: readonly ['int8' | 'uint8', 'int8' | 'uint8'];
  readonly x: readonly number[];
  readonly w: readonly number[];
  /** Zero points of x and w; `onDevice`: they are inputs of the run. */
  readonly zeros: readonly [readonly number[], readonly number[]];
  readonly onDevice?: boolean;
}

/** y of one node on x, w and their zero points, int32. */
async function sumsOf(op: string, { types, x, w, zeros, onDevice }: Product, attributes = {}): Promise<number[]> {
  const [values, weights] = [bytesOf(types[0], elementCount(x), 1), bytesOf(types[1], elementCount(w), 2)];
  const points = zeros.map((list, i) => stored(`z${i}`, types[i]!, list.length > 1 ? [list.length] : [], list));
  const model: ModelToEncode = {
    nodes: [node(op, ['x', 'w', 'z0', 'z1'], ['y'], attributes)],
    inputs: [
      ['x', types[0], x],
      ...(onDevice ? zeros.map((_, i): ValueToEncode => [`z${i}`, types[i]!, points[i]!.dims]) : []),
    ],
    outputs: [['y', 'int32']],
    initializers: [stored('w', types[1], w, weights), ...(onDevice ? [] : points)],
  };
  const engine = await testEngine();
  using made = (await engine.load({ 'm.onnx': encodeModel(model) })) as GraphModel;
  const inputs = {
    x: values,
    ...(onDevice && { z0: { dims: [], data: zeros[0]! }, z1: { dims: points[1]!.dims, data: zeros[1]! } }),
  };
  const { y } = (await made.run(inputs as never)) as { y: GraphTensor };
  return Array.from(y.data as Int32Array);
}

const at = (list: readonly number[], i: number): number => list[list.length > 1 ? i : 0]!;

describe('sums of bytes with zero points', () => {
  it.each<[string, Product]>([
    ['uint8 by int8', { types: ['uint8', 'int8'], x: [5, 21], w: [21, 6], zeros: [[7], [0]] }],
    ['uint8 by uint8', { types: ['uint8', 'uint8'], x: [4, 32], w: [32, 8], zeros: [[200], [3]] }],
    ['a zero point a column', { types: ['int8', 'int8'], x: [3, 16], w: [16, 5], zeros: [[-5], [1, -2, 3, -4, 5]] }],
    ['a zero point a row', { types: ['uint8', 'int8'], x: [3, 16], w: [16, 4], zeros: [[1, 128, 255], [9]] }],
    [
      'zero points of the run',
      { types: ['uint8', 'uint8'], x: [3, 48], w: [48, 4], zeros: [[17], [250]], onDevice: true },
    ],
    ['matrices of a batch', { types: ['uint8', 'uint8'], x: [2, 3, 16], w: [2, 16, 4], zeros: [[17], [250]] }],
    ['a batch by one matrix', { types: ['int8', 'uint8'], x: [2, 3, 16], w: [1, 16, 4], zeros: [[17], [250]] }],
    ['more terms than float32 holds', { types: ['uint8', 'int8'], x: [1, 3000], w: [3000, 4], zeros: [[0], [-128]] }],
  ])('are exact in MatMulInteger: %s', async (_, product) => {
    const { types, x, w, zeros } = product;
    const [m, k] = x.slice(-2) as [number, number];
    const n = w.at(-1)!;
    const [values, weights] = [bytesOf(types[0], elementCount(x), 1), bytesOf(types[1], elementCount(w), 2)];
    const batches = elementCount(x) / (m * k);
    const alone = elementCount(w) === k * n;
    const want = Array.from({ length: batches * m * n }, (_, place) => {
      const [batch, row, column] = [Math.floor(place / (m * n)), Math.floor(place / n) % m, place % n];
      let sum = 0;
      for (let i = 0; i < k; i++)
        sum +=
          (values[(batch * m + row) * k + i]! - at(zeros[0], row)) *
          (weights[((alone ? 0 : batch) * k + i) * n + column]! - at(zeros[1], column));
      return sum;
    });
    expect(await sumsOf('MatMulInteger', product)).toEqual(want);
  });

  it.each<[string, Product, groups: number, pads: readonly number[], strides: readonly number[]]>([
    [
      'a border',
      { types: ['uint8', 'int8'], x: [2, 3, 5, 6], w: [4, 3, 3, 3], zeros: [[9], [0]] },
      1,
      [1, 0, 2, 1],
      [1, 1],
    ],
    [
      'both with zero points',
      { types: ['uint8', 'uint8'], x: [1, 4, 6, 5], w: [8, 4, 3, 2], zeros: [[9], [77]] },
      1,
      [1, 1, 1, 1],
      [2, 1],
    ],
    [
      'groups',
      { types: ['int8', 'uint8'], x: [1, 4, 5, 5], w: [6, 2, 3, 3], zeros: [[-9], [1, 2, 3, 4, 5, 6]] },
      2,
      [1, 1, 1, 1],
      [1, 1],
    ],
    [
      'zero points of the run',
      { types: ['uint8', 'uint8'], x: [1, 3, 5, 5], w: [4, 3, 3, 3], zeros: [[5], [6]], onDevice: true },
      1,
      [1, 1, 1, 1],
      [1, 1],
    ],
  ])('are exact in ConvInteger: %s', async (_, product, group, pads, strides) => {
    const { types, x, w, zeros } = product;
    const [n, c, h, wide] = x as [number, number, number, number];
    const [o, depth, high, across] = w as [number, number, number, number];
    const [values, weights] = [bytesOf(types[0], elementCount(x), 1), bytesOf(types[1], elementCount(w), 2)];
    const rows = Math.floor((h + pads[0]! + pads[2]! - high) / strides[0]!) + 1;
    const columns = Math.floor((wide + pads[1]! + pads[3]! - across) / strides[1]!) + 1;
    const want: number[] = [];
    for (let image = 0; image < n; image++)
      for (let channel = 0; channel < o; channel++)
        for (let row = 0; row < rows; row++)
          for (let column = 0; column < columns; column++) {
            let sum = 0;
            for (let d = 0; d < depth; d++)
              for (let i = 0; i < high; i++)
                for (let j = 0; j < across; j++) {
                  const [y, left] = [row * strides[0]! + i - pads[0]!, column * strides[1]! + j - pads[1]!];
                  if (y < 0 || left < 0 || y >= h || left >= wide) continue;
                  const from = Math.floor(channel / (o / group)) * depth + d;
                  const value = values[((image * c + from) * h + y) * wide + left]!;
                  const weight = weights[((channel * depth + d) * high + i) * across + j]!;
                  sum += (value - at(zeros[0], 0)) * (weight - at(zeros[1], channel));
                }
            want.push(sum);
          }
    expect(await sumsOf('ConvInteger', product, { group, pads, strides })).toEqual(want);
  });
});

/** MatMulNBits of x [1, K] by N rows of a byte each 8 / bits numbers, and what it gives. */
function nBits(
  bits: number,
  k: number,
  n: number,
  block: number,
  zeros: boolean,
): { model: ModelToEncode; x: number[]; y: number[] } {
  const each = 8 / bits;
  const blocks = Math.ceil(k / block);
  const byte = (i: number): number => (i * 73 + (i >> 8) * 31 + 5) & 255;
  const packed = Uint8Array.from({ length: n * blocks * (block / each) }, (_, i) => byte(i));
  const points = Uint8Array.from({ length: n * Math.ceil(blocks / each) }, (_, i) => byte(3 * i + 1));
  const scales = Array.from({ length: n * blocks }, (_, i) => Math.fround(0.01 + 0.001 * (i % 7)));
  const x = Array.from({ length: k }, (_, i) => Math.fround(Math.sin(i)));
  const at = (list: Uint8Array, i: number): number =>
    (list[Math.floor(i / each)]! >> (bits * (i % each))) & (2 ** bits - 1);
  const y = Array.from({ length: n }, (_, row) =>
    x.reduce((sum, value, i) => {
      const own = Math.floor(i / block);
      const zero = zeros ? at(points.subarray(row * Math.ceil(blocks / each)), own) : 2 ** (bits - 1);
      return sum + value * (at(packed, row * blocks * block + i) - zero) * scales[row * blocks + own]!;
    }, 0),
  );
  const bytes = (name: string, dims: number[], raw: Uint8Array): TensorToEncode => ({ name, type: 'uint8', dims, raw });
  const model: ModelToEncode = {
    nodes: [
      node('MatMulNBits@com.microsoft', ['x', 'b', 's', ...(zeros ? ['z'] : [])], ['y'], {
        K: k,
        N: n,
        bits,
        block_size: block,
      }),
    ],
    inputs: [['x', 'float', [1, k]]],
    outputs: [['y', 'float']],
    initializers: [
      bytes('b', [n, blocks, block / each], packed),
      floats('s', [n * blocks], scales),
      ...(zeros ? [bytes('z', [points.length], points)] : []),
    ],
  };
  return { model, x, y };
}

describe('MatMulNBits', () => {
  it.each([
    [2, 64, 12, 32, false],
    [4, 64, 12, 32, false],
    [4, 64, 12, 32, true],
    [4, 96, 7, 16, true],
    [4, 40, 8, 16, false],
    [4, 40, 8, 16, true],
    [2, 64, 6, 16, true],
    [8, 64, 12, 32, false],
    [8, 48, 5, 16, true],
  ])('of %i bits, K %i, N %i, blocks of %i, zero points %s', async (bits, k, n, block, zeros) => {
    const { model, x, y } = nBits(bits, k, n, block, zeros);
    const engine = await testEngine();
    using made = (await engine.load({ 'm.onnx': encodeModel(model) })) as GraphModel;
    const got = (await made.run({ x })) as { y: GraphTensor };
    const size = Math.max(...y.map(Math.abs));
    expect(differences(got.y.data as ArrayLike<number>, y).most).toBeLessThan(1e-5 * size);
  });

  it.each([
    [4, false, 0.5 + 4 / 32],
    [4, true, 0.5 + 8 / 32],
    [8, false, 1 + 4 / 32],
  ])('keeps %i bits on the device, zero points %s: %f bytes a weight', async (bits, zeros, each) => {
    const [k, n] = [256, 512];
    const { model, x } = nBits(bits, k, n, 32, zeros);
    const engine = await testEngine();
    const before = engine.counters.bytes;
    using made = (await engine.load({ 'm.onnx': encodeModel(model) })) as GraphModel;
    await made.run({ x });
    const bytes = engine.counters.bytes - before;
    expect(bytes).toBeGreaterThanOrEqual(each * k * n);
    expect(bytes).toBeLessThan(each * k * n + 16384); // input, output, uniforms
  });
});

describe('weights that are scaled back before a product of floats', () => {
  it.each<[type: 'int8' | 'int4', domain: string, each: number]>([
    ['int8', '', 1 + 4 / 32],
    ['int4', '', 0.5 + 4 / 32],
    ['int4', '@com.microsoft', 0.5 + 4 / 32],
  ])('stay %s on the device, with a scale for 32 of K (DequantizeLinear%s)', async (type, domain, each) => {
    const [k, n] = [128, 256];
    const [low, high] = type === 'int8' ? [-128, 127] : [-8, 7];
    const w = Int8Array.from({ length: k * n }, (_, i) => low + ((i * 37 + (i >> 8) * 11) % (high - low + 1)));
    const raw =
      type === 'int8' ? w : Int8Array.from({ length: (k * n) / 2 }, (_, i) => (w[2 * i]! & 15) | (w[2 * i + 1]! << 4));
    const scales = Array.from({ length: (k / 32) * n }, (_, i) => Math.fround(0.01 + 0.001 * (i % 7)));
    const zeros = new Uint8Array(type === 'int8' ? scales.length : scales.length / 2);
    const x = Array.from({ length: k }, (_, i) => Math.fround(Math.sin(i)));
    const model: ModelToEncode = {
      opset: 21,
      nodes: [
        node(`DequantizeLinear${domain}`, ['w', 's', 'z'], ['f'], { axis: 0, block_size: 32 }),
        node('MatMul', ['x', 'f'], ['y']),
      ],
      inputs: [['x', 'float', [1, k]]],
      outputs: [['y', 'float']],
      initializers: [
        { name: 'w', type, dims: [k, n], raw: new Uint8Array(raw.buffer) },
        floats('s', [k / 32, n], scales),
        { name: 'z', type, dims: [k / 32, n], raw: zeros },
      ],
    };
    const y = Array.from({ length: n }, (_, column) =>
      x.reduce((sum, value, i) => sum + value * w[i * n + column]! * scales[(i >> 5) * n + column]!, 0),
    );
    const engine = await testEngine();
    const before = engine.counters.bytes;
    using made = (await engine.load({ 'm.onnx': encodeModel(model) })) as GraphModel;
    const got = (await made.run({ x })) as { y: GraphTensor };
    const size = Math.max(...y.map(Math.abs));
    expect(differences(got.y.data as ArrayLike<number>, y).most).toBeLessThan(1e-5 * size);
    const bytes = engine.counters.bytes - before;
    expect(bytes).toBeGreaterThanOrEqual(each * k * n);
    expect(bytes).toBeLessThan(each * k * n + 12288);
  });
});

const inNode = typeof window === 'undefined';
const COUNT = 1000;
const BATCH = 50;
const CLASSES = 10;

/** How many of a batch have their largest logit where the label is. */
const hits = (logits: ArrayLike<number>, labels: readonly number[]): number =>
  labels.filter((label, i) => {
    const own = Array.from({ length: CLASSES }, (_, c) => logits[i * CLASSES + c]!);
    return own.indexOf(Math.max(...own)) === label;
  }).length;

// Chrome computes the same integers, and takes five times as long for them on SwiftShader (docs/quantisation.md); sharp decodes the pictures.
describe.skipIf(!hasShared || !inNode)(`top-1 of ResNet-20 on ${COUNT} pictures of ../shared/data, in Node`, () => {
  it('is within 0.3 points of that of float32', { timeout: 300_000 }, async () => {
    const { openDataset } = await import('../../src/cli/datasets.ts');
    const engine = await testEngine();
    const float = (await engine.load(repositoryFolder('weights/resnet20-cifar10'))) as ImageClassifier;
    const names = ['resnet20-qdq-u8s8'];
    const models = await Promise.all(
      names.map(async (name) => (await engine.load(repositoryFolder(`${FOLDER}/${name}.onnx`))) as GraphModel),
    );
    const dataset = await openDataset(sharedPath('data/cifar10/cifar10_jpeg_test.tar.gz'), float.labels, {
      limit: COUNT,
    });
    const right = [0, ...names.map(() => 0)];
    const batch: { picture: Parameters<typeof preprocess>[0][number]; label: number }[] = [];
    let seen = 0;
    for await (const sample of dataset) {
      batch.push(sample);
      if (batch.length < BATCH) continue;
      const pixels = preprocess(
        batch.map(({ picture }) => picture),
        float.preprocessing,
      );
      const labels = batch.splice(0).map(({ label }) => label);
      right[0]! += hits(await float.logits(pixels, BATCH), labels);
      for (const [i, model] of models.entries()) {
        const input = { dims: [BATCH, 3, 32, 32], data: pixels };
        const { logits } = await model.run({ input }, { outputs: ['logits'] });
        right[i + 1]! += hits((logits as GraphTensor).data as Float32Array, labels);
      }
      seen += labels.length;
    }
    for (const model of [float, ...models]) model.dispose();
    expect(seen).toBe(COUNT);
    expect(right[0], 'float32').toBeGreaterThan(0.8 * COUNT);
    for (const [i, name] of names.entries())
      expect(Math.abs(right[i + 1]! - right[0]!), `${name}: ${right}`).toBeLessThanOrEqual(0.003 * COUNT);
    console.log(
      `top-1 of ${COUNT}: float32 ${right[0]}, ${names.map((name, i) => `${name} ${right[i + 1]}`).join(', ')}`,
    );
  });
});
