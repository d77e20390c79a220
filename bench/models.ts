import { encodeSafetensors, layoutSafetensors } from '../src/formats/safetensors-write.ts';
import { elementCount } from '../src/tensor/types.ts';
import { createRandom } from '../src/text/random.ts';

export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array<ArrayBuffer>;
}
/** Tensors under the names of a published checkpoint. */
export type Tensors = ReadonlyMap<string, Tensor>;

export interface ResNetSize {
  /** Blocks a stage. */
  readonly blocks: readonly number[];
  /** Channels of the first stage. */
  readonly width: number;
  readonly bottleneck: boolean;
  readonly classes: number;
  /** Height and width of an image. */
  readonly image: number;
}

export const RESNET18: ResNetSize = { blocks: [2, 2, 2, 2], width: 64, bottleneck: false, classes: 1000, image: 224 };
export const RESNET50: ResNetSize = { blocks: [3, 4, 6, 3], width: 64, bottleneck: true, classes: 1000, image: 224 };

export interface GptSize {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly vocabulary: number;
  readonly context: number;
}

export const GPT2: GptSize = { layers: 12, width: 768, heads: 12, vocabulary: 50257, context: 1024 };

/** A decoder of Llama's kind: fields of its config, as transformers names them. */
export interface DecoderSize {
  readonly model_type: 'llama' | 'qwen3' | 'gemma2';
  readonly vocab_size: number;
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly num_key_value_heads: number;
  readonly head_dim: number;
  readonly max_position_embeddings: number;
  readonly rms_norm_eps: number;
  readonly rope_theta: number;
  readonly sliding_window?: number;
}

/** A decoder of either kind. */
export type TextSize = GptSize | DecoderSize;

/** SmolLM2-135M. */
export const SMOLLM2: DecoderSize = {
  model_type: 'llama',
  vocab_size: 49152,
  hidden_size: 576,
  intermediate_size: 1536,
  num_hidden_layers: 30,
  num_attention_heads: 9,
  num_key_value_heads: 3,
  head_dim: 64,
  max_position_embeddings: 8192,
  rms_norm_eps: 1e-5,
  rope_theta: 100_000,
};

/** Two layers of Gemma 2 2B: of its keys half the layers see a window, and its scores are capped. */
export const GEMMA2: DecoderSize = {
  model_type: 'gemma2',
  vocab_size: 256000,
  hidden_size: 2304,
  intermediate_size: 9216,
  num_hidden_layers: 2,
  num_attention_heads: 8,
  num_key_value_heads: 4,
  head_dim: 256,
  max_position_embeddings: 8192,
  rms_norm_eps: 1e-6,
  rope_theta: 10_000,
  sliding_window: 2048,
};

/** Numbers in the cycle that random tensors go round: a prime, so that no shape is a multiple. */
const CYCLE = 1_000_003;
let cycle: Float32Array<ArrayBuffer> | undefined;

/** The cycle: seeded numbers in -1..1. */
function cycleOf(): Float32Array<ArrayBuffer> {
  if (!cycle) {
    const random = createRandom(7);
    cycle = Float32Array.from({ length: CYCLE }, () => 2 * random() - 1);
  }
  return cycle;
}

/** Tensors of seeded numbers in -scale..scale around `shift`: each goes on in the cycle where the one before it ended. */
export function randomTensors(shapes: Shapes): Tensors {
  const numbers = cycleOf();
  let at = 0;
  const fill = (count: number, scale: number, shift: number): Float32Array<ArrayBuffer> => {
    const data = new Float32Array(count);
    for (let i = 0; i < count; i++) {
      data[i] = numbers[at]! * scale + shift;
      if (++at === CYCLE) at = 0;
    }
    return data;
  };
  return new Map(
    Array.from(shapes, ([name, shape, scale, shift = 0]) => [
      name,
      { shape, data: fill(elementCount(shape), scale, shift) },
    ]),
  );
}

/**
 * A checkpoint of `randomTensors`, byte for byte, that is never in memory whole: a Blob whose parts are pieces of one scaled cycle
 * a scale, 4 MB each, again and again. GPT-2's 124 M shape takes 5 cycles for its 498 MB.
 */
export function randomCheckpoint(shapes: Shapes): Blob {
  const numbers = cycleOf();
  const scaled = new Map<string, Blob>();
  let at = 0;
  const parts = shapes.flatMap(([, shape, scale, shift = 0]) => {
    const key = `${scale} ${shift}`;
    const whole = scaled.get(key) ?? new Blob([numbers.map((number) => number * scale + shift)]);
    scaled.set(key, whole);
    const pieces: Blob[] = [];
    for (let left = elementCount(shape); left > 0; ) {
      const count = Math.min(left, CYCLE - at);
      pieces.push(whole.slice(4 * at, 4 * (at + count)));
      at = (at + count) % CYCLE;
      left -= count;
    }
    return pieces;
  });
  const { head } = layoutSafetensors(shapes.map(([name, shape]) => ({ name, storedType: 'F32', shape })));
  return new Blob([head, ...parts]);
}

/** The tensors of a checkpoint: numbers in -scale..scale around `shift`, which is 0 if not given. */
export type Shapes = readonly (readonly [name: string, shape: readonly number[], scale: number, shift?: number])[];

/** A ResNet under torchvision's names. Weights are scaled such that activations keep their size (He et al. 2015). */
export function resnetShapes({ blocks, width, bottleneck, classes }: ResNetSize): Shapes {
  const shapes: Shapes[number][] = [];
  const convolution = (conv: string, norm: string, out: number, channels: number, kernel: number): void => {
    shapes.push([`${conv}.weight`, [out, channels, kernel, kernel], Math.sqrt(6 / (channels * kernel * kernel))]);
    shapes.push([`${norm}.weight`, [out], 0.2, 0.8], [`${norm}.bias`, [out], 0.1]);
    shapes.push([`${norm}.running_mean`, [out], 0.1], [`${norm}.running_var`, [out], 0.3, 1]);
  };
  convolution('conv1', 'bn1', width, 3, 7);
  let channels = width;
  blocks.forEach((count, stage) => {
    const inner = width << stage;
    const out = bottleneck ? 4 * inner : inner;
    for (let block = 0; block < count; block++) {
      const name = `layer${stage + 1}.${block}`;
      const kernels = bottleneck ? [1, 3, 1] : [3, 3];
      const widths = bottleneck ? [channels, inner, inner, out] : [channels, inner, out];
      kernels.forEach((kernel, i) => {
        convolution(`${name}.conv${i + 1}`, `${name}.bn${i + 1}`, widths[i + 1]!, widths[i]!, kernel);
      });
      if (channels !== out) convolution(`${name}.downsample.0`, `${name}.downsample.1`, out, channels, 1);
      channels = out;
    }
  });
  shapes.push(['fc.weight', [classes, channels], 1 / Math.sqrt(channels)], ['fc.bias', [classes], 0.1]);
  return shapes;
}

/** A GPT-2 under the names of the published checkpoint. Scales keep logits apart and finite. */
export function gptShapes({ layers, width, vocabulary, context }: GptSize): Shapes {
  const shapes: Shapes[number][] = [
    ['wte.weight', [vocabulary, width], 0.1],
    ['wpe.weight', [context, width], 0.1],
  ];
  const norm = (name: string): void => {
    shapes.push([`${name}.weight`, [width], 0.2, 1], [`${name}.bias`, [width], 0.1]);
  };
  const linear = (name: string, inputs: number, outputs: number): void => {
    shapes.push([`${name}.weight`, [inputs, outputs], Math.sqrt(3 / inputs)], [`${name}.bias`, [outputs], 0.1]);
  };
  for (let layer = 0; layer < layers; layer++) {
    const name = `h.${layer}`;
    norm(`${name}.ln_1`);
    linear(`${name}.attn.c_attn`, width, 3 * width);
    linear(`${name}.attn.c_proj`, width, width);
    norm(`${name}.ln_2`);
    linear(`${name}.mlp.c_fc`, width, 4 * width);
    linear(`${name}.mlp.c_proj`, 4 * width, width);
  }
  norm('ln_f');
  return shapes;
}

/** A decoder under the names of the published checkpoints, its head tied to its table. Scales keep logits apart and finite. */
export function decoderShapes(size: DecoderSize): Shapes {
  const { hidden_size: width, intermediate_size: inner, head_dim: head } = size;
  const [own, shared] = [size.num_attention_heads * head, size.num_key_value_heads * head];
  const type = size.model_type;
  const shapes: Shapes[number][] = [['model.embed_tokens.weight', [size.vocab_size, width], 0.1]];
  const norm = (name: string, length = width): void => {
    shapes.push([`${name}.weight`, [length], 0.2, type === 'gemma2' ? 0 : 1]);
  };
  const linear = (name: string, inputs: number, outputs: number): void => {
    shapes.push([`${name}.weight`, [outputs, inputs], Math.sqrt(3 / inputs)]);
  };
  for (let layer = 0; layer < size.num_hidden_layers; layer++) {
    const name = `model.layers.${layer}`;
    norm(`${name}.input_layernorm`);
    linear(`${name}.self_attn.q_proj`, width, own);
    linear(`${name}.self_attn.k_proj`, width, shared);
    linear(`${name}.self_attn.v_proj`, width, shared);
    if (type === 'qwen3') for (const which of ['q', 'k']) norm(`${name}.self_attn.${which}_norm`, head);
    linear(`${name}.self_attn.o_proj`, own, width);
    norm(`${name}.post_attention_layernorm`);
    if (type === 'gemma2') for (const which of ['pre', 'post']) norm(`${name}.${which}_feedforward_layernorm`);
    linear(`${name}.mlp.gate_proj`, width, inner);
    linear(`${name}.mlp.up_proj`, width, inner);
    linear(`${name}.mlp.down_proj`, inner, width);
  }
  norm('model.norm');
  return shapes;
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView<ArrayBuffer>): Uint8Array<ArrayBuffer> =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** The tensors as a checkpoint, for `engine.load`. */
export const safetensorsOf = (tensors: Tensors): Uint8Array<ArrayBuffer> =>
  encodeSafetensors(
    Array.from(tensors, ([name, { shape, data }]) => ({ name, storedType: 'F32', shape, bytes: bytesOf(data) })),
  );

export const isGpt = (size: TextSize): size is GptSize => 'width' in size;

export const vocabularyOf = (size: TextSize): number => (isGpt(size) ? size.vocabulary : size.vocab_size);

/** The tensors of a decoder under the names of the published checkpoints. */
export const textShapes = (size: TextSize): Shapes => (isGpt(size) ? gptShapes(size) : decoderShapes(size));

/** What `config.json` of a decoder says, where the tensors do not. */
export const textConfig = (size: TextSize): Readonly<Record<string, unknown>> =>
  isGpt(size) ? { model_type: 'gpt2', n_head: size.heads } : { tie_word_embeddings: true, ...size };

/** The folder of a decoder with random weights, for `engine.load`. */
export const textFolder = (size: TextSize): Record<string, Blob> => ({
  'config.json': new Blob([JSON.stringify(textConfig(size))]),
  'model.safetensors': randomCheckpoint(textShapes(size)),
});
