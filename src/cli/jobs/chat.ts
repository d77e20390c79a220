import type { GenerateOptions } from '../../models/text-options.ts';
import type { ChatMessage } from '../../text/chat.ts';
import { type Generated, timed } from './generate.ts';
import type { Job } from './job.ts';
import { loadGenerator, type ModelArgs } from './load.ts';

export interface ChatArgs extends ModelArgs {
  readonly messages: readonly ChatMessage[];
  /** What is left out is as the model's folder says. */
  readonly options: Pick<GenerateOptions, 'maxNewTokens' | 'temperature' | 'topK' | 'topP' | 'seed'>;
}

/** Replies to a conversation; every piece of text is told as it comes. */
export const chat: Job<ChatArgs, Generated> = async ({ messages, options, ...args }, context) => {
  const model = await loadGenerator(args, context);
  return timed(model.chat(messages, { ...options, signal: context.signal }), context);
};

/** Makes a model ready for such a conversation; gives the tokens that fit. Error: `not-found` where it has no chat template. */
export const chatReady: Job<Pick<ChatArgs, keyof ModelArgs | 'messages'>, number> = async (
  { messages, ...args },
  context,
) => {
  const model = await loadGenerator(args, context);
  await model.applyChatTemplate(messages, { signal: context.signal });
  return model.context;
};
