import type { Job } from './job.ts';
import { loadModel, type ModelArgs, mismatch } from './load.ts';

export interface EmbedArgs extends ModelArgs {
  readonly texts: readonly string[];
  readonly promptName?: string;
  readonly dimensions?: number;
  readonly truncate?: boolean;
}

export interface Embedded {
  readonly vectors: readonly (readonly number[])[];
  readonly tokens: number;
  readonly truncated: readonly number[];
  readonly seconds: number;
}

/** Vectors of texts. Any encoder gives them, without its head. Error: `invalid-argument` for a model of another kind. */
export const embed: Job<EmbedArgs, Embedded> = async ({ texts, load, model: address, ...how }, context) => {
  const model = await loadModel({ model: address, load: { ...load, task: 'feature-extraction' } }, context);
  if (model.task !== 'feature-extraction') throw mismatch(model);
  const start = performance.now();
  const { vectors, tokens, truncated } = await model.embed(texts, { ...how, signal: context.signal });
  const seconds = (performance.now() - start) / 1e3;
  return { vectors: vectors.map((vector) => Array.from(vector)), tokens, truncated, seconds };
};
