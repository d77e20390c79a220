import type { Engine as HereEngine } from '../engine.ts';
import type { QuestionAnswerer } from '../models/encoder/answerer.ts';
import type { TextClassifier } from '../models/encoder/classifier.ts';
import type { Embedder } from '../models/encoder/embedder.ts';
import type { MaskFiller } from '../models/encoder/mask-filler.ts';
import type { Tagger } from '../models/encoder/tagger.ts';
import type { ImageClassifier } from '../models/resnet.ts';
import type { Transcriber } from '../models/seq2seq/transcriber.ts';
import type { Translator } from '../models/seq2seq/translator.ts';
import type { TextGenerator } from '../models/text-generator.ts';
import type { GraphModel } from '../onnx/graph-model.ts';
import type { Tokenizer } from '../text/tokenizer.ts';
import type { VectorIndex } from '../vectors/vector-index.ts';
import type { WordVectors } from '../vectors/words/word-vectors.ts';

/**
 * How a public member of a class crosses to the page. `data`: told once. `state`: told with every answer. `call`: a method, whose
 * answer is a promise. `stream`: a method that gives an async generator. `object`: methods of its own. `here`: the page's own.
 * `stays`: what cannot be sent; asking for it is an error with its name.
 */
export type Crossing = 'data' | 'state' | 'call' | 'stream' | 'object' | 'here' | 'stays';

type Method = (...args: never[]) => unknown;
type Stream = (...args: never[]) => AsyncGenerator<unknown, unknown, unknown>;
type CrossingOf<Value> = Value extends Stream
  ? 'stream'
  : Value extends Method
    ? 'call' | 'here' | 'stays'
    : Exclude<Crossing, 'call' | 'stream'>;

/** Every public member of a class: the compiler refuses a table that lacks one, has one too many, or has it otherwise than it is. */
type Members<Class> = { readonly [Name in keyof Class & string]: CrossingOf<Class[Name]> };

/** Of everything that is disposed of. */
const RESOURCE = { dispose: 'here', disposed: 'here', onDispose: 'here', alive: 'here' } as const;

const MODEL = {
  ...RESOURCE,
  task: 'data',
  architecture: 'data',
  dtype: 'data',
  parameters: 'data',
  info: 'state',
  deviceBytes: 'call',
  typicalInputs: 'call',
  profile: 'call',
  summary: 'call',
  report: 'call',
  build: 'stays',
  buildOn: 'stays',
  files: 'stays',
  gpu: 'stays',
  graphs: 'stays',
  how: 'stays',
  moveTo: 'stays',
  plan: 'stays',
  sessions: 'stays',
} as const;

/** What all models that read texts whole have. */
const ENCODER = {
  ...MODEL,
  shape: 'data',
  context: 'data',
  tokenizer: 'object',
  hiddenStates: 'call',
  graph: 'stays',
  inputsOf: 'stays',
} as const;

/** Of encoder-decoders. */
const SEQ2SEQ = {
  ...MODEL,
  shape: 'stays',
  tokenizer: 'object',
  encoderGraph: 'stays',
  decoderGraph: 'stays',
} as const;

/** All that is spoken to across threads, by the name of its kind: of models, their `task`. */
export const KINDS = {
  /** The class `Engine` itself. */
  statics: { create: 'call', availability: 'call' } as const satisfies Members<Omit<typeof HereEngine, 'prototype'>>,

  engine: {
    load: 'call',
    index: 'call',
    openIndex: 'call',
    wordVectors: 'call',
    verify: 'call',
    adapter: 'data',
    counters: 'state',
    lost: 'here',
    addEventListener: 'here',
    removeEventListener: 'here',
    dispatchEvent: 'here',
    dispose: 'here',
    disposed: 'here',
    build: 'stays',
    device: 'stays',
    gpu: 'stays',
    graph: 'stays',
    loadOps: 'stays',
  } as const satisfies Members<HereEngine>,

  'image-classification': {
    ...MODEL,
    shape: 'data',
    preprocessing: 'data',
    labels: 'data',
    classify: 'call',
    preprocessesOn: 'call',
    logits: 'call',
    rank: 'call',
    calibrate: 'call',
    graph: 'stays',
  } as const satisfies Members<ImageClassifier>,

  'text-generation': {
    ...MODEL,
    shape: 'data',
    context: 'data',
    generationConfig: 'data',
    tokenizer: 'object',
    applyChatTemplate: 'call',
    generate: 'stream',
    chat: 'stream',
    logits: 'call',
    perplexity: 'call',
    calibrate: 'call',
    graph: 'stays',
  } as const satisfies Members<TextGenerator>,

  'feature-extraction': {
    ...ENCODER,
    dimensions: 'data',
    normalized: 'data',
    prompts: 'data',
    embed: 'call',
  } as const satisfies Members<Embedder>,

  'text-classification': {
    ...ENCODER,
    labels: 'data',
    classify: 'call',
    logits: 'call',
    rerank: 'call',
  } as const satisfies Members<TextClassifier>,

  'token-classification': { ...ENCODER, labels: 'data', tag: 'call' } as const satisfies Members<Tagger>,
  'question-answering': { ...ENCODER, answer: 'call' } as const satisfies Members<QuestionAnswerer>,
  'fill-mask': { ...ENCODER, mask: 'data', fill: 'call' } as const satisfies Members<MaskFiller>,

  'automatic-speech-recognition': {
    ...SEQ2SEQ,
    sampleRate: 'data',
    languages: 'data',
    transcribe: 'stream',
    spectrogram: 'call',
  } as const satisfies Members<Transcriber>,

  'text2text-generation': {
    ...SEQ2SEQ,
    context: 'data',
    generationConfig: 'data',
    translate: 'call',
    generate: 'stream',
  } as const satisfies Members<Translator>,

  graph: {
    ...MODEL,
    inputs: 'data',
    outputs: 'data',
    openDims: 'data',
    run: 'call',
    reset: 'call',
    nodes: 'call',
    excerpt: 'call',
    calibrate: 'call',
    model: 'stays',
  } as const satisfies Members<GraphModel>,

  'vector-search': {
    ...RESOURCE,
    task: 'data',
    size: 'data',
    dimension: 'data',
    dtype: 'data',
    metric: 'data',
    model: 'data',
    deviceBytes: 'state',
    vector: 'call',
    search: 'call',
    blob: 'call',
    save: 'call',
    gpu: 'stays',
    moveTo: 'stays',
  } as const satisfies Members<VectorIndex>,

  'word-vectors': {
    ...RESOURCE,
    task: 'data',
    size: 'data',
    dimension: 'data',
    dtype: 'data',
    deviceBytes: 'state',
    has: 'call',
    vector: 'call',
    similarity: 'call',
    nearest: 'call',
    analogy: 'call',
    embed: 'call',
  } as const satisfies Members<WordVectors>,

  tokenizer: {
    encode: 'call',
    decode: 'call',
    frame: 'call',
    offsets: 'call',
    size: 'data',
    ...{
      bosTokenId: 'data',
      eosTokenId: 'data',
      padTokenId: 'data',
      unkTokenId: 'data',
      maskTokenId: 'data',
      specialTokenIds: 'data',
    },
  } as const satisfies Members<Tokenizer>,

  /** An async generator. */
  stream: { next: 'call', return: 'call' } as const,
} as const satisfies Record<string, Readonly<Record<string, Crossing>>>;

export type Kind = keyof typeof KINDS;

/** How a member of a kind crosses; undefined where there is none of that name. */
export const crossing = (kind: Kind, name: string): Crossing | undefined =>
  Object.hasOwn(KINDS[kind], name) ? (KINDS[kind] as Readonly<Record<string, Crossing>>)[name] : undefined;

/** A method as the page has it: its answer is a promise. */
type Called<Value> = Value extends (...args: never[]) => Promise<unknown>
  ? Value
  : Value extends (...args: infer Args) => infer Answer
    ? (...args: Args) => Promise<Answer>
    : Value;

type Crossed<Value, How> = How extends 'call'
  ? Called<Value>
  : How extends 'object'
    ? Value extends Tokenizer
      ? Remote<Tokenizer, 'tokenizer'>
      : never
    : How extends 'data' | 'state'
      ? DataOf<Value>
      : Value;

/** Data cross without what they compute. */
type DataOf<Value> = Value extends string | number | boolean | undefined | readonly unknown[]
  ? Value
  : { readonly [Name in keyof Value as Value[Name] extends Method ? never : Name]: Value[Name] };

/** An object of a worker, as the page has it: what is computed comes as a promise, data are there. What `stays` is not there. */
export type Remote<Class, Of extends Kind> = {
  readonly [Name in keyof Class as Name extends keyof (typeof KINDS)[Of]
    ? (typeof KINDS)[Of][Name] extends 'stays'
      ? never
      : Name
    : Extract<Name, symbol>]: Crossed<
    Class[Name],
    Name extends keyof (typeof KINDS)[Of] ? (typeof KINDS)[Of][Name] : 'here'
  >;
};
