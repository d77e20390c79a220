import { NO_TOKEN } from '../ops/sample.ts';
import type { Session } from '../runtime/session.ts';
import type { TensorData } from '../tensor/types.ts';
import type { Adjustments } from '../text/adjustments.ts';
import { type SamplerSettings, unusableLogits } from '../text/sampler.ts';
import type { TextGraphOptions } from './text-family.ts';

/** The model whose keys and values the cache has. */
export interface Subject {
  readonly context: number;
  /** The session for a chunk of so many tokens. */
  step(tokens: number, predict: Exclude<TextGraphOptions['predict'], 'all'>): Promise<Session>;
  /** Errors: `disposed`, `aborted`. */
  goesOn(signal?: AbortSignal): void;
}

/** How the tokens of a text are drawn, and what that took so far. */
export interface Drawing {
  /** What draws the token that so many drawn ones come before. */
  settings(index: number): SamplerSettings;
  readonly by: Adjustments | undefined;
  /** Whether the logits come with each token. They are those before `by`, which there is then. */
  readonly scored: boolean;
  readonly signal: AbortSignal | undefined;
  /** Whether the beginning of a prompt is not read again where the cache holds it. */
  readonly reuse: boolean;
  /** So many tokens at the most are guessed, and read at once with the one before them. */
  readonly guesses: number;
  readonly cost: {
    /** Tokens of the prompt that were not read again. */
    reused?: number;
    /** Runs of the model. */
    runs: number;
  };
}

/** A token that was drawn, and the logits that it was drawn from where they are asked for. */
export interface Drawn {
  readonly token: number;
  readonly logits?: TensorData | undefined;
}

/** A text, and how many of its tokens have their keys and values in the cache, from its start. */
export interface Held {
  readonly ids: number[];
  count: number;
}

/** Takes a token up into its text. Error: `invalid-argument` where the logits gave none. */
export function added({ ids }: Held, token: number): Drawn {
  if (token === NO_TOKEN) throw unusableLogits();
  ids.push(token);
  return { token };
}
