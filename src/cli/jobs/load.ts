import type { Model } from '../../engine.ts';
import { Engine } from '../../engine.ts';
import { TilewrightError } from '../../errors.ts';
import { adapterName } from '../../gpu/adapter.ts';
import type { Graph } from '../../graph/ir.ts';
import type { LoadOptions } from '../../models/model.ts';
import type { ImageClassifier } from '../../models/resnet.ts';
import type { Transcriber } from '../../models/seq2seq/transcriber.ts';
import type { Translator } from '../../models/seq2seq/translator.ts';
import type { TextGenerator } from '../../models/text-generator.ts';
import type { GraphModel } from '../../onnx/graph-model.ts';
import { pictureInput } from '../../onnx/pictures.ts';
import type { Progress } from '../../tensor/progress.ts';
import { hubOptions } from '../hub.ts';
import type { JobContext, ModelCard } from './job.ts';

/** How a model is loaded: what of `LoadOptions` crosses to a page. */
export interface LoadArgs
  extends Pick<LoadOptions, 'dtype' | 'groupSize' | 'dims' | 'task' | 'tune' | 'activations' | 'calibration'> {
  /** Integer products also where others are faster here: to see what they cost in accuracy. */
  readonly everywhere?: boolean;
}

export interface ModelArgs {
  /** An address that this side can open. */
  readonly model: string;
  readonly load?: LoadArgs;
}

// This side lives for one command, so what one job made ready serves the next.
let engine: Promise<Engine> | undefined;
const models = new Map<string, Promise<Model>>();

/** Jobs that know the adapter. */
const told = new WeakSet<JobContext>();

/** The one engine of this side; says which adapter it is on, once. */
export async function openEngine(context: JobContext): Promise<Engine> {
  const { emit, signal } = context;
  engine ??= Engine.create({ signal });
  engine.catch(() => {
    engine = undefined;
  });
  const { adapter } = await engine;
  if (!told.has(context)) emit({ type: 'adapter', name: adapterName(adapter), software: adapter.software });
  told.add(context);
  return engine;
}

export async function loadModel({ model: address, load = {} }: ModelArgs, context: JobContext): Promise<Model> {
  const { emit, signal } = context;
  const key = `${JSON.stringify(load)} ${address}`;
  const ready = await openEngine(context);
  let loading = models.get(key);
  if (!loading) {
    const onProgress = (progress: Progress): void => emit({ type: 'progress', progress });
    const { everywhere, ...options } = load;
    loading = ready.load(address, {
      ...options,
      ...hubOptions(address),
      ...(everywhere && { integer: () => true }),
      signal,
      onProgress,
    });
    loading.catch(() => models.delete(key));
    models.set(key, loading);
  }
  const model = await loading;
  if (load.dims && model.task !== 'graph')
    throw new TilewrightError('invalid-argument', `--dims: this model (${model.architecture}) is no ONNX model`);
  emit({ type: 'loaded', model: cardOf(model) });
  return model;
}

function cardOf(model: Model): ModelCard {
  const none = { labels: undefined, classes: undefined, size: undefined };
  if (model.task === 'graph') return graphCard(model);
  if (model.task !== 'image-classification') {
    // Of models that read and write the context is of two lengths.
    const context = 'context' in model && typeof model.context === 'number' ? model.context : undefined;
    return { ...model.info, ...none, task: model.task, context };
  }
  const { labels, task, preprocessing } = model;
  const named = labels.some((label, index) => label !== `class ${index}`);
  return {
    ...model.info,
    task,
    labels: named ? labels : undefined,
    classes: labels.length,
    size: preprocessing.size,
    context: undefined,
  };
}

/** A graph may be a classifier: then the sizes of its pictures and the number of its classes are known from its values. */
function graphCard(model: GraphModel): ModelCard {
  const { height, width } = (model.inputs[0] && pictureInput(model.inputs[0])) ?? {};
  const classes = model.outputs[0]?.dims?.at(-1);
  return {
    ...model.info,
    task: model.task,
    labels: undefined,
    classes: typeof classes === 'number' ? classes : undefined,
    size: height && width ? [height, width] : undefined,
    context: undefined,
  };
}

/** Errors: `invalid-argument` where the model is for another task. */
export async function loadClassifier(args: ModelArgs, context: JobContext): Promise<ImageClassifier> {
  const model = await loadModel(args, context);
  if (model.task === 'image-classification') return model;
  throw mismatch(model);
}

/** Errors: `invalid-argument` where the model is for another task. */
export async function loadGenerator(args: ModelArgs, context: JobContext): Promise<TextGenerator> {
  const model = await loadModel(args, context);
  if (model.task === 'text-generation') return model;
  throw mismatch(model);
}

/** Errors: `invalid-argument` where the model is for another task. */
export async function loadTranscriber(args: ModelArgs, context: JobContext): Promise<Transcriber> {
  const model = await loadModel(args, context);
  if (model.task === 'automatic-speech-recognition') return model;
  throw mismatch(model);
}

/** Errors: `invalid-argument` where the model is for another task. */
export async function loadTranslator(args: ModelArgs, context: JobContext): Promise<Translator> {
  const model = await loadModel(args, context);
  if (model.task === 'text2text-generation') return model;
  throw mismatch(model);
}

/** Errors: `invalid-argument` where the model is for another task. */
export async function loadGraph(args: ModelArgs, context: JobContext): Promise<GraphModel> {
  const model = await loadModel(args, context);
  if (model.task === 'graph') return model;
  throw mismatch(model);
}

const TASKS: Readonly<Record<Model['task'], readonly [does: string, hint: string]>> = {
  'text-generation': ['generates text', 'Give --prompt or --text.'],
  'image-classification': ['classifies pictures', 'Give --image or --images.'],
  'feature-extraction': ['gives texts vectors', 'Try tilewright embed.'],
  'text-classification': ['labels texts', 'Try tilewright classify-text.'],
  'token-classification': ['labels words', 'Try tilewright classify-text.'],
  'question-answering': ['finds answers', 'Try tilewright classify-text.'],
  'fill-mask': ['fills gaps', 'Try tilewright classify-text.'],
  'text2text-generation': ['writes a text for another', 'Use tilewright translate.'],
  'automatic-speech-recognition': ['transcribes speech', 'Use tilewright transcribe.'],
  graph: ['takes tensors', 'Give --input name=file.npy to run.'],
};

/** Error: the model is for another task. */
export function mismatch({ architecture, task }: Model): TilewrightError {
  const [does, hint] = TASKS[task];
  return new TilewrightError('invalid-argument', `this model (${architecture}) ${does}`, { hint });
}

/** The graphs of a model, by plan. Error: `invalid-argument` where they depend on dimensions that were not given. */
export function graphsOf(model: Model): Readonly<Record<string, Graph>> {
  if (model.task !== 'graph' || !model.openDims.length) return model.graphs();
  const names = model.openDims.map((name) => name || '?');
  const message = `${model.info.name}: the dimensions ${names.join(', ')} are not known`;
  throw new TilewrightError('invalid-argument', message, {
    hint: `Give --dims ${names.map((name) => `${name}=N`).join(',')}.`,
  });
}
