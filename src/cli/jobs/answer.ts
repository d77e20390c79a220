import { type Body, OpenAI } from '../../openai/index.ts';
import type { Job, JobContext } from './job.ts';
import { loadModel, type ModelArgs, mismatch } from './load.ts';

export interface AnswerArgs extends ModelArgs {
  /** The name by which requests call the model. */
  readonly name: string;
  readonly to: 'chat' | 'text' | 'embeddings';
  /** The request, as it came. */
  readonly body: Body;
}

/** Answers a request in the shape of OpenAI's API: the whole, or undefined where its parts are told as they come. */
export const answer: Job<AnswerArgs, object | undefined> = async ({ name, to, body, ...args }, context) => {
  const { emit, signal } = context;
  const client = new OpenAI({ [name]: await loadServed(args, context) });
  if (to === 'embeddings') return client.embeddings.create(body, { signal });
  const { create } = to === 'chat' ? client.chat.completions : client.completions;
  if (body['stream'] !== true) return create(body, { signal });
  for await (const part of await create({ ...body, stream: true }, { signal })) emit({ type: 'part', part });
  return undefined;
};

/** A model that requests may ask. Error: `invalid-argument` for one of another task. */
async function loadServed(args: ModelArgs, context: JobContext) {
  const model = await loadModel(args, context);
  if (model.task === 'text-generation' || model.task === 'feature-extraction') return model;
  throw mismatch(model);
}

/** Makes a model ready: the first request shall not wait for it. */
export const ready: Job<ModelArgs, void> = async (args, context) => {
  await loadServed(args, context);
};
