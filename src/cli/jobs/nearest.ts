import type { VectorDataType } from '../../vectors/table.ts';
import type { Analogy, NearWord } from '../../vectors/words/word-vectors.ts';
import { hubOptions } from '../hub.ts';
import { blobOf, type Job } from './job.ts';
import { openEngine } from './load.ts';

export interface NearestArgs {
  /** The bytes of a file of words, or an address that this side can open. */
  readonly source: { readonly lent: string } | { readonly address: string };
  readonly words: Required<Analogy>;
  readonly topK: number;
  readonly dtype?: VectorDataType;
}

export interface Nearest {
  /** Words in the file, and numbers of a vector. */
  readonly size: number;
  readonly dimension: number;
  readonly nearest: readonly NearWord[];
}

/** The words nearest to a word, or to words added and taken away. */
export const nearest: Job<NearestArgs, Nearest> = async ({ source, words, topK, dtype }, context) => {
  const { signal } = context;
  const engine = await openEngine(context);
  const how = { signal, ...(dtype && { dtype }) };
  using loaded = await ('lent' in source
    ? engine.wordVectors(await blobOf(context, source.lent), how)
    : engine.wordVectors(source.address, { ...how, ...hubOptions(source.address) }));
  const { size, dimension } = loaded;
  return { size, dimension, nearest: await loaded.analogy(words, { topK, signal }) };
};
