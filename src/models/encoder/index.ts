import { TilewrightError } from '../../errors.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { refuse, shown } from '../../options.ts';
import type { ModelFiles, OpenOptions } from '../model.ts';
import type { QuestionAnswerer } from './answerer.ts';
import type { TextClassifier } from './classifier.ts';
import type { Embedder } from './embedder.ts';
import type { MaskFiller } from './mask-filler.ts';
import type { Tagger } from './tagger.ts';
import type { EncoderTask } from './tasks.ts';

/** What a folder's encoder may be: `task` tells which. */
export type EncoderFolderModel = Embedder | TextClassifier | Tagger | QuestionAnswerer | MaskFiller;

type Load = (gpu: Gpu, files: ModelFiles, options: OpenOptions) => Promise<EncoderFolderModel>;

/** The class of each task. */
const TASKS: Readonly<Record<EncoderTask, () => Promise<Load>>> = {
  'feature-extraction': async () => (await import('./embedder.ts')).Embedder.load,
  'text-classification': async () => (await import('./classifier.ts')).TextClassifier.load,
  'token-classification': async () => (await import('./tagger.ts')).Tagger.load,
  'question-answering': async () => (await import('./answerer.ts')).QuestionAnswerer.load,
  'fill-mask': async () => (await import('./mask-filler.ts')).MaskFiller.load,
};

/** What a class of transformers is for, by the end of its name. */
const ENDINGS: readonly (readonly [RegExp, EncoderTask])[] = [
  [/ForSequenceClassification$/, 'text-classification'],
  [/ForTokenClassification$/, 'token-classification'],
  [/ForQuestionAnswering$/, 'question-answering'],
  [/ForMaskedLM$|(?<!^Electra)ForPreTraining$/, 'fill-mask'],
  [/Model$/, 'feature-extraction'],
];

/** Loads an encoder for the task that its folder tells, or that `options.task` asks for. Errors: `unknown-architecture`; those of a load. */
export async function loadEncoder(gpu: Gpu, files: ModelFiles, options: OpenOptions): Promise<EncoderFolderModel> {
  const { task = await taskOf(files) } = options;
  if (!Object.hasOwn(TASKS, task))
    refuse('invalid-argument', files.name, 'task', Object.keys(TASKS).join(' or '), task);
  const load = await TASKS[task as EncoderTask]();
  return load(gpu, files, options);
}

/** By modules.json, by the config's class, else by the tensors of a head. */
async function taskOf({ name, folder, config, checkpoint }: ModelFiles): Promise<EncoderTask> {
  if (await folder.find('modules.json')) return 'feature-extraction';
  const [said] = (config?.['architectures'] ?? []) as readonly string[];
  if (said !== undefined) {
    const known = ENDINGS.find(([ending]) => ending.test(said));
    if (known) return known[1];
    throw new TilewrightError(
      'unknown-architecture',
      `${name}: config.json: architectures: ${shown(said)} is for a task that is not known`,
      {
        hint: "Load with { task: 'feature-extraction' } for vectors of texts.",
      },
    );
  }
  const has = (pattern: RegExp): boolean => [...checkpoint.tensors.keys()].some((tensor) => pattern.test(tensor));
  if (has(/^qa_outputs\./)) return 'question-answering';
  if (has(/^(classifier\.(dense|out_proj)|pre_classifier)\./) || (has(/^classifier\./) && has(/(^|\.)pooler\./)))
    return 'text-classification';
  if (has(/^classifier\./)) return 'token-classification';
  return has(/^(cls\.predictions|lm_head|vocab_transform|generator_lm_head)\./) ? 'fill-mask' : 'feature-extraction';
}
