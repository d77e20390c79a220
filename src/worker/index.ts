/** The public API from a page, where the engine computes in a worker. */

import type { Engine as HereEngine, EngineOptions as HereOptions } from '../engine.ts';
import { aborted, TilewrightError, throwIfAborted } from '../errors.ts';
import type { Availability } from '../gpu/adapter.ts';
import type { QuestionAnswerer as HereAnswerer } from '../models/encoder/answerer.ts';
import type { TextClassifier as HereTextClassifier } from '../models/encoder/classifier.ts';
import type { Embedder as HereEmbedder } from '../models/encoder/embedder.ts';
import type { MaskFiller as HereMaskFiller } from '../models/encoder/mask-filler.ts';
import type { Tagger as HereTagger } from '../models/encoder/tagger.ts';
import type { ImageClassifier as HereClassifier } from '../models/resnet.ts';
import type { Transcriber as HereTranscriber } from '../models/seq2seq/transcriber.ts';
import type { Translator as HereTranslator } from '../models/seq2seq/translator.ts';
import type { TextGenerator as HereGenerator } from '../models/text-generator.ts';
import type { GraphModel as HereGraphModel } from '../onnx/graph-model.ts';
import type { VectorIndex as HereIndex } from '../vectors/vector-index.ts';
import type { WordVectors as HereWords } from '../vectors/words/word-vectors.ts';
import { Link } from './link.ts';
import type { KINDS, Remote } from './members.ts';
import { startWorker } from './start.ts';

export { ERROR_CODES, TilewrightError } from '../errors.ts';
export type * from '../index.ts';
export { transfer } from './outgoing.ts';

export interface EngineOptions extends Omit<HereOptions, 'device' | 'recover'> {
  /** As in `tilewright`, on a device that the worker requests. */
  recover?: boolean;
  /**
   * A worker of the caller's, which imports `tilewright/worker-host`: it goes on when the engine is disposed of, and may have several.
   * Absent: one that the engine starts and ends.
   */
  worker?: Worker;
}

export type ImageClassifier = Remote<HereClassifier, 'image-classification'>;
export type TextGenerator = Remote<HereGenerator, 'text-generation'>;
export type Embedder = Remote<HereEmbedder, 'feature-extraction'>;
export type TextClassifier = Remote<HereTextClassifier, 'text-classification'>;
export type Tagger = Remote<HereTagger, 'token-classification'>;
export type QuestionAnswerer = Remote<HereAnswerer, 'question-answering'>;
export type MaskFiller = Remote<HereMaskFiller, 'fill-mask'>;
export type Transcriber = Remote<HereTranscriber, 'automatic-speech-recognition'>;
export type Translator = Remote<HereTranslator, 'text2text-generation'>;
export type GraphModel = Remote<HereGraphModel, 'graph'>;
export type VectorIndex = Remote<HereIndex, 'vector-search'>;
export type WordVectors = Remote<HereWords, 'word-vectors'>;
/** What `engine.load` gives: `task` tells which. */
export type Model =
  | ImageClassifier
  | TextGenerator
  | Embedder
  | TextClassifier
  | Tagger
  | QuestionAnswerer
  | MaskFiller
  | Transcriber
  | Translator
  | GraphModel;

type Spoken = Remote<HereEngine, 'engine'>;

/** An engine in a worker, with the interface of `tilewright`'s. What is computed comes as a promise. */
export interface Engine extends Omit<Spoken, 'load' | 'verify' | 'index' | 'openIndex' | 'wordVectors'> {
  /** As in `tilewright`. Of an element or a canvas of the page the worker gets the pixels. */
  load(...given: Parameters<HereEngine['load']>): Promise<Model>;
  /** As in `tilewright`. Vectors that come one by one are read first. */
  index(...given: Parameters<HereEngine['index']>): Promise<VectorIndex>;
  /** As in `tilewright`. */
  openIndex(...given: Parameters<HereEngine['openIndex']>): Promise<VectorIndex>;
  /** As in `tilewright`. */
  wordVectors(...given: Parameters<HereEngine['wordVectors']>): Promise<WordVectors>;
  /** As in `tilewright`, of a model of this engine. */
  verify(target?: Model, options?: Parameters<HereEngine['verify']>[1]): ReturnType<HereEngine['verify']>;
}

interface Statics {
  /** As in `tilewright`. Errors: `worker-lost` where the worker cannot be started; else the same. */
  create(options?: EngineOptions): Promise<Engine>;
  /** As in `tilewright`, for a worker. */
  availability(options?: Omit<EngineOptions, 'signal'>): Promise<Availability>;
}

async function ask<Name extends keyof typeof KINDS.statics>(
  name: Name,
  { worker, ...options }: EngineOptions,
): Promise<{ link: Link; answer: Awaited<ReturnType<Statics[Name]>> }> {
  const { signal, recover } = options;
  if (typeof recover === 'function')
    throw new TilewrightError(
      'invalid-argument',
      `Engine.${name}: recover: a device of the page stays out of the worker`,
      {
        hint: 'Give recover: true: the worker requests the new device itself.',
      },
    );
  throwIfAborted(signal, 'creating the engine');
  const link = new Link(worker ?? startWorker(), worker !== undefined);
  const stop = (): void => link.end(() => aborted(signal!, 'creating the engine'));
  signal?.addEventListener('abort', stop);
  try {
    await link.opened();
    return { link, answer: (await (link.statics as Statics)[name](options)) as Awaited<ReturnType<Statics[Name]>> };
  } catch (error) {
    link.end(() => new TilewrightError('disposed', 'the engine could not be created'));
    throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

export const Engine: Statics = {
  create: async (options = {}) => (await ask('create', options)).answer,
  async availability(options = {}) {
    const { link, answer } = await ask('availability', options);
    link.dispose();
    return answer;
  },
};
