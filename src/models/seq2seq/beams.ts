/** How beams are searched: as the options of `generate` say. */
export interface BeamOptions {
  readonly beams: number;
  /** A text's score is the sum of its log-probabilities by its length to this power. */
  readonly lengthPenalty: number;
  /** Whether it ends with as many whole texts as there are beams; `never`: only when no better one can come. */
  readonly earlyStopping: boolean | 'never';
  /** Tokens that end a text. */
  readonly ends: ReadonlySet<number>;
  /** Tokens of a text at the most. */
  readonly count: number;
}

/** What a search needs of the model. */
export interface BeamModel {
  /** Logits after the last token of each beam. `parents`: the beams of the step before that they go on from. */
  step(last: readonly number[], parents: readonly number[], position: number): Promise<readonly Float32Array[]>;
  /** Changes log-probabilities of what comes next, where `ids` were written. */
  adjust(scores: Float32Array, ids: readonly number[]): void;
}

/** A text, and the sum of its log-probabilities; of a whole one its score. */
interface Beam {
  readonly ids: readonly number[];
  readonly score: number;
}

interface Candidate extends Beam {
  readonly parent: number;
  readonly ended: boolean;
}

/** The score of what is no text. */
const NONE = -1e9;

/**
 * The likeliest text after `start` that beam search finds, in the order of transformers: of twice as many continuations as beams those that
 * do not end go on; a whole text is kept where it ranks among the first of them.
 */
export async function searchBeams(start: number, options: BeamOptions, model: BeamModel): Promise<Beam> {
  const { beams, ends, count, lengthPenalty, earlyStopping } = options;
  const each = Array.from({ length: beams }, (_, i) => i);
  const kept = Math.max(2, 1 + ends.size) * beams;
  let running: readonly Beam[] = each.map((i) => ({ ids: [], score: i ? NONE : 0 }));
  let parents: readonly number[] = each;
  let whole: readonly (Beam & { readonly done: boolean })[] = each.map(() => ({ ids: [], score: NONE, done: false }));
  for (let length = 1; ; length++) {
    const last = running.map(({ ids }) => ids.at(-1) ?? start);
    const logits = await model.step(last, parents, length - 1);
    const found = best(running, logits, kept, model).map(
      ({ token, parent, score }): Candidate => ({
        ids: [...running[parent]!.ids, token],
        ...{ score, parent },
        ended: ends.has(token) || length === count,
      }),
    );
    const going = ranked(found.map((one) => (one.ended ? { ...one, score: one.score + NONE } : one))).slice(0, beams);
    const full = earlyStopping === true && whole.every(({ done }) => done);
    const ended = found.map(({ ids, score, ended }, rank) => {
      const done = ended && rank < beams;
      return { ids, done, score: score / length ** lengthPenalty + (full ? NONE : 0) + (done ? 0 : NONE) };
    });
    whole = ranked([...whole, ...ended]).slice(0, beams);
    running = going;
    parents = going.map(({ parent }) => parent);
    const longest = earlyStopping === 'never' && lengthPenalty > 0 ? count : length;
    const hope = running[0]!.score / longest ** lengthPenalty;
    const least = whole.at(-1)!.score;
    const better = whole.some(({ done }) => hope > (done ? least : NONE));
    const satisfied = earlyStopping === true && whole.every(({ done }) => done);
    if (!better || satisfied || found.every((one) => one.ended)) return whole[0]!;
  }
}

/** The best first; equals stay in their order. */
const ranked = <T extends Beam>(beams: readonly T[]): T[] => [...beams].sort((a, b) => b.score - a.score);

interface Next {
  readonly token: number;
  readonly parent: number;
  readonly score: number;
}

/** The best `count` continuations of all beams, best first. */
function best(running: readonly Beam[], logits: readonly Float32Array[], count: number, model: BeamModel): Next[] {
  const found: Next[] = [];
  for (const [parent, { ids, score }] of running.entries()) {
    const scores = logProbabilities(logits[parent]!);
    model.adjust(scores, ids);
    for (let token = 0; token < scores.length; token++) {
      const total = scores[token]! + score;
      if (found.length === count && !(total > found.at(-1)!.score)) continue;
      let at = found.length;
      while (at > 0 && total > found[at - 1]!.score) at--;
      found.splice(at, 0, { token, parent, score: total });
      if (found.length > count) found.pop();
    }
  }
  return found;
}

/** log of softmax. */
export function logProbabilities(logits: Float32Array): Float32Array {
  let top = Number.NEGATIVE_INFINITY;
  for (const logit of logits) top = Math.max(top, logit);
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - top);
  const whole = top + Math.log(sum);
  return logits.map((logit) => logit - whole);
}
