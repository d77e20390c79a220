import { type Body, OpenAI } from '../../openai/index.ts';
import { type Job, type JobContext, readAll } from './job.ts';
import { loadModel, type ModelArgs, mismatch } from './load.ts';

export interface AnswerArgs extends ModelArgs {
  /** The name by which requests call the model. */
  readonly name: string;
  readonly to: Endpoint;
  /** The request, as it came, but for its file. */
  readonly body: Body;
  /** A file of the request that is lent. */
  readonly file?: string;
}

/** What a request asks for: the path that it came by. */
export type Endpoint = 'chat' | 'text' | 'embeddings' | 'transcriptions' | 'translations';

/** Answers a request in the shape of OpenAI's API: the whole, or undefined where its parts are told as they come. */
export const answer: Job<AnswerArgs, object | string | undefined> = async (
  { name, to, body, file, ...args },
  context,
) => {
  const { emit, signal } = context;
  const client = new OpenAI({ [name]: await loadServed(args, context) });
  if (to === 'embeddings') return client.embeddings.create(body, { signal });
  if (to === 'transcriptions' || to === 'translations') {
    const bytes = file && ((await readAll(context, file)) as Uint8Array<ArrayBuffer>);
    return client.audio[to].create({ ...body, ...(bytes && { file: new Blob([bytes]) }) }, { signal });
  }
  const { create } = to === 'chat' ? client.chat.completions : client.completions;
  if (body['stream'] !== true) return create(body, { signal });
  for await (const part of await create({ ...body, stream: true }, { signal })) emit({ type: 'part', part });
  return undefined;
};

/** A model that requests may ask. Error: `invalid-argument` for one of another task. */
async function loadServed(args: ModelArgs, context: JobContext) {
  const model = await loadModel(args, context);
  switch (model.task) {
    case 'text-generation':
    case 'feature-extraction':
    case 'automatic-speech-recognition':
      return model;
    default:
      throw mismatch(model);
  }
}

/** Makes a model ready: the first request shall not wait for it. */
export const ready: Job<ModelArgs, void> = async (args, context) => {
  await loadServed(args, context);
};
