import { openCheckpoint } from '../formats/checkpoint.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { type GroupName, loadingOps, loadOps } from '../graph/groups/index.ts';
import { type Folder, readJson } from '../hub/folder.ts';
import type { CatalogueModel } from './catalogue.ts';
import { isResNet, looksLikeResNet } from './detect.ts';
import { textType } from './families/index.ts';
import type { ModelFiles, OpenOptions } from './model.ts';
import type { ImageClassifier } from './resnet.ts';
import type { TextGenerator } from './text-generator.ts';

/** A model of a Hugging Face folder: `task` tells which. */
export type FolderModel = ImageClassifier | TextGenerator | CatalogueModel;

/** Opens the files of a model's folder: config and header of the weights; no tensor is read yet. */
export async function openModel(folder: Folder, signal?: AbortSignal): Promise<ModelFiles> {
  const [checkpoint, config] = await Promise.all([
    openCheckpoint(folder, signal),
    readJson(folder, 'config.json', signal),
  ]);
  if ('fields' in checkpoint) return (await import('./gguf/index.ts')).ggufFiles(folder.name, checkpoint, signal);
  return { name: folder.name, folder, checkpoint, config };
}

/** Loads a model by its module, with the ops of its graphs. */
async function loadBy<Module>(
  module: Promise<Module>,
  groups: readonly GroupName[],
  load: (module: Module) => Promise<FolderModel>,
): Promise<FolderModel> {
  await loadOps(groups);
  const loaded = await module;
  return loadingOps(() => load(loaded)); // small weights and some activations need further groups
}

/**
 * Loads the model that config.json or the tensor names tell, and the code of that model only. Error:
 * `unknown-architecture`.
 */
export async function loadModel(gpu: Gpu, folder: Folder, options: OpenOptions = {}): Promise<FolderModel> {
  const files = await openModel(folder, options.signal);
  if (options.activations === 'static' && !options.calibration) {
    const { storedCalibration } = await import('./calibration.ts');
    const calibration = await storedCalibration(files.checkpoint, options.signal);
    options = { ...options, ...(calibration && { calibration }) };
  }
  const type = String(files.config?.['model_type'] ?? files.config?.['architecture'] ?? '');
  if (textType(files) !== undefined)
    return loadBy(import('./text-generator.ts'), [], ({ TextGenerator }) => TextGenerator.load(gpu, files, options));
  if (isResNet(type) || (!type && looksLikeResNet(files.checkpoint.tensors)))
    return loadBy(import('./resnet.ts'), ['image'], ({ ImageClassifier }) => ImageClassifier.load(gpu, files, options));
  return loadBy(import('./catalogue.ts'), [], ({ load }) => load(gpu, files, options));
}
