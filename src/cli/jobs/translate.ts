import type { TranslateOptions } from '../../models/seq2seq/translator-options.ts';
import type { Job } from './job.ts';
import { loadTranslator, type ModelArgs } from './load.ts';

export interface TranslateArgs extends ModelArgs {
  readonly texts: readonly string[];
  /** What is left out is as the model's folder says. */
  readonly options: Pick<TranslateOptions, 'numBeams' | 'maxNewTokens' | 'truncate'>;
}

/** What a model writes for each of some texts, told one by one as well. */
export const translate: Job<TranslateArgs, string[]> = async ({ texts, options, ...args }, context) => {
  const model = await loadTranslator(args, context);
  const written: string[] = [];
  for (const text of texts) {
    written.push(await model.translate(text, { ...options, signal: context.signal }));
    context.emit({ type: 'token', text: `${written.at(-1)!}\n` });
  }
  return written;
};
