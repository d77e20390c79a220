import type { GeneratedToken, Generation } from '../../models/text-options.ts';
import type { Job, JobContext } from './job.ts';
import { loadGenerator, type ModelArgs } from './load.ts';

export interface GenerateArgs extends ModelArgs {
  readonly prompt: string;
  readonly maxNewTokens: number;
  readonly temperature: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly seed: number;
  readonly overflow: 'stop' | 'slide';
}

export interface Generated extends Pick<Generation, 'reason' | 'promptTokens'> {
  readonly text: string;
  readonly tokens: readonly number[];
  /** From the start to the first token: the prompt goes in. */
  readonly firstMs: number;
  readonly ms: number;
  /** Of the tokens after the first. */
  readonly tokensPerSecond: number;
}

/** Continues a prompt; every piece of text is told as it comes. */
export const generate: Job<GenerateArgs, Generated> = async ({ model: address, load, prompt, ...options }, context) => {
  const model = await loadGenerator({ model: address, ...(load && { load }) }, context);
  return timed(model.generate(prompt, { ...options, signal: context.signal }), context);
};

/** A text as it comes, every piece told, and how long it took. */
export async function timed(
  stream: AsyncGenerator<GeneratedToken, Generation>,
  { emit }: JobContext,
): Promise<Generated> {
  const tokens: number[] = [];
  let text = '';
  const start = performance.now();
  let firstMs = 0;
  for (;;) {
    const { value, done } = await stream.next();
    if (done) {
      const ms = performance.now() - start;
      const tokensPerSecond = tokens.length > 1 ? ((tokens.length - 1) / (ms - firstMs)) * 1e3 : 0;
      const { reason, promptTokens } = value;
      return { text, tokens, firstMs, ms, tokensPerSecond, reason, promptTokens };
    }
    if (tokens.length === 0) firstMs = performance.now() - start;
    tokens.push(value.token);
    text += value.text;
    if (value.text) emit({ type: 'token', text: value.text });
  }
}
