import { TilewrightError, throwIfAborted } from '../errors.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { GraphBuilder } from '../graph/builder.ts';
import type { Graph, Operand } from '../graph/ir.ts';
import type { Calibration } from '../graph/passes/activations.ts';
import { readJson } from '../hub/folder.ts';
import {
  arrayOf,
  signal as aSignal,
  checkArgument,
  checkFields,
  checkOptions,
  either,
  flag,
  integer,
  object,
  oneOf,
  type Rule,
  refuse,
} from '../options.ts';
import type { Session, TensorInput } from '../runtime/session.ts';
import { fromHalf } from '../tensor/half.ts';
import { decodePicture, isDevicePicture, isOnDevice, type PictureSource } from '../vision/decode.ts';
import { type Preprocessing, preprocess } from '../vision/preprocess.ts';
import type { PictureStage } from '../vision/stage.ts';
import type { DevicePicture } from '../vision/surface.ts';
import { ACTIVATIONS } from './activation-names.ts';
import type { CalibrationOptions } from './calibration.ts';
import type { ClassificationBuffers } from './classification.ts';
import { LoadedModel, type LoadOptions, type ModelFiles, macsOf, type OpenOptions } from './model.ts';
import { type NamingScheme, namingOf } from './resnet-names.ts';
import { GraphWeights, Weights } from './weights.ts';

/** How a picture is classified. */
export interface ClassifyOptions {
  /** Labels at the most; 5 where absent. */
  topK?: number;
  /** Buffers on the engine's device that results are copied to. */
  copy?: ClassificationBuffers;
  /** Ends the run with `aborted`. */
  signal?: AbortSignal;
}

/** A label, and how likely it is. */
export interface Prediction {
  readonly label: string;
  /** The place of the label among all, from 0. */
  readonly index: number;
  /** 0 to 1; those of all labels add up to 1. */
  readonly probability: number;
}

/** A ResNet as its tensors tell: stages, blocks, strides. */
export interface ResNetShape {
  readonly stem: 'cifar' | 'imagenet';
  readonly bottleneck: boolean;
  readonly blocks: readonly number[];
  readonly classes: number;
  /** Layers with weights: 18, 20, 50. */
  readonly depth: number;
  /** Channels after the stem, and after each stage. */
  readonly widths: readonly number[];
}

/** Reads depth, kind of block and classes from the tensors. Errors: `missing-tensor`, `unknown-architecture`. */
export function shapeOf(weights: Weights, names: NamingScheme): ResNetShape {
  const [, channels, kernel] = weights.shape(`${names.stem.convolution}.weight`);
  if (channels !== 3)
    throw new TilewrightError(
      'unknown-architecture',
      `the first convolution takes ${channels} channels, 3 are expected`,
    );
  const stages = weights.count((s) => `${names.block(s, 0).convolution(0)}.weight`);
  const blocks = Array.from({ length: stages }, (_, s) =>
    weights.count((b) => `${names.block(s, b).convolution(0)}.weight`),
  );
  if (!stages)
    throw new TilewrightError(
      'missing-tensor',
      `the checkpoint has no tensor '${names.block(0, 0).convolution(0)}.weight'`,
    );
  const bottleneck = weights.has(`${names.block(0, 0).convolution(2)}.weight`);
  const classes = weights.shape(`${names.classifier}.weight`)[0]!;
  const depth = blocks.reduce((a, b) => a + b, 0) * (bottleneck ? 3 : 2) + 2;
  const last = bottleneck ? 2 : 1;
  const ends = [names.stem.convolution, ...blocks.map((_, s) => names.block(s, 0).convolution(last))];
  const widths = ends.map((name) => (weights.has(`${name}.weight`) ? weights.shape(`${name}.weight`)[0]! : 0));
  return { stem: kernel === 3 ? 'cifar' : 'imagenet', bottleneck, blocks, classes, depth, widths };
}

interface ResNetOptions {
  readonly dataType: 'float32' | 'float16';
  readonly input: readonly [number, number];
  readonly batch: number;
  /** Hugging Face: the stride of a bottleneck sits in its first convolution, not in the 3×3. */
  readonly strideInFirst: boolean;
  /** Hugging Face: the first stage halves the image too. */
  readonly strideInFirstStage: boolean;
  readonly epsilon: number;
  /** Of the stem and of what a block ends in, by its name in transformers; relu where absent, and within blocks. */
  readonly activation?: string;
}

/** The graph of a ResNet (He et al. 2015) for a batch of NCHW images: input `image`, output `logits`. */
export function resnetGraph(weights: Weights, names: NamingScheme, shape: ResNetShape, options: ResNetOptions): Graph {
  const b = new GraphBuilder();
  const w = new GraphWeights(b, weights, options.dataType);
  const activate = (x: Operand): Operand => ACTIVATIONS[options.activation ?? 'relu']!(b, x);

  const convolution = (
    x: Operand,
    { convolution: conv, normalization: norm }: { convolution: string; normalization: string },
    stride: number,
    groups = 1,
  ): Operand => {
    const filter = w.get(`${conv}.weight`, [-1, x.shape[1]! / groups, -1, -1]);
    const [out, , kernel] = filter.shape as [number, number, number, number];
    const padding = new Array<number>(4).fill((kernel - 1) / 2);
    const bias = w.optional(`${conv}.bias`, [out]);
    const shared = { padding, strides: [stride, stride], label: conv, ...(bias && { bias }) };
    const y = b.conv2d(x, filter, groups > 1 ? { groups, ...shared } : shared);
    const [mean, variance, scale, shift] = ['running_mean', 'running_var', 'weight', 'bias'].map((part) =>
      w.get(`${norm}.${part}`, [out]),
    ) as [Operand, Operand, Operand, Operand];
    return b.batchNormalization(y, mean, variance, { scale, bias: shift, epsilon: options.epsilon, label: norm });
  };

  /** ResNeXt: groups of the 3×3 in the middle of a bottleneck, by the shape of its tensor. */
  const groupsOf = (x: Operand, name: string): number => {
    const groups = x.shape[1]! / weights.shape(`${name}.weight`)[1]!;
    return Number.isInteger(groups) ? groups : 1;
  };

  /** Squeeze and excitation (Hu et al. 2017): each channel times a gate made of all channels' means. */
  const gated = (x: Operand, name: string): Operand => {
    if (!weights.has(`${name}.fc1.weight`)) return x;
    const dense = (y: Operand, layer: string): Operand => {
      const filter = w.get(`${layer}.weight`, [-1, y.shape[1]!, 1, 1]);
      return b.conv2d(y, filter, { bias: w.get(`${layer}.bias`, [filter.shape[0]!]), label: layer });
    };
    const means = b.averagePool2d(x, { label: name });
    return b.mul(x, b.sigmoid(dense(b.relu(dense(means, `${name}.fc1`)), `${name}.fc2`)), { label: name });
  };

  const shortcut = (
    x: Operand,
    out: Operand,
    name: string,
    projection: { convolution: string; normalization: string },
    stride: number,
  ): Operand => {
    if (weights.has(`${projection.convolution}.weight`)) return convolution(x, projection, stride);
    const [n, channels, height, width] = x.shape as [number, number, number, number];
    if (stride === 1 && channels === out.shape[1]) return x;
    // Option A of the paper: every second pixel, padded with channels of zeros on both sides.
    const taken =
      stride === 1
        ? x
        : b.slice(x, [0, 0, 0, 0], [n, channels, height, width], {
            strides: [1, 1, stride, stride],
            label: `${name}.shortcut`,
          });
    const missing = out.shape[1]! - channels;
    const before = missing >> 1;
    return b.pad(taken, [0, before, 0, 0], [0, missing - before, 0, 0], { label: `${name}.shortcut` });
  };

  const image = b.input('image', { dataType: options.dataType, shape: [options.batch, 3, ...options.input] });
  let x = activate(convolution(image, names.stem, shape.stem === 'cifar' ? 1 : 2));
  if (shape.stem === 'imagenet')
    x = b.maxPool2d(x, { windowDimensions: [3, 3], padding: [1, 1, 1, 1], strides: [2, 2], label: 'stem.pool' });
  shape.blocks.forEach((count, s) => {
    for (let i = 0; i < count; i++) {
      const block = names.block(s, i);
      const stride = i === 0 && (s > 0 || options.strideInFirstStage) ? 2 : 1;
      const last = shape.bottleneck ? 2 : 1;
      const strided = shape.bottleneck && !options.strideInFirst ? 1 : 0;
      let y = x;
      for (let c = 0; c <= last; c++) {
        y = convolution(
          y,
          { convolution: block.convolution(c), normalization: block.normalization(c) },
          c === strided ? stride : 1,
          shape.bottleneck && c === 1 ? groupsOf(y, block.convolution(c)) : 1,
        );
        if (c < last) y = b.relu(y);
      }
      y = gated(y, `${block.name}.se`);
      x = activate(b.add(y, shortcut(x, y, block.name, block.shortcut, stride)));
    }
  });
  const pooled = b.reshape(b.averagePool2d(x, { label: 'pool' }), [options.batch, x.shape[1]!]);
  const head = w.get(`${names.classifier}.weight`, [shape.classes, x.shape[1]!]);
  const logits = b.matmul(pooled, head, { transposeB: true, label: names.classifier });
  const bias = w.optional(`${names.classifier}.bias`, [shape.classes]);
  return b.outputs({ logits: bias ? b.add(logits, bias) : logits });
}

/** A ResNet on the device: pictures in, labels out. */
export class ImageClassifier extends LoadedModel {
  readonly task = 'image-classification';
  readonly architecture: string;
  readonly parameters: number;
  protected macs = 0;
  /** Preprocessing on the device, from the first picture on that is there. */
  #stage: PictureStage | undefined;

  private constructor(
    gpu: Gpu,
    files: ModelFiles,
    options: LoadOptions,
    private readonly weights: Weights,
    private readonly names: NamingScheme,
    readonly shape: ResNetShape,
    readonly preprocessing: Preprocessing,
    readonly labels: readonly string[],
  ) {
    super(gpu, files, options);
    this.architecture = `resnet${shape.depth}`;
    this.parameters = weights.parameters;
  }

  static async load(
    gpu: Gpu,
    files: ModelFiles,
    { inputSize, ...options }: OpenOptions = {},
  ): Promise<ImageClassifier> {
    const { checkpoint, config } = files;
    const bare = new Weights(checkpoint);
    const names = namingOf(bare);
    const shape = shapeOf(bare, names);
    checkConfig(config ?? {}, shape);
    const said = await preprocessingOf(files, shape, options.signal);
    const preprocessing = inputSize ? { ...said, size: [...inputSize] as [number, number] } : said;
    const model = new ImageClassifier(
      gpu,
      files,
      options,
      bare,
      names,
      shape,
      preprocessing,
      labelsOf(config, shape.classes),
    );
    try {
      const graph = model.graph();
      if (!options.allowUnused) bare.needAllTaken();
      if (options.onPaper) return model;
      await model.#withSession(1, async () => {}, options);
      model.macs = await macsOf(graph);
      return model;
    } catch (error) {
      model.dispose();
      throw error;
    }
  }

  /** The graph for a batch of images: input `image` of `[batch, 3, height, width]`, output `logits` of `[batch, classes]`. */
  graph(batch = 1, dataType = this.dataType): Graph {
    const { config } = this.files;
    return resnetGraph(this.weights, this.names, this.shape, {
      dataType,
      input: this.preprocessing.size,
      batch,
      strideInFirst: config?.['downsample_in_bottleneck'] === true,
      strideInFirstStage: config?.['downsample_in_first_stage'] === true,
      epsilon: 1e-5,
      activation: String(config?.['hidden_act'] ?? 'relu'),
    });
  }

  graphs(): Readonly<Record<string, Graph>> {
    return { image: this.graph() };
  }

  typicalInputs(): Readonly<Record<string, TensorInput>> {
    const [height, width] = this.preprocessing.size;
    return { image: Float32Array.from({ length: 3 * height * width }, (_, i) => Math.sin(i)) };
  }

  #withSession<T>(
    batch: number,
    work: (session: Session) => Promise<T>,
    { signal, onProgress }: Pick<LoadOptions, 'signal' | 'onProgress'>,
  ): Promise<T> {
    return this.withSession(`batch ${batch}`, () => this.graph(batch), work, { signal, onProgress });
  }

  /**
   * Logits [count, classes] of preprocessed images: float32 [count,3,H,W], or a buffer on the engine's device in the
   * model's type (usage COPY_SRC). Errors: `invalid-argument`, `wrong-shape`, `aborted`, `device-lost`.
   */
  async logits(
    pixels: Float32Array | GPUBuffer,
    count = 1,
    options: { signal?: AbortSignal } = {},
  ): Promise<Float32Array> {
    checkArgument('logits', 'pixels', pixels, PIXELS);
    checkArgument('logits', 'count', count, integer(1));
    checkOptions('logits', options, { signal: aSignal });
    const run = async (session: Session) => {
      const operand = session.plan.inputs.get('image')!;
      const image =
        'mapAsync' in pixels
          ? (await import('../runtime/device-tensors.ts')).tensorIn('logits', pixels, operand)
          : pixels;
      return session.run({ image }, options);
    };
    const work = () => this.#withSession(count, run, options);
    const { logits } = await this.recovering(work, !('mapAsync' in pixels));
    return this.dataType === 'float16' ? Float32Array.from(logits as Uint16Array, fromHalf) : (logits as Float32Array);
  }

  /**
   * The likeliest labels of a picture, best first. A texture, a picture in a buffer, and where `preprocessesOn` says so a
   * VideoFrame or a video never come to the host: they are resized in the submit of the run, and labels are found on the
   * device. Errors: `invalid-image`, `invalid-argument`, `wrong-shape`, `limit-exceeded`, `aborted`, `device-lost`.
   */
  async classify(source: PictureSource | DevicePicture, options: ClassifyOptions = {}): Promise<Prediction[]> {
    checkOptions('classify', options, { topK: integer(1), copy: object, signal: aSignal });
    const { topK = 5, copy, signal } = options;
    throwIfAborted(signal, 'classifying');
    const how = signal ? { signal } : {};
    const work = async (): Promise<Prediction[]> => {
      const stage = (await this.preprocessesOn(source)) === 'gpu' ? this.#stage : undefined;
      if (!stage && !copy) {
        const pixels = preprocess([await decodePicture(source as PictureSource)], this.preprocessing);
        return this.rank(await this.logits(pixels, 1, how), topK);
      }
      const { loadTop, runTop, topGraph } = await import('./classification.ts');
      await loadTop();
      const k = Math.min(topK, this.labels.length);
      const best = await this.withSession(
        `top ${k}`,
        () => topGraph(this.graph(), k, this.#isMultiLabel),
        (session) => runTop(session, source, { preprocessing: this.preprocessing, stage }, options),
        how,
      );
      return best.map((one) => ({ ...one, label: this.labels[one.index]! }));
    };
    // What the caller has on a device goes with it.
    return this.recovering(work, !copy && !isOnDevice(source));
  }

  /** Where `classify` makes the model's input of a picture. Errors: `disposed`, `device-lost`. */
  async preprocessesOn(source: PictureSource | DevicePicture): Promise<'gpu' | 'host'> {
    if (!isDevicePicture(source)) return 'host';
    const { PictureStage } = await import('../vision/stage.ts');
    if (this.#stage?.gpu !== this.gpu)
      this.#stage = this.keep(new PictureStage(this.gpu, this.preprocessing, () => this.room));
    return (await this.#stage.takes(source)) ? 'gpu' : 'host';
  }

  /**
   * Scales of the layers' inputs over sample pictures, for `activations: 'static'`. The model has to be loaded without
   * `activations`.
   */
  calibrate(pictures: Iterable<PictureSource>, options: CalibrationOptions = {}): Promise<Calibration> {
    checkArgument('calibrate', 'pictures', pictures, ITERABLE);
    const { preprocessing } = this;
    async function* samples() {
      for (const source of pictures) {
        yield { image: preprocess([await decodePicture(source)], preprocessing) };
      }
    }
    return this.calibrateOn(this.graph(), samples(), options);
  }

  get #isMultiLabel(): boolean {
    return this.files.config?.['problem_type'] === MULTI_LABEL;
  }

  /** One row of logits as probabilities, best first: softmax, or the sigmoid of each for a multi-label model. */
  rank(logits: Float32Array, topK: number): Prediction[] {
    const many = this.#isMultiLabel;
    const top = many ? 0 : Math.max(...logits);
    const powers = Array.from(logits, (x) => Math.exp(x - top));
    const sum = powers.reduce((a, b) => a + b, 0);
    return powers
      .map((power, index) => ({
        index,
        label: this.labels[index]!,
        probability: many ? 1 / (1 + 1 / power) : power / sum,
      }))
      .sort((a, b) => b.probability - a.probability || a.index - b.index)
      .slice(0, topK);
  }
}

/**
 * Preprocessing: timm has it in config.json, Hugging Face in preprocessor_config.json. CIFAR networks have none:
 * pictures stay as they are.
 */
async function preprocessingOf(
  { folder, config }: ModelFiles,
  { stem }: ResNetShape,
  signal?: AbortSignal,
): Promise<Preprocessing> {
  const { preprocessingFrom } = await import('../vision/config.ts');
  if (config && ('pretrained_cfg' in config || 'input_size' in config)) return preprocessingFrom(config, 'config.json');
  const own = await readJson(folder, 'preprocessor_config.json', signal);
  const read = preprocessingFrom(own);
  return own !== undefined || stem === 'imagenet' ? read : { ...read, size: [32, 32], cropPct: 1 };
}

const ITERABLE: Rule = [
  'a list of pictures',
  (given) => typeof (given as Partial<Iterable<unknown>> | null)?.[Symbol.iterator] === 'function',
];

const PIXELS = either(arrayOf('Float32Array'), [
  'a GPUBuffer',
  (given) => object[1](given) && 'mapAsync' in (given as object),
]);

const MULTI_LABEL = 'multi_label_classification';

/** timm's model_args that change nothing at inference, or that the tensors tell. */
const HARMLESS_ARGS = /^(num_classes|in_chans|img_size|layers|zero_init_last|drop\w*)$/;

const noOthers: Rule = [
  'nothing that changes the network',
  (args) =>
    object[1](args) && Object.entries(args as object).every(([name, v]) => v === null || HARMLESS_ARGS.test(name)),
];

/** Checks that config.json says of the network what is computed. Errors: `unsupported-option`, `invalid-file`. */
function checkConfig(
  config: Readonly<Record<string, unknown>>,
  { blocks, bottleneck, classes, widths }: ResNetShape,
): void {
  const same = (wanted: readonly number[]): Rule => [
    `[${wanted}], as the tensors have it`,
    (value) => Array.isArray(value) && value.join() === wanted.join(),
  ];
  checkFields('config.json', config, {
    hidden_act: oneOf(...Object.keys(ACTIVATIONS)),
    problem_type: oneOf('single_label_classification', MULTI_LABEL),
    global_pool: oneOf('avg', 'fast'),
    model_args: noOthers,
    quantization_config: oneOf(null),
  });
  const [stem, ...stages] = widths;
  const structure = {
    depths: same(blocks),
    hidden_sizes: same(stages),
    embedding_size: oneOf(stem),
    layer_type: oneOf(bottleneck ? 'bottleneck' : 'basic'),
    num_channels: oneOf(3),
    num_labels: oneOf(classes),
    num_classes: oneOf(classes),
    downsample_in_bottleneck: flag,
    downsample_in_first_stage: flag,
    id2label: object,
  };
  checkFields('config.json', config, structure, { code: 'invalid-file' });
}

/** Labels from `label_names` (timm), `id2label` (Hugging Face), else `class 0`... */
function labelsOf(config: ModelFiles['config'], classes: number): string[] {
  const timm = config?.['pretrained_cfg'] as Record<string, unknown> | undefined;
  const said = config?.['label_names'] ?? timm?.['label_names'] ?? config?.['id2label'];
  const named = Object.keys(said ?? {}).length;
  return Array.from({ length: classes }, (_, i) => {
    const label = said ? (said as Record<number, unknown>)[i] : `class ${i}`;
    if (label === undefined || (said && named !== classes))
      return refuse('invalid-file', 'config.json', 'labels', `${classes} of them, as the classifier has`, named);
    return String(label);
  });
}
