import { InferenceSession, Tensor } from 'onnxruntime-web';
import { describe, expect, it } from 'vitest';
import { randomTensors, resnetShapes, type TextSize, textShapes } from '../../bench/models.ts';
import type { OnnxModel } from '../../bench/peers/onnx.ts';
import { onnxConv2d, onnxDecoder, onnxMatmul, onnxResNet } from '../../bench/peers/onnx-models.ts';
import { permute } from '../../bench/peers/permute.ts';
import { Message } from '../../src/formats/protobuf-write.ts';

const open = ({ model, externalData }: OnnxModel) =>
  InferenceSession.create(model, { executionProviders: ['wasm'], externalData: [...externalData] });

const shapes = (list: readonly InferenceSession.ValueMetadata[]) =>
  Object.fromEntries(list.map((value) => [value.name, value.isTensor ? [value.type, ...value.shape] : []]));

const numbers = (count: number, seed: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(seed + 1.7 * i));

describe('what is written for onnxruntime', () => {
  it('writes the wire format of Protocol Buffers', () => {
    const inner = new Message().int(1, 150).text(2, 'hé');
    const bytes = new Message().message(3, inner).float(4, -2).int(16, -1).bytes(5, Uint8Array.of(9)).encode();
    expect([...bytes]).toEqual([
      ...[0x1a, 8, 0x08, 0x96, 0x01, 0x12, 3, 0x68, 0xc3, 0xa9],
      ...[0x25, 0, 0, 0, 0xc0],
      ...[0x80, 0x01, ...new Array(9).fill(0xff), 0x01],
      ...[0x2a, 1, 9],
    ]);
  });

  it('is read by onnxruntime, which multiplies as we do', async () => {
    const [m, k, n] = [3, 5, 4];
    const [a, b] = [numbers(m * k, 1), numbers(k * n, 2)];
    const session = await open(onnxMatmul(m, k, n, b));
    expect(shapes(session.inputMetadata)).toEqual({ input: ['float32', m, k] });
    expect(shapes(session.outputMetadata)).toEqual({ output: ['float32', m, n] });
    const { output } = await session.run({ input: new Tensor('float32', a, [m, k]) });
    const want = Array.from({ length: m * n }, (_, at) =>
      Array.from({ length: k }, (_, i) => a[Math.floor(at / n) * k + i]! * b[i * n + (at % n)]!).reduce(
        (x, y) => x + y,
      ),
    );
    want.forEach((value, i) => {
      expect(Math.abs((output!.data[i] as number) - value)).toBeLessThanOrEqual(1e-6);
    });
  });

  it('keeps large weights beside the model', () => {
    const { model, externalData } = onnxMatmul(1, 64, 64, numbers(4096, 1));
    expect(externalData.map(({ path, data }) => [path, data.length])).toEqual([['weights', 16384]]);
    expect(model.length).toBeLessThan(400);
  });

  it('gives convolutions their strides, groups and padding', async () => {
    const layer = { size: 8, channels: 6, out: 6, window: 3, stride: 2, groups: 6 };
    const session = await open(onnxConv2d(layer, new Float32Array(54).fill(1)));
    const { output } = await session.run({ input: new Tensor('float32', new Float32Array(384).fill(1), [1, 6, 8, 8]) });
    expect(output!.dims).toEqual([1, 6, 4, 4]);
    expect([...output!.data.slice(0, 6)]).toEqual([4, 6, 6, 6, 6, 9]);
  });

  it.each([
    ['basic', { blocks: [1, 1], width: 8, bottleneck: false, classes: 5, image: 32 }],
    ['bottleneck', { blocks: [1, 2], width: 4, bottleneck: true, classes: 7, image: 32 }],
  ])('makes a ResNet of %s blocks', async (_, size) => {
    const session = await open(onnxResNet(randomTensors(resnetShapes(size)), size));
    const { logits } = await session.run({ image: new Tensor('float32', numbers(3072, 3), [1, 3, 32, 32]) });
    expect(logits!.dims).toEqual([1, size.classes]);
    expect([...logits!.data].every((value) => Number.isFinite(value) && value !== 0)).toBe(true);
  });

  it.each<[string, TextSize]>([
    ['GPT-2', { layers: 2, width: 32, heads: 4, vocabulary: 50, context: 16 }],
    [
      'Llama of 4 heads with 2 keys',
      {
        model_type: 'llama',
        vocab_size: 50,
        hidden_size: 32,
        intermediate_size: 48,
        num_hidden_layers: 2,
        num_attention_heads: 4,
        num_key_value_heads: 2,
        head_dim: 16,
        max_position_embeddings: 16,
        rms_norm_eps: 1e-5,
        rope_theta: 10_000,
      },
    ],
  ])('makes a %s whose cache changes nothing', async (_, size) => {
    const decoder = onnxDecoder(randomTensors(textShapes(size)), size);
    const { heads, headSize } = decoder;
    const session = await open(decoder);
    const extend = async (tokens: number[], length: number, past: Tensor[]) => {
      const empty = new Tensor('float32', new Float32Array(), [1, heads, 0, headSize]);
      const inputs = Object.entries(decoder.inputs(tokens, length)).map(([name, { type, dims, data }]) => [
        name,
        new Tensor(type, data as never, dims),
      ]);
      const out = await session.run({
        ...Object.fromEntries(inputs),
        ...Object.fromEntries(decoder.past.map((name, i) => [name, past[i] ?? empty])),
      });
      return { logits: out['logits']!.data as Float32Array, past: decoder.present.map((name) => out[name]!) };
    };
    const whole = await extend([3, 1, 4, 1], 0, []);
    const begun = await extend([3, 1, 4], 0, []);
    const { logits, past } = await extend([1], 3, begun.past);
    expect(past.map(({ dims }) => dims)).toEqual(new Array(4).fill([1, heads, 4, headSize]));
    logits.forEach((value, i) => {
      expect(Math.abs(value - whole.logits[i]!)).toBeLessThanOrEqual(1e-5);
    });
    expect(new Set(logits).size).toBe(50);
  });

  it('permutes axes', () => {
    const data = Float32Array.from({ length: 24 }, (_, i) => i);
    expect([...permute(data, [2, 3, 4], [2, 0, 1])].slice(0, 7)).toEqual([0, 4, 8, 12, 16, 20, 1]);
    expect([...permute(permute(data, [2, 3, 4], [2, 0, 1]), [4, 2, 3], [1, 2, 0])]).toEqual([...data]);
  });
});
