import { describe, expect, it } from 'vitest';
import { openSafetensors } from '../../src/formats/safetensors.ts';
import { encodeSafetensors } from '../../src/formats/safetensors-write.ts';
import { bytesSource } from '../../src/hub/source.ts';
import { angleTables, frequencies } from '../../src/models/decoder/rotary.ts';
import { familyModule } from '../../src/models/families/index.ts';
import type { ModelFiles } from '../../src/models/model.ts';
import { packedTensor } from '../../src/models/packed.ts';

const SIZES = {
  hidden_size: 24,
  intermediate_size: 36,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 97,
  max_position_embeddings: 8192,
};

/** The family's answer to a config. No tensor is asked for before a graph is made. */
async function read(config: object, context?: number) {
  const checkpoint = { tensors: new Map(), metadata: new Map(), byteLength: 0 };
  const files = { name: 'some', config: { ...SIZES, ...config }, checkpoint } as unknown as ModelFiles;
  const { family } = await familyModule(files);
  return family(files, { ...(context && { context }) });
}

describe('what the config of a decoder says', () => {
  it.each([
    ['llama', { quantization_config: { bits: 4 } }, 'quantization_config'],
    ['llama', { num_local_experts: 8 }, 'num_local_experts'],
    ['llama', { hidden_act: 'swiglu' }, 'hidden_act'],
    ['llama', { rope_interleaved: true }, 'rope_interleaved'],
    ['llama', { attn_logit_softcapping: 30 }, 'attn_logit_softcapping'],
    ['llama', { rope_scaling: { type: 'xpos', factor: 2 } }, 'rope_type: expected "default"'],
    ['llama', { rope_scaling: { rope_type: 'linear', factor: 2, warp: 3 } }, 'warp'],
    ['llama', { rope_scaling: { rope_type: 'linear' } }, 'factor'],
    ['llama', { rope_scaling: { rope_type: 'longrope', short_factor: [1], long_factor: [1] } }, 'short_factor'],
    ['llama', { partial_rotary_factor: 0.5 }, '3 of 6 elements'],
    ['qwen2', { use_mrope: true }, 'use_mrope'],
    ['qwen2', { use_sliding_window: true, layer_types: ['full_attention'] }, 'layer_types'],
    ['smollm3', { no_rope_layers: [1] }, 'no_rope_layers'],
    ['gemma3_text', { use_bidirectional_attention: true }, 'use_bidirectional_attention'],
    ['gemma2', { layer_types: ['chunked_attention'] }, 'layer_types'],
    ['gpt_neox', { num_key_value_heads: 1 }, 'num_key_value_heads'],
    ['phi3', { embedding_multiplier: 2 }, 'embedding_multiplier'],
  ])('%s: %o is refused by name', async (model_type, config, name) => {
    await expect(read({ model_type, ...config })).rejects.toMatchObject({
      code: 'unsupported-option',
      message: expect.stringContaining(name),
    });
  });

  it('says which field is missing, and which sizes do not go together', async () => {
    const refused = (config: object) => read({ model_type: 'llama', ...config });
    await expect(refused({ vocab_size: null })).rejects.toMatchObject({ code: 'unknown-architecture' });
    await expect(refused({ num_attention_heads: 5 })).rejects.toMatchObject({ code: 'wrong-shape' });
    await expect(refused({ num_key_value_heads: 3 })).rejects.toMatchObject({ code: 'wrong-shape' });
  });

  it('passes over what changes nothing', async () => {
    const inert = { use_cache: true, attention_dropout: 0.1, pretraining_tp: 2, is_llama_config: true, auto_map: {} };
    const off = { rope_interleaved: false, use_sliding_window: false, num_experts: null, rope_scaling: null };
    expect((await read({ model_type: 'llama', ...inert, ...off })).shape).toMatchObject({ layers: 3, kvHeads: 2 });
  });

  it('holds 4096 tokens unless the load says another number, and no more than the model is made for', async () => {
    const context = async (config: object, asked?: number): Promise<number> =>
      (await read({ model_type: 'llama', ...config }, asked)).shape.context;
    expect(await context({})).toBe(4096);
    expect(await context({ max_position_embeddings: 100 })).toBe(100);
    expect(await context({}, 8192)).toBe(8192);
    await expect(context({}, 8193)).rejects.toMatchObject({ code: 'invalid-argument' });
    expect(await context({ rope_scaling: { type: 'linear', factor: 4 } }, 32768)).toBe(32768);
    const numbers = [1, 1, 1];
    const long = {
      type: 'longrope',
      short_factor: numbers,
      long_factor: numbers,
      original_max_position_embeddings: 2048,
    };
    expect(await context({ rope_scaling: long })).toBe(2048);
    expect(await context({ rope_scaling: long }, 8192)).toBe(8192);
  });
});

describe('frequencies of rotary embedding', () => {
  const config = { where: 'here', size: 8, theta: 100, trained: 64, original: undefined };

  it('are those of the longest text where they depend on its length', () => {
    const dynamic = { ...config, scaling: { rope_type: 'dynamic', factor: 2 } };
    expect(frequencies(dynamic, 64)).toEqual(frequencies({ ...config, scaling: {} }, 64));
    const base = 100 * ((2 * 128) / 64 - 1) ** (8 / 6);
    expect(frequencies(dynamic, 128).steps[1]).toBeCloseTo(1 / base ** 0.25, 12);
  });

  it('become tables of cosines and sines, a row a position', () => {
    const { cos, sin } = angleTables({ steps: [1, 0.25], factor: 2 }, 3);
    expect([...cos]).toEqual(
      [2, 2, 2 * Math.cos(1), 2 * Math.cos(0.25), 2 * Math.cos(2), 2 * Math.cos(0.5)].map(Math.fround),
    );
    expect(sin[4]).toBe(Math.fround(2 * Math.sin(2)));
  });
});

describe('a tensor that is rows of others', () => {
  const f32 = (name: string, rows: number, first: number) => ({
    name,
    storedType: 'F32' as const,
    shape: [rows, 2],
    bytes: new Uint8Array(Float32Array.from({ length: 2 * rows }, (_, i) => first + i).buffer),
  });

  it('has their bytes, one after the other', async () => {
    const { tensors } = await openSafetensors(
      bytesSource('some', encodeSafetensors([f32('a', 3, 0), f32('b', 2, 10)])),
    );
    const parts = [
      { tensor: tensors.get('b')!, from: 1, count: 1 },
      { tensor: tensors.get('a')!, from: 0, count: 2 },
    ];
    const packed = packedTensor('both', parts);
    const bytes: number[] = [];
    for await (const chunk of packed.chunks()) bytes.push(...chunk);
    expect([...new Float32Array(Uint8Array.from(bytes).buffer)]).toEqual([12, 13, 0, 1, 2, 3]);
    expect(packed).toMatchObject({ shape: [3, 2], byteLength: 24, order: tensors.get('a')!.order });
    const beyond = [{ tensor: tensors.get('a')!, from: 2, count: 2 }];
    expect(() => packedTensor('beyond', beyond)).toThrow(expect.objectContaining({ code: 'wrong-shape' }));
  });
});
