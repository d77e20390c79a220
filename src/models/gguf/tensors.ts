import { TilewrightError } from '../../errors.ts';
import type { GgufCheckpoint } from '../../formats/gguf.ts';
import type { CheckpointTensor } from '../../formats/safetensors.ts';
import { inMultiples } from '../../tensor/convert.ts';
import type { Ranged } from '../../tensor/source.ts';
import { elementCount, formatShape } from '../../tensor/types.ts';
import type { Fields } from '../config.ts';
import type { Architecture } from './config.ts';

/** Names of a model's tensors in transformers, by GGML's. */
const WHOLE: Readonly<Record<string, string>> = {
  token_embd: 'model.embed_tokens',
  output_norm: 'model.norm',
  output: 'lm_head',
};

/** Names of a layer's tensors in transformers, by GGML's. */
const IN_LAYER: Readonly<Record<string, string>> = {
  attn_norm: 'input_layernorm',
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_qkv: 'self_attn.qkv_proj',
  attn_q_norm: 'self_attn.q_norm',
  attn_k_norm: 'self_attn.k_norm',
  attn_output: 'self_attn.o_proj',
  ffn_norm: 'post_attention_layernorm',
  ffn_gate: 'mlp.gate_proj',
  ffn_up: 'mlp.up_proj',
  ffn_down: 'mlp.down_proj',
};

const AFTER: Readonly<Record<string, string>> = {
  post_attention_norm: 'post_attention_layernorm',
  ffn_norm: 'pre_feedforward_layernorm',
  post_ffw_norm: 'post_feedforward_layernorm',
};

/** Tensors that are factors of frequencies: their numbers are in the config. */
export const FACTORS = ['rope_freqs.weight', 'rope_factors_long.weight', 'rope_factors_short.weight'];

/** The name of a tensor in transformers; its own where that is not known, so that no layer takes it. */
function nameOf(name: string, { type, after }: Architecture): string {
  const [, layer, own, ending] = /^(?:blk\.(\d+)\.)?(\w+)(\.weight|\.bias)$/.exec(name) ?? [];
  if (own === undefined) return name;
  if (layer === undefined) return Object.hasOwn(WHOLE, own) ? WHOLE[own] + ending! : name;
  const up = type === 'phi3' && { ffn_up: 'mlp.gate_up_proj' };
  const names: Readonly<Record<string, string>> = { ...IN_LAYER, ...(after && AFTER), ...up };
  return Object.hasOwn(names, own) ? `model.layers.${layer}.${names[own]}${ending}` : name;
}

/**
 * The tensors as transformers has them: their names, rows of queries and keys in its order, normalisations without what was added.
 * Errors: `wrong-shape`, `wrong-type`.
 */
export function tensorsOf(
  { tensors }: GgufCheckpoint,
  architecture: Architecture,
  config: Fields,
): Map<string, CheckpointTensor> {
  const heads: Readonly<Record<string, unknown>> = {
    q: config['num_attention_heads'],
    k: config['num_key_value_heads'],
  };
  const named = new Map<string, CheckpointTensor>();
  for (const tensor of tensors.values()) {
    if (FACTORS.includes(tensor.name)) continue;
    const name = nameOf(tensor.name, architecture);
    const [, which] = /\.attn_([qk])\./.exec(tensor.name) ?? [];
    const paired = architecture.paired && which !== undefined && heads[which];
    const added = architecture.added && name.endsWith('norm.weight');
    const changed = paired ? unpaired(tensor, paired as number) : added ? lessOne(tensor) : tensor;
    named.set(name, changed === tensor && name === tensor.name ? tensor : renamed(changed, name));
  }
  return named;
}

/** The tensor under another name. */
const renamed = ({ blocks, ...tensor }: CheckpointTensor, name: string): CheckpointTensor => ({
  ...tensor,
  name,
  ...(blocks && { blocks: { ...blocks, source: { ...blocks.source, name } } }),
});

/** Bytes of a head's rows at the most: they are held to be put in order. */
const MOST_OF_HEAD = 64 * 2 ** 20;

/**
 * Undoes `LlamaModel.permute` of llama.cpp's convert_hf_to_gguf.py: there the rows of a head lie in pairs that are turned together, here
 * the first ones of all pairs stand before the second ones. Whole rows move, so blocks stay as they are.
 */
function unpaired(tensor: CheckpointTensor, heads: number): CheckpointTensor {
  const { name, shape, blocks, byteLength, typeName } = tensor;
  const [rows = 0, ...rest] = shape;
  const size = rows / heads;
  if (size % 2)
    throw new TilewrightError(
      'wrong-shape',
      `tensor '${name}': the rows of ${formatShape(shape)} are no pairs of ${heads} heads`,
    );
  const inOrder = ({ chunks }: { readonly chunks: Ranged }, rowBytes: number): Ranged => {
    const headBytes = size * rowBytes;
    if (headBytes > MOST_OF_HEAD)
      throw new TilewrightError(
        'limit-exceeded',
        `tensor '${name}': a head of ${typeName}${formatShape(shape)} takes ${headBytes} bytes, expected at most ${MOST_OF_HEAD}`,
      );
    return async function* (signal, begin, end) {
      const head = new Uint8Array(headBytes);
      for await (const some of inMultiples(chunks(signal, begin, end), headBytes)) {
        for (let at = 0; at < some.length; at += headBytes) {
          for (let row = 0; row < size; row++) {
            const from = at + rowBytes * (row < size / 2 ? 2 * row : 2 * row - size + 1);
            head.set(some.subarray(from, from + rowBytes), row * rowBytes);
          }
          yield head;
        }
      }
    };
  };
  const inFile = byteLength / rows;
  return {
    ...tensor,
    chunks: inOrder(tensor, blocks ? 4 * elementCount(rest) : inFile),
    ...(blocks && { blocks: { ...blocks, source: { ...blocks.source, chunks: inOrder(blocks.source, inFile) } } }),
  };
}

/** Weights of a normalisation without the 1 that llama.cpp's converter adds to Gemma's: the graph adds it. Error: `wrong-type`. */
function lessOne(tensor: CheckpointTensor): CheckpointTensor {
  if (tensor.typeName !== 'F32')
    throw new TilewrightError('wrong-type', `tensor '${tensor.name}': expected F32, got ${tensor.typeName}`);
  return {
    ...tensor,
    async *chunks(signal, begin, end) {
      for await (const some of inMultiples(tensor.chunks(signal, begin, end), 4)) {
        const numbers = new Float32Array(some.slice().buffer);
        yield new Uint8Array(numbers.map((x) => x - 1).buffer);
      }
    },
  };
}
