/** A text or a pair of texts as the model reads it. */
export interface EncodedText {
  readonly ids: readonly number[];
  /** Kinds of segments; absent, all are 0. */
  readonly types?: readonly number[] | undefined;
  /** Tokens at the beginning that no pooling counts. */
  readonly skipped?: number;
}

/** Some of the texts, which run together, each padded to `tokens`. */
export interface Batch {
  readonly tokens: number;
  /** Texts of the run: as many as there are, or some more that are empty. */
  readonly texts: number;
  /** Which of the caller's texts these are. */
  readonly indices: readonly number[];
}

/** Tokens of a run at the most, but for one long text. */
const TOKENS = 2048;
const SHORTEST = 16;

/** The length that a text of `count` tokens is padded to: a power of two, or all that the model takes. */
export function bucketOf(count: number, context: number): number {
  return Math.min(context, Math.max(SHORTEST, 2 ** Math.ceil(Math.log2(Math.max(1, count)))));
}

/**
 * Texts of these lengths in runs of few shapes, the longest first: each of a power of two of texts, of which a quarter at the most is
 * empty.
 */
export function batchesOf(lengths: readonly number[], context: number): Batch[] {
  const byBucket = new Map<number, number[]>();
  for (const [index, length] of lengths.entries()) {
    const tokens = bucketOf(length, context);
    byBucket.set(tokens, [...(byBucket.get(tokens) ?? []), index]);
  }
  const batches: Batch[] = [];
  for (const [tokens, all] of [...byBucket].sort(([a], [b]) => b - a)) {
    const most = 2 ** Math.floor(Math.log2(Math.max(1, TOKENS / tokens)));
    for (let done = 0; done < all.length; ) {
      const left = Math.min(most, all.length - done);
      const above = 2 ** Math.ceil(Math.log2(left));
      const texts = above - left <= above / 4 ? above : above / 2;
      const indices = all.slice(done, done + texts);
      batches.push({ tokens, texts, indices });
      done += indices.length;
    }
  }
  return batches;
}
