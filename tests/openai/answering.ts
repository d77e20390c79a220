import { TilewrightError } from '../../src/errors.ts';
import type { GenerateOptions } from '../../src/models/text-options.ts';
import type { Answering } from '../../src/openai/index.ts';

/** What every answer tells of its prompt. */
const COUNTS = { promptTokens: 7, cachedTokens: 4 };

/** What was asked of a model. */
export interface Call {
  readonly messages?: readonly object[];
  readonly prompt?: string | readonly number[];
  readonly options: Record<string, unknown>;
}

/**
 * A model that says `pieces`, one a token, whatever it is asked; `calls` has what that was. It stops after `maxNewTokens`, and where the signal
 * fires; a message `boom` is an error of its template.
 */
export function saying(pieces: readonly string[], calls: Call[] = []): Answering {
  async function* say({ maxNewTokens = 1000, signal, logprobs }: GenerateOptions) {
    let tokens = 0;
    for (const text of pieces) {
      if (tokens === maxNewTokens) return { ...COUNTS, reason: 'length' as const, tokens, runs: tokens };
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (signal?.aborted) throw new TilewrightError('aborted', 'generating was aborted');
      const likely = (place: number) => ({ token: place, text: `${text}${place}`, logprob: -1 - place });
      const likelihoods = { drawn: likely(0), top: [1, 2, 3].slice(0, logprobs).map(likely) };
      yield { token: tokens++, text, ...(logprobs !== undefined && { logprobs: likelihoods }) };
    }
    return { ...COUNTS, reason: 'stop' as const, tokens, runs: tokens };
  }
  return {
    async *chat(messages, options = {}) {
      calls.push({ messages, options: options as Record<string, unknown> });
      if (messages[0]?.content === 'boom') throw new TilewrightError('invalid-argument', 'the chat template failed');
      return yield* say(options);
    },
    async *generate(prompt, options = {}) {
      calls.push({ prompt, options: options as Record<string, unknown> });
      return yield* say(options);
    },
  };
}
