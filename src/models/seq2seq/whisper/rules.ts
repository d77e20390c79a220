import { unusableLogits } from '../../../text/sampler.ts';
import type { WhisperGeneration } from './generation.ts';

const NEVER = Number.NEGATIVE_INFINITY;

/** What keeps a window's tokens to Whisper's order: with times each segment is between two of them, which do not go back. */
export class WindowRules {
  /** The first token of times. */
  readonly #times: number;

  constructor(
    private readonly generation: WhisperGeneration,
    private readonly timestamps: boolean,
  ) {
    this.#times = generation.noTimes + 1;
  }

  /** Takes out of the logits after `written` what may not come next: as WhisperTimeStampLogitsProcessor of transformers and those before it. */
  apply(logits: Float32Array, written: readonly number[]): void {
    const { never, notFirst } = this.generation;
    if (!written.length) for (const id of notFirst) logits[id] = NEVER;
    for (const id of never) logits[id] = NEVER;
    if (this.timestamps) this.#applyTimes(logits, written);
  }

  #applyTimes(logits: Float32Array, written: readonly number[]): void {
    const times = this.#times;
    const { noTimes, end, latestStart } = this.generation;
    const isTime = (id: number | undefined): boolean => id !== undefined && id >= times;
    logits[noTimes] = NEVER;
    const afterTime = isTime(written.at(-1));
    const inPair = written.length < 2 || isTime(written.at(-2));
    if (afterTime && inPair) logits.fill(NEVER, times);
    if (afterTime && !inPair) logits.fill(NEVER, 0, end);
    const last = written.findLast(isTime);
    // A segment may end when it begins, and the next begins after it.
    if (last !== undefined) logits.fill(NEVER, times, afterTime && !inPair ? last : last + 1);
    if (!written.length) {
      logits.fill(NEVER, 0, times);
      if (latestStart !== undefined) logits.fill(NEVER, times + latestStart + 1);
    }
    // Where all times together are likelier than any other token, one of them comes.
    const most = maximum(logits, 0, times);
    const top = maximum(logits, times);
    let sum = 0;
    for (let id = times; id < logits.length; id++) sum += Math.exp(logits[id]! - top);
    if (top + Math.log(sum) > most) logits.fill(NEVER, 0, times);
  }
}

function maximum(values: Float32Array, from: number, to = values.length): number {
  let most = NEVER;
  for (let i = from; i < to; i++) most = Math.max(most, values[i]!);
  return most;
}

/** log of the sum of the exponentials. Error: `invalid-argument` where there is none. */
function logSum(logits: Float32Array): number {
  const top = maximum(logits, 0);
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - top);
  const result = top + Math.log(sum);
  if (!Number.isFinite(result)) throw unusableLogits();
  return result;
}

/** How likely a token is. */
export const probability = (logits: Float32Array, id: number): number => Math.exp(logits[id]! - logSum(logits));

/** A token that is drawn, and the logarithm of how likely it was at temperature 1. */
export function draw(
  logits: Float32Array,
  temperature: number,
  random: () => number,
): { token: number; logProbability: number } {
  const whole = logSum(logits);
  let token = 0;
  if (temperature > 0) {
    const scaled = logits.map((logit) => logit / temperature);
    const sum = logSum(scaled);
    let left = random();
    token = scaled.findLastIndex((logit) => logit > NEVER);
    for (let id = 0; id < scaled.length; id++) {
      left -= Math.exp(scaled[id]! - sum);
      if (left < 0) {
        token = id;
        break;
      }
    }
  } else for (let id = 1; id < logits.length; id++) if (logits[id]! > logits[token]!) token = id;
  return { token, logProbability: logits[token]! - whole };
}
