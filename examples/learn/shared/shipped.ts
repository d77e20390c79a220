import {
  type Engine,
  type ImageClassifier,
  type LoadOptions,
  type Model,
  type TextGenerator,
  TilewrightError,
} from '../../../src/index.ts';
import { byId } from '../../shared/dom.ts';
import { LoadProgress } from '../../shared/load-progress.ts';

/** Where the models and pictures that ship are. */
export const WEIGHTS = new URL('../../../weights/', document.baseURI);

/** Does work that takes a while, and shows in the place `progress` how far it is. */
export async function withProgress<T>(work: (bar: LoadProgress) => Promise<T>): Promise<T> {
  const place = byId('progress', HTMLElement);
  const bar = new LoadProgress();
  place.replaceChildren(bar.element);
  try {
    return await work(bar);
  } finally {
    place.replaceChildren();
  }
}

/** The GPT that ships: 11.7 MB. */
export const loadGpt = (engine: Engine): Promise<TextGenerator> =>
  withProgress(async (bar) => {
    const source = new URL('gpt-shakespeare/', WEIGHTS).href;
    const model = await engine.load(source, { onProgress: (step) => bar.update(step) });
    if (model.task === 'text-generation') return model;
    throw new TilewrightError('unknown-architecture', 'the model that ships for texts writes none');
  });

export const RESNET_FILES = ['config.json', 'model.safetensors'];
export const GPT_FILES = [...RESNET_FILES, 'tokenizer.json', 'tokenizer_config.json'];

/** Files of a model that ships, to load it from more than once: the ResNet has 1.1 MB, the GPT 11.7 MB. */
export async function shippedFiles(model: string, names: readonly string[]): Promise<Record<string, Blob>> {
  const files = names.map(async (name) => {
    const response = await fetch(new URL(`${model}/${name}`, WEIGHTS));
    if (!response.ok) throw new TilewrightError('not-found', `${response.url} answers ${response.status}`);
    return [name, await response.blob()] as const;
  });
  return Object.fromEntries(await Promise.all(files));
}

/** A model of these files. */
export const loadFiles = (engine: Engine, files: Record<string, Blob>, options: LoadOptions = {}): Promise<Model> =>
  withProgress((bar) => engine.load(files, { ...options, onProgress: (step) => bar.update(step) }));

/** The ResNet of these files. */
export async function loadResnet(engine: Engine, files: Record<string, Blob>): Promise<ImageClassifier> {
  const model = await loadFiles(engine, files);
  if (model.task === 'image-classification') return model;
  throw new TilewrightError('unknown-architecture', 'the model that ships for pictures takes none');
}

/** A picture that ships. */
export const samplePicture = async (name: string): Promise<Blob> =>
  (await fetch(new URL(`samples/${name}.png`, WEIGHTS))).blob();
