import { flag, integer, list, object, oneOf, type Rules, signal } from '../options.ts';
import { ADJUSTMENT_RULES, type AdjustmentOptions } from '../text/adjustments.ts';
import type { ChatTemplateOptions } from '../text/chat.ts';
import type { TextConstraint } from '../text/constraint/index.ts';
import type { Logprobs } from '../text/logprobs.ts';
import { SAMPLER_RULES, type SamplerOptions } from '../text/sampler.ts';

/** Options that are left out have the values of generation_config.json, where the folder has one. */
export interface GenerateOptions extends SamplerOptions, AdjustmentOptions {
  /** 64 where neither the caller nor the folder says it. */
  maxNewTokens?: number;
  /** Ends the text with `aborted`. */
  signal?: AbortSignal;
  /**
   * When the context is full: `stop` ends the text there, `slide` forgets the older half and goes on. A prompt that is
   * longer than the context is an error, unless it may slide.
   */
  overflow?: 'stop' | 'slide';
  /** Tokens that end the text; the model's end-of-text tokens where absent. */
  stopTokens?: readonly number[];
  /** Strings that end the text, which has none of them and no beginning of one that ended it. */
  stopStrings?: readonly string[];
  /**
   * What the text has to be: JSON that is valid by this JSON Schema, or what this expression matches from end to end. It ends where it is
   * whole, and is cut off by `maxNewTokens` and the context as any text. What is read of schemas: docs/guides/chat.md.
   */
  constraint?: TextConstraint;
  /**
   * Whether the beginning of the prompt is not read again where the model has just read it. Default: true. With false a prompt is read the
   * same way each time, so that also the last bits of its logits are the same.
   */
  promptCache?: boolean;
  /**
   * So many tokens at the most are guessed from what followed the text's last ones before, and read together in one run: texts that repeat
   * parts of the prompt take fewer runs. The tokens are those without it. Not done where logits are adjusted. Default: 0.
   */
  promptLookupTokens?: number;
  /** With each token comes how likely it was, and so many of the likeliest in its place: 0 to 20. Each step waits for the one before. */
  logprobs?: number;
}

export const GENERATE_RULES: Rules<GenerateOptions> = {
  ...SAMPLER_RULES,
  ...ADJUSTMENT_RULES,
  maxNewTokens: integer(0),
  signal,
  overflow: oneOf('stop', 'slide'),
  stopTokens: list(integer(0)),
  stopStrings: list(['a string of a character or more', (value) => typeof value === 'string' && value !== '']),
  constraint: ['a JSON schema or a RegExp', object[1]],
  promptCache: flag,
  promptLookupTokens: integer(0, 63),
  logprobs: integer(0, 20),
};

/** Options of `generate`, and what the chat template writes. `maxNewTokens`: to the end of the context where nobody says it. */
export interface ChatOptions extends GenerateOptions, ChatTemplateOptions {}

/** A token of a text that is being written. */
export interface GeneratedToken {
  /** Its id. */
  readonly token: number;
  /** What this token adds to the text; empty while a character is still incomplete. */
  readonly text: string;
  /** Where `logprobs` asks for them: of the logits before temperature and all that adjusts them. */
  readonly logprobs?: Logprobs;
}

/** What came of a text: the value that its generator returns. */
export interface Generation {
  /** `stop`: at an end-of-text token, a stop string, or where its constraint was met; `length`: at `maxNewTokens`, or with the context. */
  readonly reason: 'stop' | 'length';
  /** Tokens that were read, and tokens that were written. */
  readonly promptTokens: number;
  readonly tokens: number;
  /** Tokens of the prompt that were in the cache already. */
  readonly cachedTokens: number;
  /** Runs of the model: those that read the prompt, and those that drew the tokens. */
  readonly runs: number;
}

/** How well a model foretells a text. */
export interface Perplexity {
  /** exp(loss): among so many tokens, on average, the model is undecided. */
  readonly perplexity: number;
  /** Mean negative log-likelihood of a token, in nats. */
  readonly loss: number;
  readonly tokens: number;
}

/** How a text is read. */
export interface PerplexityOptions {
  signal?: AbortSignal;
  /** Is told after each window of the context. */
  onWindow?: (done: number, total: number) => void;
}
