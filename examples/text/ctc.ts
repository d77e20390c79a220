/**
 * The characters that a recogniser's classes stand for: class 0 is CTC's blank, then the lines of the dictionary, then
 * the space.
 */
export const charactersOf = (dictionary: string): string[] => [
  '',
  ...dictionary.replace(/\r?\n$/, '').split(/\r?\n/),
  ' ',
];

/**
 * The most likely text of each step, [steps, characters.length], with what CTC puts between taken out (Graves et al. 2006):
 * the same class twice in a row is one character, and blanks are none. `score` is the mean probability of the characters.
 */
export function decode(
  probabilities: Float32Array,
  characters: readonly string[],
): { readonly text: string; readonly score: number } {
  let [text, sum, count, before] = ['', 0, 0, 0];
  for (let at = 0; at < probabilities.length; at += characters.length) {
    const step = probabilities.subarray(at, at + characters.length);
    let best = 0;
    for (let i = 1; i < step.length; i++) if (step[i]! > step[best]!) best = i;
    if (best !== before && best !== 0) {
      text += characters[best]!;
      sum += step[best]!;
      count++;
    }
    before = best;
  }
  return { text, score: count ? sum / count : 0 };
}
