import type { TextGenerator } from '../../../src/index.ts';

/** What a token took, in ms, by the length of the text before it. */
export interface Timing {
  readonly length: number;
  readonly ms: number;
}

/** Writes with the cache: each token is read once. Tells the token and its time as it comes. */
export async function* withCache(
  model: TextGenerator,
  prompt: readonly number[],
  count: number,
): AsyncGenerator<Timing & { token: number }> {
  let before = performance.now();
  let length = prompt.length;
  for await (const { token } of model.generate(prompt, { maxNewTokens: count, temperature: 0 })) {
    const now = performance.now();
    yield { token, length, ms: now - before };
    before = now;
    length++;
  }
}

/** Writes one token after a text of which nothing is kept: all of it is read again. */
export async function withoutCache(model: TextGenerator, text: readonly number[]): Promise<Timing & { token: number }> {
  const start = performance.now();
  let token = -1;
  const options = { maxNewTokens: 1, temperature: 0, promptCache: false };
  for await (const made of model.generate(text, options)) token = made.token;
  return { token, length: text.length, ms: performance.now() - start };
}

/** Bytes that a token leaves in the cache: a key and a value of float32, each as wide as the model, in every layer. */
export const bytesOfToken = ({ shape }: TextGenerator): number => 2 * shape.layers * shape.width * 4;
