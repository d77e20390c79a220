import { GREEDY } from '../text/sampler.ts';
import { added, type Drawing, type Drawn, type Held, type Subject } from './text-cache.ts';

/** Tokens at the end of a text that are looked for further up, the most first. */
const GRAMS = [3, 2];

/**
 * Tokens that continue a text until it has `length`, or until its cache is no longer `held`, several a run: the tokens that came after its
 * last ones where these stood before are guessed to follow (prompt lookup decoding, Saxena 2023). Each is drawn as without guesses; those up
 * to the first wrong guess stand. All of `text` but its last token are in the cache.
 */
export async function* guessed(
  model: Subject,
  text: Held,
  held: () => boolean,
  length: number,
  { guesses, signal, cost, settings }: Drawing,
): AsyncGenerator<Drawn, void> {
  const { ids } = text;
  const prompt = ids.length - 1; // one was drawn
  const [single, wide] = await Promise.all([model.step(1, 'last'), model.step(guesses + 1, 'each')]);
  while (ids.length < length && held()) {
    const fits = text.count + guesses < model.context;
    const guess = fits ? followers(ids, Math.min(guesses, length - ids.length - 1)) : [];
    const each = Array.from({ length: guess.length ? guesses + 1 : 1 }, (_, i) => i);
    const known = [ids.at(-1)!, ...guess];
    const written = ids.length - prompt;
    const inputs = {
      tokens: each.map((i) => known[i] ?? 0),
      positions: each.map((i) => text.count + i),
      settings: each.flatMap((i) => (i < known.length ? settings(written + i) : GREEDY)),
    };
    const { token } = await (guess.length ? wide : single).run(inputs, { signal });
    model.goesOn(signal);
    cost.runs++;
    const drawn = token as Uint32Array;
    let right = 0;
    while (right < guess.length && guess[right] === drawn[right]) right++;
    text.count += right + 1;
    for (const id of drawn.subarray(0, right + 1)) {
      yield added(text, id);
      model.goesOn(signal);
    }
  }
}

/** Up to `most` tokens that came after the last ones of a text where these stood before, the longest match and the latest first. */
export function followers(ids: readonly number[], most: number): readonly number[] {
  if (most < 1) return [];
  for (const size of GRAMS) {
    const tail = ids.length - size;
    for (let at = tail - 1; at >= 0; at--) {
      let same = 0;
      while (same < size && ids[at + same] === ids[tail + same]) same++;
      if (same === size) return ids.slice(at + size, at + size + most);
    }
  }
  return [];
}
