import { beforeAll, describe, expect, it } from 'vitest';
import { type DecoderSize, SMOLLM2 } from '../../bench/models.ts';
import { decoderOf } from '../../bench/published.ts';
import type { Caps } from '../../src/gpu/gpu.ts';
import { loadOps } from '../../src/graph/groups/index.ts';
import { optimise, type PassOptions } from '../../src/graph/passes/index.ts';
import { plan } from '../../src/graph/plan.ts';
import { capsOf } from '../support/caps.ts';

/** A Llama whose sizes are no powers of two; one that normalises queries and keys; one with two norms around each block. */
const SMALL: DecoderSize = {
  model_type: 'llama',
  vocab_size: 97,
  hidden_size: 36,
  intermediate_size: 52,
  num_hidden_layers: 3,
  num_attention_heads: 6,
  num_key_value_heads: 2,
  head_dim: 6,
  max_position_embeddings: 2048,
  rms_norm_eps: 1e-6,
  rope_theta: 10_000,
};
const QWEN3: DecoderSize = { ...SMALL, model_type: 'qwen3', head_dim: 12 };
const GEMMA2: DecoderSize = { ...SMALL, model_type: 'gemma2', num_hidden_layers: 4, sliding_window: 16 };

const CPU = capsOf({ longKernels: true });
const GPU = capsOf({ software: false, f16: true, subgroups: true, minSubgroupSize: 32, maxBindingBytes: 2 ** 30 });

/** The kernels of a token, or of more, by what their labels begin with. */
async function kernels(size: DecoderSize, caps: Caps, tokens = 1, options: PassOptions = {}): Promise<string[]> {
  const { steps } = plan(optimise(await decoderOf(size, tokens), options, caps), caps);
  return steps.map(({ candidate }) => candidate.label.split('[')[0]!);
}

/** Dispatches of a layer, and of what is not in one. */
async function counts(size: DecoderSize, ...how: [Caps, number?, PassOptions?]) {
  const { num_hidden_layers: layers } = size;
  const [all, more] = await Promise.all(
    [layers, layers + 2].map(async (n) => (await kernels({ ...size, num_hidden_layers: n }, ...how)).length),
  );
  const layer = (more! - all!) / 2;
  return { layer, others: all! - layer * layers };
}

beforeAll(() => loadOps());

describe('dispatches of a decoder', () => {
  it('of a token, a layer: norm, product, turning and cache, attention, product, gated product, product', async () => {
    const [embedding, ...rest] = await kernels(SMALL, CPU);
    expect(embedding).toBe('gather_rows');
    expect(rest.slice(0, 7)).toEqual([
      'rmsNormalization',
      'matmul_gemv',
      'rotaryCache',
      expect.stringMatching(/^attention_/),
      'matmul_gemv',
      'matmul_gemv_gated',
      'matmul_gemv',
    ]);
    expect(rest.slice(-2)).toEqual(['matmul_gemv', expect.stringMatching(/^sample_/)]);
  });

  it.each([
    ['a small Llama', SMALL, { layer: 7, others: 4 }, { layer: 7, others: 3 }],
    ['SmolLM2 135M', SMOLLM2, { layer: 7, others: 4 }, { layer: 7, others: 3 }],
    ['one with normalised queries and keys', QWEN3, { layer: 7, others: 4 }, { layer: 7, others: 3 }],
    // What a block gives is normalised before it is added: twice a normalisation and a sum.
    ['a small Gemma 2', GEMMA2, { layer: 11, others: 7 }, { layer: 10.5, others: 6 }],
  ])('of a token: %s, on a CPU and on a GPU, which splits keys', async (_, size, onCpu, onGpu) => {
    expect(await counts(size, CPU)).toEqual(onCpu);
    expect(await counts(size, GPU)).toEqual(onGpu);
  });

  it('of more tokens, and where neither norms nor gates have kernels of their own', async () => {
    expect(await counts(SMALL, CPU, 7)).toEqual({ layer: 9, others: 5 });
    expect(await counts({ ...SMALL, intermediate_size: 50 }, CPU)).toEqual({ layer: 9, others: 4 });
    const limited = { ...CPU, maxBindingBytes: 2 * SMALL.intermediate_size * SMALL.hidden_size * 4 - 4 };
    expect(await counts({ ...SMALL, max_position_embeddings: 16 }, limited)).toEqual({ layer: 10, others: 4 });
    // Rows of int8 are quantised between the norm and the product.
    const integers = { weights: 'int8', activations: 'dynamic' } as const;
    const quantised = await kernels({ ...SMALL, hidden_size: 48 }, capsOf(), 1, integers);
    expect(quantised.slice(1, 5)).toEqual([
      'rmsNormalization',
      'quantizeScales',
      'quantizeLinear',
      'matmulInteger_gemv',
    ]);
  });
});
