import type { Job } from './job.ts';
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

export interface Generated {
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
  const { emit, signal } = context;
  const model = await loadGenerator({ model: address, ...(load && { load }) }, context);
  const tokens: number[] = [];
  let text = '';
  const start = performance.now();
  let firstMs = 0;
  for await (const piece of model.generate(prompt, { ...options, signal })) {
    if (tokens.length === 0) firstMs = performance.now() - start;
    tokens.push(piece.token);
    text += piece.text;
    if (piece.text) emit({ type: 'token', text: piece.text });
  }
  const ms = performance.now() - start;
  return {
    text,
    tokens,
    firstMs,
    ms,
    tokensPerSecond: tokens.length > 1 ? ((tokens.length - 1) / (ms - firstMs)) * 1e3 : 0,
  };
};
