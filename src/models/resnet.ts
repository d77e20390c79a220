import { TilewrightError, throwIfAborted } from '../errors.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { GraphBuilder } from '../graph/builder.ts';
import type { Graph, Operand } from '../graph/ir.ts';
import type { Calibration } from '../graph/passes/activations.ts';
import { readJson } from '../hub/folder.ts';
import type { Session, TensorInput } from '../runtime/session.ts';
import { fromHalf } from '../tensor/half.ts';
import { preprocessingFrom } from '../vision/config.ts';
import { decodePicture, type PictureSource } from '../vision/decode.ts';
import { type Picture, type Preprocessing, preprocess } from '../vision/preprocess.ts';
import type { CalibrationOptions } from './calibration.ts';
import { LoadedModel, type LoadOptions, type ModelFiles, macsOf } from './model.ts';
import { type NamingScheme, namingOf } from './resnet-names.ts';
import { GraphWeights, Weights } from './weights.ts';

export interface Prediction {
  readonly label: string;
  readonly index: number;
  readonly probability: number;
}

/** What the tensors say of a ResNet: stages, blocks, strides. */
export interface ResNetShape {
  readonly stem: 'cifar' | 'imagenet';
  readonly bottleneck: boolean;
  readonly blocks: readonly number[];
  readonly classes: number;
  readonly depth: number;
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
  return { stem: kernel === 3 ? 'cifar' : 'imagenet', bottleneck, blocks, classes, depth };
}

interface ResNetOptions {
  readonly dataType: 'float32' | 'float16';
  readonly input: readonly [number, number];
  readonly batch: number;
  /** Hugging Face: the stride of a bottleneck sits in its first convolution, not in the 3×3. */
  readonly strideInFirst: boolean;
  /** Hugging Face: the first stage halves the image too. */
  readonly strideInFirstStage: boolean;
  /** No image pooling after the stem. */
  readonly epsilon: number;
}

/** The graph of a ResNet (He et al. 2015) for a batch of NCHW images: input `image`, output `logits`. */
export function resnetGraph(weights: Weights, names: NamingScheme, shape: ResNetShape, options: ResNetOptions): Graph {
  const b = new GraphBuilder();
  const w = new GraphWeights(b, weights, options.dataType);

  const convolution = (
    x: Operand,
    { convolution: conv, normalization: norm }: { convolution: string; normalization: string },
    stride: number,
  ): Operand => {
    const filter = w.get(`${conv}.weight`, [-1, x.shape[1]!, -1, -1]);
    const [out, , kernel] = filter.shape as [number, number, number, number];
    const padding = new Array<number>(4).fill((kernel - 1) / 2);
    const bias = w.optional(`${conv}.bias`, [out]);
    const y = b.conv2d(x, filter, { padding, strides: [stride, stride], label: conv, ...(bias && { bias }) });
    const [mean, variance, scale, shift] = ['running_mean', 'running_var', 'weight', 'bias'].map((part) =>
      w.get(`${norm}.${part}`, [out]),
    ) as [Operand, Operand, Operand, Operand];
    return b.batchNormalization(y, mean, variance, { scale, bias: shift, epsilon: options.epsilon, label: norm });
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
    // Option A of the paper: every second pixel, and empty channels on both sides.
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
  let x = b.relu(convolution(image, names.stem, shape.stem === 'cifar' ? 1 : 2));
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
        );
        if (c < last) y = b.relu(y);
      }
      x = b.relu(b.add(y, shortcut(x, y, block.name, block.shortcut, stride)));
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
    { inputSize, ...options }: LoadOptions = {},
  ): Promise<ImageClassifier> {
    const { checkpoint, config, folder } = files;
    const bare = new Weights(checkpoint);
    const names = namingOf(bare);
    const shape = shapeOf(bare, names);
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
      labelsOf(config, shape.classes, folder.name),
    );
    try {
      await model.#withSession(1, async () => {}, options);
      model.macs = await macsOf(gpu, model.graph());
      return model;
    } catch (error) {
      model.dispose();
      throw error;
    }
  }

  graph(batch = 1, dataType = this.dataType): Graph {
    const { config } = this.files;
    return resnetGraph(this.weights, this.names, this.shape, {
      dataType,
      input: this.preprocessing.size,
      batch,
      strideInFirst: config?.['downsample_in_bottleneck'] === true,
      strideInFirstStage: config?.['downsample_in_first_stage'] === true,
      epsilon: 1e-5,
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

  /** Logits of images that are already preprocessed: NCHW float32, `count` of them; [count, classes] comes back. */
  async logits(pixels: Float32Array, count = 1, { signal }: { signal?: AbortSignal } = {}): Promise<Float32Array> {
    const run = (session: Session) => session.run({ image: pixels }, { signal });
    const { logits } = await this.#withSession(count, run, signal ? { signal } : {});
    return this.dataType === 'float16' ? Float32Array.from(logits as Uint16Array, fromHalf) : (logits as Float32Array);
  }

  /** The likeliest labels of a picture, best first. Errors: `invalid-image`, `aborted`, `device-lost`. */
  async classify(
    source: PictureSource,
    { topK = 5, signal }: { topK?: number; signal?: AbortSignal } = {},
  ): Promise<Prediction[]> {
    throwIfAborted(signal, 'classifying');
    const picture = isPicture(source) ? source : await decodePicture(source);
    const logits = await this.logits(preprocess([picture], this.preprocessing), 1, signal ? { signal } : {});
    return this.rank(logits, topK);
  }

  /** Scales of the layers' inputs over sample pictures, for `activations: 'static'`. Load without `activations` for it. */
  calibrate(pictures: Iterable<PictureSource>, options: CalibrationOptions = {}): Promise<Calibration> {
    const { preprocessing } = this;
    async function* samples() {
      for (const source of pictures) {
        const picture = isPicture(source) ? source : await decodePicture(source);
        yield { image: preprocess([picture], preprocessing) };
      }
    }
    return this.calibrateOn(this.graph(), samples(), options);
  }

  /** Softmax over one row of logits, best first. */
  rank(logits: Float32Array, topK: number): Prediction[] {
    const top = Math.max(...logits);
    const powers = Array.from(logits, (x) => Math.exp(x - top));
    const sum = powers.reduce((a, b) => a + b, 0);
    return powers
      .map((power, index) => ({ index, label: this.labels[index]!, probability: power / sum }))
      .sort((a, b) => b.probability - a.probability || a.index - b.index)
      .slice(0, topK);
  }
}

const isPicture = (source: PictureSource): source is Picture =>
  !(typeof ImageData === 'function' && source instanceof ImageData) && ArrayBuffer.isView((source as Picture).data);

/** timm says it in config.json, Hugging Face in a file of its own; CIFAR networks say nothing, and take their pictures as they are. */
async function preprocessingOf(
  { folder, config }: ModelFiles,
  { stem }: ResNetShape,
  signal?: AbortSignal,
): Promise<Preprocessing> {
  if (config && ('pretrained_cfg' in config || 'input_size' in config)) return preprocessingFrom(config);
  const own = await readJson(folder, 'preprocessor_config.json', signal);
  const read = preprocessingFrom(own);
  return own !== undefined || stem === 'imagenet' ? read : { ...read, size: [32, 32], cropPct: 1 };
}

/** Labels from `label_names` (timm), `id2label` (Hugging Face), else `class 0`... */
function labelsOf(config: ModelFiles['config'], classes: number, name: string): string[] {
  const list =
    config?.['label_names'] ?? (config?.['pretrained_cfg'] as Record<string, unknown> | undefined)?.['label_names'];
  const byId = config?.['id2label'] as Record<string, string> | undefined;
  const labels = Array.isArray(list)
    ? list.map(String)
    : byId
      ? Array.from({ length: classes }, (_, i) => String(byId[i] ?? `class ${i}`))
      : Array.from({ length: classes }, (_, i) => `class ${i}`);
  if (labels.length !== classes)
    throw new TilewrightError(
      'invalid-file',
      `${name}: config.json names ${labels.length} labels, the classifier has ${classes}`,
    );
  return labels;
}
