/** A step of times: seconds. A frame of the spectrogram is half of it. */
export const STEP = 0.02;
export const FRAMES = 2;

/** A part of a text, in seconds of the audio. */
export interface Part {
  readonly start: number;
  readonly end: number;
  readonly tokens: readonly number[];
}

/**
 * What was said in a window that begins at frame `seek` and has `frames` frames: parts between times, and how many frames further the next
 * window begins. Where the last part has no end, that is where it begins. As transformers has it. `times`: the first token of times.
 */
export function partsOf(
  written: readonly number[],
  times: number,
  seek: number,
  frames: number,
): { parts: Part[]; next: number } {
  const offset = (seek * STEP) / FRAMES;
  const isTime = (id: number | undefined): boolean => id !== undefined && id >= times;
  const secondsOf = (id: number): number => offset + (id - times) * STEP;
  const pairs = written.flatMap((id, i) => (i > 0 && isTime(id) && isTime(written[i - 1]) ? [i] : []));
  if (!pairs.length) {
    const last = written.findLast(isTime);
    const steps = last !== undefined && last !== times ? last - times : Math.floor(frames / FRAMES);
    return { parts: [{ start: offset, end: offset + steps * STEP, tokens: written }], next: frames };
  }
  const closed = isTime(written.at(-1)) && !isTime(written.at(-2));
  // The last time of an open end stays with the part before it, which says that it is open.
  const ends = closed ? [...pairs, written.length] : [...pairs.slice(0, -1), pairs.at(-1)! + 1];
  const parts = ends.map((end, i): Part => {
    const tokens = written.slice(ends[i - 1] ?? 0, end);
    const last = tokens.at(closed || i < ends.length - 1 ? -1 : -2)!;
    return { start: secondsOf(tokens[0]!), end: secondsOf(last), tokens };
  });
  return { parts, next: closed ? frames : (written[ends.at(-1)! - 2]! - times) * FRAMES };
}

/** What was said in a window without times. */
export const wholeOf = (tokens: readonly number[], seek: number, frames: number): { parts: Part[]; next: number } => ({
  parts: [{ start: (seek * STEP) / FRAMES, end: ((seek + frames) * STEP) / FRAMES, tokens }],
  next: frames,
});
