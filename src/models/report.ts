import { type BuildOptions, buildSession } from '../build/build.ts';
import { TilewrightError, throwIfAborted } from '../errors.ts';
import type { Checkpoint } from '../formats/safetensors.ts';
import { adapterName } from '../gpu/adapter.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { Graph } from '../graph/ir.ts';
import { channelAxis, type WeightType, type WeightTypes } from '../graph/passes/weight_types.ts';
import { signal as aSignal, checkArgument, checkOptions, fn } from '../options.ts';
import type { TensorInput } from '../runtime/session.ts';
import { converted } from '../tensor/convert.ts';
import { fromHalf } from '../tensor/half.ts';
import { unpackInt4 } from '../tensor/int4.ts';
import type { TensorSource } from '../tensor/source.ts';
import { byteLength, elementCount, stridesOf, type TensorData } from '../tensor/types.ts';
import type { Tokenizer } from '../text/tokenizer.ts';
import { decodePicture, type PictureSource } from '../vision/decode.ts';
import { type Preprocessing, preprocess } from '../vision/preprocess.ts';
import type { EncoderTask } from './encoder/tasks.ts';
import { layerNodes, readConstants, type WeightLayer, weightLayers } from './layers.ts';

/** A picture, a text, or token ids, to measure a layer on. */
export type Sample = PictureSource | string | readonly number[];

/** How a report is made. */
export interface ReportOptions {
  signal?: AbortSignal;
  /** Called before each layer's weights are compared. */
  onLayer?: (done: number, total: number, name: string) => void;
}

/** Bytes of weights; a tensor that several layers share counts once in sums. */
export interface WeightBytes {
  /** As float32. */
  readonly float32: number;
  /** In the checkpoint. */
  readonly file: number;
  /** On the device, scales included. */
  readonly device: number;
}

/** ‖kept - w‖ / ‖w‖ (Frobenius), w in float32. */
export interface WeightError {
  readonly relative: number;
  /** The output channel (of a table: the row) with the largest relative error. */
  readonly worst: { readonly channel: number; readonly relative: number };
}

/** Error of an output against float32, over all samples. NaN where something is not finite. */
export interface OutputError {
  /** ‖y - y32‖ / ‖y32‖. */
  readonly relative: number;
  /** max |y - y32|. */
  readonly absolute: number;
}

/** What a layer's small weights save and cost. */
export interface LayerReport {
  /** As the keys of a dtype name it. */
  readonly name: string;
  readonly op: string;
  /** Of the weights, as the checkpoint has them. */
  readonly shape: readonly number[];
  readonly dtype: WeightType;
  /** Weights that share a scale; null where there are no scales. */
  readonly perScale: number | null;
  readonly bytes: WeightBytes;
  /** An earlier layer has the same tensor. Sums count its bytes and its error there. */
  readonly shared: boolean;
  /** Null where the checkpoint has the layer quantised: its float weights are not known. */
  readonly weightError: WeightError | null;
  /**
   * Includes the errors of the layers before it; excludes bias and normalisation. Null where float weights of any layer
   * are not known.
   */
  readonly outputError: OutputError | null;
}

/** What small weights of all layers of an op cost. */
export interface OpReport {
  readonly op: string;
  readonly layers: number;
  readonly parameters: number;
  readonly bytes: WeightBytes;
  /** Relative Frobenius over all weights of the kind. */
  readonly weightError: number | null;
  /** The layer whose output has the largest error. */
  readonly worstOutput: { readonly layer: string; readonly relative: number } | null;
}

/** What small weights of a model save and cost. Plain JSON; sizes in bytes, errors without a unit. */
export interface ModelReport {
  readonly model: string;
  readonly architecture: string;
  readonly adapter: string;
  /** The dtype that was asked for; without one, the checkpoint's. */
  readonly dtype: WeightTypes;
  readonly groupSize: number | null;
  /** How many samples the outputs were compared on. */
  readonly samples: number;
  readonly layers: readonly LayerReport[];
  /** By kind of layer. */
  readonly ops: readonly OpReport[];
  readonly totals: Omit<OpReport, 'op'>;
  /** Of the logits. Null as in `LayerReport`. */
  readonly output: OutputError | null;
}

/** The parts of a loaded model that the report needs. */
interface Subject {
  readonly gpu: Gpu;
  readonly files: { readonly name: string; readonly checkpoint: Checkpoint };
  readonly architecture: string;
  readonly dtype: WeightType;
  readonly how: BuildOptions;
  graphs(): Readonly<Record<string, Graph>>;
  typicalInputs(plan: string): Readonly<Record<string, TensorInput>>;
}

interface Classifier extends Subject {
  readonly task: 'image-classification';
  readonly preprocessing: Preprocessing;
  graph(batch?: number, dataType?: 'float32'): Graph;
}

interface Generator extends Subject {
  readonly task: 'text-generation';
  readonly context: number;
  readonly tokenizer: Tokenizer;
  graph(tokens: number, predict: 'all', dataType?: 'float32'): Graph;
}

/** A model that reads texts whole. */
interface Reader extends Subject {
  readonly task: EncoderTask;
  readonly context: number;
  readonly tokenizer: Tokenizer;
  graph(texts: number, tokens: number, dataType?: 'float32'): Graph;
  inputsOf(ids: readonly number[], tokens: number): Readonly<Record<string, TensorInput>>;
}

export type Reported = Classifier | Generator | Reader;

/** The runs that samples become: a graph by type, and for each run its inputs and the rows of the outputs that they fill. */
interface Runs {
  graph(dataType?: 'float32'): Graph;
  readonly inputs: readonly { readonly values: Readonly<Record<string, TensorInput>>; readonly filled: number }[];
}

/** Compares the weights a layer at a time, then runs the model beside its float32 form. Nothing stays on the device. */
export async function reportOn(
  model: Reported,
  samples: readonly Sample[],
  options: ReportOptions,
): Promise<ModelReport> {
  checkArgument('report', 'samples', samples, ['a list', Array.isArray]);
  checkOptions('report', options, { signal: aSignal, onLayer: fn });
  const { signal, onLayer } = options;
  const runs = model.task === 'image-classification' ? await pictureRuns(model, samples) : textRuns(model, samples);
  const graph = runs.graph();
  const layers = await weightLayers(graph, model.how);
  const measured: { layer: WeightLayer; weights: Errors | undefined; shared: boolean }[] = [];
  for (const [i, layer] of layers.entries()) {
    throwIfAborted(signal, 'the report');
    onLayer?.(i, layers.length, layer.name);
    const same = measured.find(({ layer: { tensor, dtype } }) => tensor === layer.tensor && dtype === layer.dtype);
    const weights = same ? same.weights : await weightErrors(model.gpu, layer, signal);
    measured.push({ layer, weights, shared: same !== undefined });
  }
  const known = layers.every(({ stored }) => !stored);
  const outputs = known ? await outputErrors(model, graph, runs, signal) : undefined;
  const rows = measured.map(({ layer, weights, shared }, i) =>
    rowOf(model, layer, weights, shared, outputs?.layers[i]),
  );
  const sumOf = (op?: string): Omit<OpReport, 'op'> => {
    const indices = rows.flatMap((row, i) => (op === undefined || row.op === op ? [i] : []));
    return sum(
      indices.map((i) => rows[i]!),
      indices.map((i) => measured[i]!.weights),
    );
  };
  return {
    model: model.files.name,
    architecture: model.architecture,
    adapter: adapterName(model.gpu.card),
    dtype: model.how.weights ?? model.dtype,
    groupSize: model.how.groupSize ?? null,
    samples: runs.inputs.length,
    layers: rows,
    ops: [...new Set(rows.map(({ op }) => op))].map((op) => ({ op, ...sumOf(op) })),
    totals: sumOf(),
    output: outputs?.model.output ?? null,
  };
}

async function pictureRuns(model: Classifier, samples: readonly Sample[]): Promise<Runs> {
  const pictures = samples.map((sample) => {
    if (typeof sample === 'string' || Array.isArray(sample)) throw unfit('pictures', sample);
    return sample as PictureSource;
  });
  const inputs: { values: Readonly<Record<string, TensorInput>>; filled: number }[] = [];
  for (const picture of pictures) {
    const image = preprocess([await decodePicture(picture)], model.preprocessing);
    inputs.push({ values: { image }, filled: 1 });
  }
  if (!inputs.length) inputs.push({ values: model.typicalInputs('image'), filled: 1 });
  return { graph: (dataType) => model.graph(1, dataType), inputs };
}

/** All texts share a graph of the length of the longest. Padding after a text changes no row before it. */
function textRuns(model: Generator | Reader, samples: readonly Sample[]): Runs {
  const given = samples.map((sample) => {
    if (typeof sample !== 'string' && !Array.isArray(sample)) throw unfit('texts or token ids', sample);
    const ids = typeof sample === 'string' ? model.tokenizer.encode(sample) : (sample as readonly number[]);
    return ids.slice(0, model.context);
  });
  const texts = given.filter((ids) => ids.length);
  if (!texts.length) {
    const { tokens } = model.typicalInputs(Object.keys(model.graphs()).at(-1)!);
    texts.push(Array.from<number | bigint, number>(tokens!, Number));
  }
  const length = Math.max(...texts.map((ids) => ids.length));
  if (model.task !== 'text-generation')
    return {
      graph: (dataType) => model.graph(1, length, dataType),
      inputs: texts.map((ids) => ({ values: model.inputsOf(ids, length), filled: ids.length / length })),
    };
  const positions = Uint32Array.from({ length }, (_, i) => i);
  return {
    graph: (dataType) => model.graph(length, 'all', dataType),
    inputs: texts.map((ids) => ({
      values: { tokens: positions.map((i) => ids[i] ?? 0), positions },
      filled: ids.length / length,
    })),
  };
}

const unfit = (expected: string, got: unknown): TilewrightError =>
  new TilewrightError(
    'invalid-argument',
    `samples: expected ${expected}, got ${typeof got === 'object' ? 'an object or list' : `a ${typeof got}`}`,
  );

/** Sums of squares of the error and of the right value, by output channel of a layer's weights, or of outputs. */
class Errors {
  readonly #errors: Float64Array;
  readonly #sizes: Float64Array;
  #worst = 0;

  constructor(channels = 1) {
    this.#errors = new Float64Array(channels);
    this.#sizes = new Float64Array(channels);
  }

  add(got: number, want: number, channel = 0): void {
    const difference = Math.abs(got - want);
    this.#errors[channel]! += difference * difference;
    this.#sizes[channel]! += want * want;
    if (!(difference <= this.#worst)) this.#worst = difference;
  }

  /** Both sums over all channels. */
  get sums(): readonly [error: number, size: number] {
    return [this.#errors.reduce((a, b) => a + b, 0), this.#sizes.reduce((a, b) => a + b, 0)];
  }

  get output(): OutputError {
    return { relative: ratio(...this.sums), absolute: this.#worst };
  }

  get weights(): WeightError {
    let worst = { channel: 0, relative: 0 };
    this.#errors.forEach((error, channel) => {
      const relative = ratio(error, this.#sizes[channel]!);
      if (!(relative <= worst.relative)) worst = { channel, relative };
    });
    return { relative: ratio(...this.sums), worst };
  }
}

const ratio = (error: number, size: number): number => (error === 0 ? 0 : Math.sqrt(error / size));

/** Error of a layer's weights against the checkpoint's. Undefined where those are not float. */
async function weightErrors(gpu: Gpu, layer: WeightLayer, signal?: AbortSignal): Promise<Errors | undefined> {
  const { node, tensor, dtype, values, scales, stored } = layer;
  if (stored) return undefined;
  const { shape } = values;
  const axis = channelAxis(node);
  const [inner, channels] = [stridesOf(shape)[axis]!, shape[axis]!];
  const errors = new Errors(channels);
  const kept =
    dtype === 'float32' ? undefined : await readConstants(gpu, { values, ...(scales && { scales }) }, signal);
  const at = kept && keptAt(layer, kept['values']!, kept['scales'] as Float32Array | undefined);
  let i = 0;
  for await (const chunk of floatsOf(tensor, signal)) {
    for (const want of chunk) {
      errors.add(at ? at(i) : want, want, Math.floor(i / inner) % channels);
      i++;
    }
  }
  return errors;
}

/** The numbers that a layer's weights stand for, by index. */
function keptAt(
  { dtype, values, scales }: WeightLayer,
  data: TensorData,
  factors?: Float32Array,
): (i: number) => number {
  if (!scales || !factors) return dtype === 'float16' ? (i) => fromHalf(data[i]!) : (i) => data[i]!;
  const { shape } = values;
  const levels = dtype === 'int4' ? unpackInt4(data as Uint8Array, elementCount(shape)) : data;
  const [strides, steps] = [stridesOf(shape), stridesOf(scales.shape)];
  const axes = shape.flatMap((size, d) => {
    const blocks = scales.shape[d]!;
    return blocks > 1 ? [{ stride: strides[d]!, size, block: size / blocks, step: steps[d]! }] : [];
  });
  return (i) => {
    let scale = 0;
    for (const { stride, size, block, step } of axes)
      scale += Math.floor((Math.floor(i / stride) % size) / block) * step;
    // Rounded once, as in the kernels.
    return Math.fround(levels[i]! * factors[scale]!);
  };
}

/** The numbers of a float tensor in a file. */
async function* floatsOf(source: TensorSource, signal?: AbortSignal): AsyncGenerator<Float32Array> {
  for await (const bytes of converted(source, signal)) {
    const { buffer } = bytes.slice(); // aligned
    if (source.storedType === 'F16') yield Float32Array.from(new Uint16Array(buffer), fromHalf);
    else if (source.storedType === 'BF16')
      yield new Float32Array(Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16).buffer);
    else yield new Float32Array(buffer);
  }
}

/** Runs the model and its float32 form on the same inputs, and compares the outputs of all layers and of the model. */
async function outputErrors(
  model: Reported,
  graph: Graph,
  runs: Runs,
  signal?: AbortSignal,
): Promise<{ layers: Errors[]; model: Errors }> {
  const options = { tune: 'off', signal } as const;
  using session = await buildSession(model.gpu, withLayers(graph), { ...model.how, ...options });
  using reference = await buildSession(model.gpu, withLayers(runs.graph('float32')), options);
  const [last] = Object.keys(graph.outputs) as [string];
  const names = [...session.plan.outputs.keys()];
  const errors = new Map(names.map((name) => [name, new Errors()]));
  for (const { values, filled } of runs.inputs) {
    const got = await session.run(values, { signal });
    const want = await reference.run(values, { signal });
    for (const name of names) {
      const half = session.plan.outputs.get(name)!.operand.dataType === 'float16';
      const [data, expected] = [got[name]!, want[name]!];
      const count = Math.round(expected.length * filled);
      for (let i = 0; i < count; i++) errors.get(name)!.add(half ? fromHalf(data[i]!) : data[i]!, expected[i]!);
    }
  }
  return {
    layers: names.filter((name) => name !== last).map((name) => errors.get(name)!),
    model: errors.get(last)!,
  };
}

/** The graph with the output of each layer as an output more. */
const withLayers = (graph: Graph): Graph => ({
  outputs: { ...graph.outputs, ...Object.fromEntries(layerNodes(graph).map(({ node }, i) => [`layer ${i}`, node])) },
});

function rowOf(
  { files: { checkpoint } }: Reported,
  { name, node, tensor, dtype, values, scales, stored }: WeightLayer,
  weights: Errors | undefined,
  shared: boolean,
  output: Errors | undefined,
): LayerReport {
  const fileBytes = (stored: string): number => checkpoint.tensors.get(stored)?.byteLength ?? 0;
  return {
    name,
    op: node.op,
    shape: tensor.shape,
    dtype,
    perScale: scales ? elementCount(values.shape) / elementCount(scales.shape) : null,
    bytes: {
      float32: 4 * elementCount(tensor.shape),
      file: fileBytes(tensor.name) + (stored ? fileBytes(`${tensor.name}_scale`) : 0),
      device: byteLength(values) + (scales ? byteLength(scales) : 0),
    },
    shared,
    weightError: weights?.weights ?? null,
    outputError: output?.output ?? null,
  };
}

function sum(rows: readonly LayerReport[], weights: readonly (Errors | undefined)[]): Omit<OpReport, 'op'> {
  const own = rows.filter(({ shared }) => !shared);
  const total = (of: (row: LayerReport) => number): number => own.reduce((amount, row) => amount + of(row), 0);
  const known = rows.flatMap(({ shared }, i) => (!shared && weights[i] ? [weights[i].sums] : []));
  const [error, size] = known.reduce(([e, s], [error, size]) => [e + error, s + size], [0, 0]);
  const measured = rows.flatMap(({ name, outputError }) =>
    outputError ? [{ layer: name, relative: outputError.relative }] : [],
  );
  return {
    layers: rows.length,
    parameters: total(({ shape }) => elementCount(shape)),
    bytes: {
      float32: total(({ bytes }) => bytes.float32),
      file: total(({ bytes }) => bytes.file),
      device: total(({ bytes }) => bytes.device),
    },
    weightError: known.length ? ratio(error, size) : null,
    worstOutput: measured.length ? measured.reduce((a, b) => (b.relative <= a.relative ? a : b)) : null,
  };
}
