/** Rows `first` to `first + count` of integers from -510 to 510, as tools/make_vector_fixtures.py has them. */
export function numbers(first: number, count: number, dimension: number): Float32Array {
  const made = new Float32Array(count * dimension);
  for (let i = 0; i < made.length; i++) {
    let x = first * dimension + i;
    x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
    x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
    x ^= x >>> 16;
    made[i] = (x & 255) + ((x >>> 8) & 255) + ((x >>> 16) & 255) + (x >>> 24) - 510;
  }
  return made;
}
