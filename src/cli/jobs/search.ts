import type { Embedder } from '../../models/encoder/embedder.ts';
import type { Job } from './job.ts';
import { loadModel, type ModelArgs, mismatch, openEngine } from './load.ts';

export interface SearchArgs extends ModelArgs {
  readonly queries: readonly string[];
  readonly texts: readonly string[];
  readonly topK: number;
  readonly truncate?: boolean;
}

/** Of each query, the texts nearest to it. */
export interface Found {
  readonly query: string;
  readonly texts: readonly { readonly id: number; readonly score: number; readonly text: string }[];
}

/** Texts that mean what queries ask, by the cosine of their vectors. Error: `invalid-argument` for a model that gives no vectors. */
export const search: Job<SearchArgs, readonly Found[]> = async (
  { queries, texts, topK, truncate, load, model: address },
  context,
) => {
  const { emit, signal } = context;
  const model = await loadModel({ model: address, load: { ...load, task: 'feature-extraction' } }, context);
  if (model.task !== 'feature-extraction') throw mismatch(model);
  const how = { signal, ...(truncate && { truncate }) };
  const vectorsOf = async (some: readonly string[], ...names: readonly string[]): Promise<Float32Array[]> =>
    (await model.embed(some, { ...how, ...promptOf(model, names) })).vectors;
  const vectors: Float32Array[] = [];
  while (vectors.length < texts.length) {
    const some = texts.slice(vectors.length, vectors.length + BATCH);
    vectors.push(...(await vectorsOf(some, 'document', 'passage', 'corpus')));
    emit({ type: 'done', done: vectors.length, total: texts.length, label: 'texts' });
  }
  using index = await (await openEngine(context)).index(vectors, { signal });
  const hits = await index.search(await vectorsOf(queries, 'query'), { topK, signal });
  return queries.map((query, i) => ({ query, texts: hits[i]!.map((hit) => ({ ...hit, text: texts[hit.id]! })) }));
};

/** Texts between two moves of the bar. */
const BATCH = 256;

/** The first of these prompts that the folder has, as sentence-transformers takes them for queries and for documents. */
function promptOf({ prompts }: Embedder, names: readonly string[]): { promptName?: string } {
  const promptName = names.find((name) => Object.hasOwn(prompts, name));
  return promptName === undefined ? {} : { promptName };
}
