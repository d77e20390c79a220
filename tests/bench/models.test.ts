import { describe, expect, it } from 'vitest';
import { type ConvLayer, convLayers, PRESET } from '../../bench/cases.ts';
import {
  GPT2,
  gptShapes,
  RESNET18,
  RESNET50,
  randomCheckpoint,
  randomTensors,
  resnetShapes,
  safetensorsOf,
} from '../../bench/models.ts';

describe('checkpoints of random numbers', () => {
  it.each([
    ['a ResNet', resnetShapes({ blocks: [1, 1], width: 16, bottleneck: true, classes: 10, image: 32 })],
    [
      'a GPT-2 beyond a cycle of numbers',
      gptShapes({ layers: 1, width: 192, heads: 4, vocabulary: 4096, context: 64 }),
    ],
  ])('of %s are the same bytes in parts as in one piece', async (_name, shapes) => {
    const parts = new Uint8Array(await randomCheckpoint(shapes).arrayBuffer());
    const whole = safetensorsOf(randomTensors(shapes));
    expect(parts.length).toBe(whole.length);
    expect(Buffer.compare(parts, whole)).toBe(0);
  });

  it('are of any size without being in memory', () => {
    const before = process.memoryUsage().arrayBuffers;
    const file = randomCheckpoint(gptShapes(GPT2));
    expect(file.size).toBeGreaterThan(4 * 124.4e6);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(80e6);
  });
});

describe("a ResNet's layers", () => {
  const macs = (layers: readonly ConvLayer[]): number =>
    layers.reduce(
      (sum, { size, channels, out, window, stride, groups }) =>
        sum + ((size / stride) ** 2 * window ** 2 * channels * out) / groups,
      0,
    );

  it('are those of the published networks: as many multiply-adds', () => {
    expect((macs(convLayers(RESNET18)) + 512 * 1000) / 1e9).toBeCloseTo(1.814, 3);
    expect((macs(convLayers(RESNET50)) + 2048 * 1000) / 1e9).toBeCloseTo(4.089, 3);
    expect(convLayers(RESNET50)).toHaveLength(53);
  });

  it('are all in `full`, each once', () => {
    const names = PRESET.full.conv.map((layer) => JSON.stringify(layer));
    expect(new Set(names).size).toBe(names.length);
    for (const layer of convLayers(RESNET50)) expect(names).toContain(JSON.stringify(layer));
  });
});
