/**
 * Weights of an antialiased separable resize: those of torch.nn.functional.interpolate(antialias=True,
 * align_corners=False), which torchvision and Pillow share.
 */
export type Interpolation = 'bilinear' | 'bicubic';

/** What one output sample is made of: `weights[t]` of input sample `first + t`. Without weights it is padding. */
export interface Tap {
  readonly first: number;
  readonly weights: Float32Array;
}

const triangle = (x: number): number => Math.max(0, 1 - Math.abs(x));

/** Keys' cubic convolution (1981) with a = -0.5, as Pillow has it; without antialiasing PyTorch takes -0.75. */
function cubic(x: number): number {
  const t = Math.abs(x);
  if (t < 1) return (1.5 * t - 2.5) * t * t + 1;
  return t < 2 ? ((-0.5 * t + 2.5) * t - 4) * t + 2 : 0;
}

const FILTERS = {
  bilinear: { radius: 1, filter: triangle },
  bicubic: { radius: 2, filter: cubic },
} as const;

/**
 * The taps of `count` output samples from sample `offset` on, of a line of `input` samples resized to `output`.
 * Samples before 0 and from `output` on are padding. Shrinking widens the filter by the ratio, so that every
 * input sample counts. Equal sizes copy.
 */
export function taps(
  input: number,
  output: number,
  offset: number,
  count: number,
  interpolation: Interpolation,
): Tap[] {
  const { radius, filter } = FILTERS[interpolation];
  const scale = input / output;
  const stretch = Math.max(1, scale);
  const support = radius * stretch;

  return Array.from({ length: count }, (_, k) => {
    const i = offset + k;
    if (i < 0 || i >= output) return { first: 0, weights: new Float32Array(0) };
    if (input === output) return { first: i, weights: Float32Array.of(1) };
    const centre = scale * (i + 0.5);
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const end = Math.min(input, Math.trunc(centre + support + 0.5));
    const raw = Array.from({ length: end - first }, (_, t) => filter((first + t + 0.5 - centre) / stretch));
    const sum = raw.reduce((total, weight) => total + weight, 0);
    return { first, weights: Float32Array.from(raw, (weight) => weight / sum) };
  });
}

/** The half-open range of input samples that the taps read. */
export function reach(line: readonly Tap[]): [first: number, end: number] {
  const used = line.filter(({ weights }) => weights.length > 0);
  if (used.length === 0) return [0, 0];
  return [Math.min(...used.map(({ first }) => first)), Math.max(...used.map((tap) => tap.first + tap.weights.length))];
}
