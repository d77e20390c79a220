/**
 * T5's bucket of a key that is `ahead` tokens after its query, or before it where that is negative (Raffel et al. 2020). `both`: keys on both sides have
 * half of the buckets each; else those ahead are as near as the query itself. Half of a side's buckets are a distance each, the others grow as logarithms
 * do, to `farthest`. In float32, as transformers has it.
 */
export function relativeBucket(ahead: number, buckets: number, farthest: number, both: boolean): number {
  const side = both ? buckets >> 1 : buckets;
  const start = both && ahead > 0 ? side : 0;
  const distance = both ? Math.abs(ahead) : Math.max(0, -ahead);
  const exact = side >> 1;
  if (distance < exact) return start + distance;
  const { fround, log } = Math;
  const share = fround(fround(log(fround(distance / exact))) / fround(log(farthest / exact)));
  return start + Math.min(side - 1, exact + Math.floor(fround(share * (side - exact))));
}
