import { expect, it } from 'vitest';
import type { Checkpoint, CheckpointTensor } from '../../src/formats/safetensors.ts';
import { MAX_CHUNK } from '../../src/hub/source.ts';
import { TextGenerator } from '../../src/models/text-generator.ts';
import { elementCount } from '../../src/tensor/types.ts';
import { freshEngine } from '../support/engine.ts';

const [LAYERS, WIDTH, CONTEXT, VOCABULARY] = [12, 768, 1024, 50_257];

/** GPT-2 of 124 M parameters whose bytes are made as they are read, a chunk at a time: the weights are nowhere whole. */
function gpt2(): Checkpoint {
  const shapes: Record<string, number[]> = { 'wte.weight': [VOCABULARY, WIDTH], 'wpe.weight': [CONTEXT, WIDTH] };
  const linear = (name: string, input: number, output: number): void => {
    shapes[`${name}.weight`] = [input, output];
    shapes[`${name}.bias`] = [output];
  };
  const norm = (name: string): void => {
    for (const part of ['weight', 'bias']) shapes[`${name}.${part}`] = [WIDTH];
  };
  for (let i = 0; i < LAYERS; i++) {
    norm(`h.${i}.ln_1`);
    linear(`h.${i}.attn.c_attn`, WIDTH, 3 * WIDTH);
    linear(`h.${i}.attn.c_proj`, WIDTH, WIDTH);
    norm(`h.${i}.ln_2`);
    linear(`h.${i}.mlp.c_fc`, WIDTH, 4 * WIDTH);
    linear(`h.${i}.mlp.c_proj`, 4 * WIDTH, WIDTH);
  }
  norm('ln_f');
  const block = Float32Array.from({ length: MAX_CHUNK / 4 }, (_, i) => Math.sin(i * 1.7) / 50);
  const tensors = Object.entries(shapes).map(([name, shape], order): [string, CheckpointTensor] => {
    const byteLength = 4 * elementCount(shape);
    async function* chunks(): AsyncIterable<Uint8Array> {
      for (let at = 0; at < byteLength; at += MAX_CHUNK)
        yield new Uint8Array(block.buffer, 0, Math.min(MAX_CHUNK, byteLength - at));
    }
    const stored = { storedType: 'F32', typeName: 'F32', file: 'made up' } as const;
    return [name, { name, shape, order, byteLength, chunks, ...stored }];
  });
  return {
    tensors: new Map(tensors),
    metadata: new Map(),
    byteLength: tensors.reduce((sum, [, { byteLength }]) => sum + byteLength, 0),
  };
}

it('124 M parameters load as int8 within 0.45 of their float32 bytes, device and host together', async () => {
  using engine = await freshEngine();
  const checkpoint = gpt2();
  expect(checkpoint.byteLength).toBe(4 * 124_439_808);
  const folder = { name: 'gpt2', open: () => Promise.reject(new Error('no files')), find: async () => undefined };
  const files = { name: 'gpt2', folder, checkpoint, config: { n_head: 12 } };
  using model = await TextGenerator.load(engine.gpu, files, { dtype: 'int8', tune: 'off' });
  const { peakBytes, peakHostBytes, peakTotalBytes } = engine.counters;
  const share = (bytes: number): number => bytes / checkpoint.byteLength;
  console.log(
    `int8 of 124 M: at the highest ${share(peakTotalBytes).toFixed(3)} of the float32 bytes (device ${share(peakBytes).toFixed(3)}, host ${share(peakHostBytes).toFixed(3)}), weights ${share(model.info.weightBytes.device).toFixed(3)}`,
  );
  // Keys and values of 1024 positions are 0.15 of it.
  expect(share(peakBytes + peakHostBytes)).toBeLessThan(0.45);
  expect(share(model.info.weightBytes.device)).toBeLessThan(0.26);
});
