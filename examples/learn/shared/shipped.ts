import { type Engine, type ImageClassifier, type TextGenerator, TilewrightError } from '../../../src/index.ts';
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

/** The files of the ResNet that ships, fetched once: 1.1 MB. */
export async function resnetFiles(): Promise<Record<string, Blob>> {
  const files = ['config.json', 'model.safetensors'].map(async (name) => {
    const response = await fetch(new URL(`resnet20-cifar10/${name}`, WEIGHTS));
    if (!response.ok) throw new TilewrightError('not-found', `${response.url} answers ${response.status}`);
    return [name, await response.blob()] as const;
  });
  return Object.fromEntries(await Promise.all(files));
}

/** The ResNet that ships, of these files. */
export const loadResnet = (
  engine: Engine,
  files: Record<string, Blob>,
  options: Parameters<Engine['load']>[1] = {},
): Promise<ImageClassifier> =>
  withProgress(async (bar) => {
    const model = await engine.load(files, { ...options, onProgress: (step) => bar.update(step) });
    if (model.task === 'image-classification') return model;
    throw new TilewrightError('unknown-architecture', 'the model that ships for pictures takes none');
  });

/** A picture that ships. */
export const samplePicture = async (name: string): Promise<Blob> =>
  (await fetch(new URL(`samples/${name}.png`, WEIGHTS))).blob();
