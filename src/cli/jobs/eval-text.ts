import type { Perplexity } from '../../models/text-options.ts';
import { type Job, readAll } from './job.ts';
import { loadGenerator, type ModelArgs } from './load.ts';

export interface EvalTextArgs extends ModelArgs {
  /** The text that is lent, in UTF-8. */
  readonly text: string;
  /** At most so many windows of the model's context. */
  readonly limit?: number;
}

export interface TextScore extends Perplexity {
  readonly windows: number;
  readonly seconds: number;
}

/** Perplexity over a text, in windows of the model's context. */
export const evalText: Job<EvalTextArgs, TextScore> = async ({ text, limit, ...args }, context) => {
  const { emit, signal } = context;
  const model = await loadGenerator(args, context);
  const ids = model.tokenizer.encode(new TextDecoder().decode(await readAll(context, text)));
  const taken = limit === undefined ? ids : ids.slice(0, limit * model.context);
  const start = performance.now();
  let windows = 0;
  const onWindow = (done: number, total: number): void => {
    windows = done;
    emit({ type: 'done', done, total, label: 'windows' });
  };
  const score = await model.perplexity(taken, { signal, onWindow });
  return { ...score, windows, seconds: (performance.now() - start) / 1e3 };
};
