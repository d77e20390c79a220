/** Zero crossings of the sinc on each side. */
const CROSSINGS = 32;
/** Of Kaiser's window: 100 dB of attenuation. */
const BETA = 10;
/** The share of the lower rate's band that passes; the rest is where the filter falls. */
const PASS = 0.93;
/** Weights that are kept at the most. */
const MOST_KEPT = 2 ** 20;

/** The modified Bessel function of order 0. */
function bessel(x: number): number {
  let [sum, term] = [1, 1];
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

const greatest = (a: number, b: number): number => (b ? greatest(b, a % b) : a);

/**
 * Audio at another rate: each sample is a sum of those around it, weighted by a sinc under Kaiser's window. What is above 0.93 of the band of
 * the lower rate falls off, and is 100 dB down where it would fold back. Rates are integers.
 */
export function resample(audio: Float32Array, from: number, to: number): Float32Array {
  if (from === to) return audio;
  const shared = greatest(from, to);
  const [up, down] = [to / shared, from / shared];
  /** Half a band's width, in cycles a sample of the input. */
  const cutoff = (PASS * Math.min(1, to / from)) / 2;
  const half = CROSSINGS / (2 * cutoff);
  const scale = bessel(BETA);
  const weight = (distance: number): number => {
    if (Math.abs(distance) >= half) return 0;
    const angle = 2 * Math.PI * cutoff * distance;
    const sinc = angle === 0 ? 1 : Math.sin(angle) / angle;
    return (2 * cutoff * sinc * bessel(BETA * Math.sqrt(1 - (distance / half) ** 2))) / scale;
  };
  const reach = Math.ceil(half);
  const taps = 2 * reach;
  /** Weights of the samples from `reach - 1` before a place on. Their sum is 1, so that a constant stays. */
  const weightsAt = (fraction: number): Float64Array => {
    const weights = Float64Array.from({ length: taps }, (_, i) => weight(i - reach + 1 - fraction));
    const sum = weights.reduce((a, b) => a + b, 0);
    return weights.map((value) => value / sum);
  };
  const kept = new Map<number, Float64Array>();
  const phase = (index: number): Float64Array => {
    const known = kept.get(index);
    if (known) return known;
    const weights = weightsAt(index / up);
    if (up * taps <= MOST_KEPT) kept.set(index, weights);
    return weights;
  };
  return Float32Array.from({ length: Math.ceil((audio.length * up) / down) }, (_, i) => {
    const [whole, part] = [Math.floor((i * down) / up), (i * down) % up];
    const weights = phase(part);
    const first = whole - reach + 1;
    let sum = 0;
    for (let t = Math.max(0, -first); t < Math.min(taps, audio.length - first); t++)
      sum += weights[t]! * audio[first + t]!;
    return sum;
  });
}
