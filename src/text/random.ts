/**
 * sfc32, "small fast counting", by Chris Doty-Humphrey (PractRand, public domain): 128 bits of state, 32 of them a
 * counter, so that no cycle is shorter than 2^32. Seeded from 64 bits as PractRand does. Integers only: the same
 * numbers on every platform. Not for secrets.
 *
 * `seed` is a safe integer from 0 on. Each call gives a multiple of 2^-32 in [0, 1).
 */
export function createRandom(seed: number): () => number {
  let a = 0;
  let b = seed | 0;
  let c = Math.floor(seed / 2 ** 32) | 0;
  let counter = 1;
  const next = (): number => {
    const out = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + out) | 0;
    return (out >>> 0) / 2 ** 32;
  };
  for (let i = 0; i < 12; i++) next();
  return next;
}
