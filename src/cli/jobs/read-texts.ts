import type { TextPair } from '../../models/encoder/model.ts';
import type { Job } from './job.ts';
import { loadModel, type ModelArgs, mismatch } from './load.ts';

export interface ReadTextsArgs extends ModelArgs {
  readonly texts: readonly string[];
  /** Is read after each text: the passage that a question is answered from, the second text of a pair. */
  readonly pair?: string;
  readonly topK?: number;
  readonly truncate?: boolean;
}

/** What a model says of a part of a text, or of all of it. */
export interface ReadLabel {
  readonly label: string;
  readonly score: number;
  /** Where the part stands. */
  readonly start?: number;
  readonly end?: number;
}

/** Of each text its labels; of a text with gaps those of one gap after the other. */
export type ReadTexts = readonly { readonly text: string; readonly labels: readonly ReadLabel[] }[];

/** What a model that reads texts whole says of them, by its task. Error: `invalid-argument` for a model of another task. */
export const readTexts: Job<ReadTextsArgs, ReadTexts> = async ({ texts, pair, topK, truncate, ...args }, context) => {
  const model = await loadModel(args, context);
  const how = { signal: context.signal, ...(truncate && { truncate }) };
  const top = topK === undefined ? {} : { topK };
  const each = async (labels: (text: string) => Promise<readonly ReadLabel[]>): Promise<ReadTexts> => {
    const all: { text: string; labels: readonly ReadLabel[] }[] = [];
    for (const text of texts) all.push({ text, labels: await labels(text) });
    return all;
  };
  switch (model.task) {
    case 'text-classification': {
      const given = texts.map((text): string | TextPair => (pair === undefined ? text : { text, pair }));
      const labels = await model.classify(given, { ...how, ...top });
      return texts.map((text, i) => ({ text, labels: labels[i]! }));
    }
    case 'token-classification':
      return each(async (text) =>
        (await model.tag(text, how)).map(({ label, score, text: label_, start, end }) => ({
          ...{ label: `${label} ${label_}`, score, start, end },
        })),
      );
    case 'question-answering':
      return each(async (text) =>
        (await model.answer(text, pair ?? '', { ...top, signal: context.signal })).map(({ text: label, ...rest }) => ({
          label,
          ...rest,
        })),
      );
    case 'fill-mask':
      return each(async (text) =>
        (await model.fill(text, { ...how, ...top })).flat().map(({ text: label, score }) => ({ label, score })),
      );
    default:
      throw mismatch(model);
  }
};
