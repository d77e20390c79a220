import { secondsOf } from './detector.ts';

/** From and to in steps, the end exclusive. */
export interface Segment {
  readonly start: number;
  readonly end: number;
}

/** Silero's numbers: probabilities at which speech begins and ends, and seconds that it and its breaks last at least. */
export const SPEECH = { begins: 0.5, ends: 0.35, leastSpeech: 0.25, leastSilence: 0.1 } as const;

/**
 * Where someone speaks, as `get_speech_timestamps` of Silero VAD has it, without padding: from a step of at least
 * `begins` to a step below `ends`, where none of `begins` follows before another below `ends`, `leastSilence` later. What
 * is shorter than `leastSpeech` is noise. What still goes on ends where the steps end, however short it is.
 */
export function segmentsOf(probabilities: readonly number[]): Segment[] {
  const found: Segment[] = [];
  let start: number | undefined;
  let silent: number | undefined;
  probabilities.forEach((probability, i) => {
    if (probability >= SPEECH.begins) {
      start ??= i;
      silent = undefined;
    } else if (start !== undefined && probability < SPEECH.ends) {
      silent ??= i;
      if (secondsOf(i - silent) < SPEECH.leastSilence) return;
      if (secondsOf(silent - start) > SPEECH.leastSpeech) found.push({ start, end: silent });
      start = silent = undefined;
    }
  });
  if (start !== undefined) found.push({ start, end: silent ?? probabilities.length });
  return found;
}
