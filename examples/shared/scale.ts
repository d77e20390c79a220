/** An axis of a chart. */
export interface ChartAxis {
  readonly title: string;
  /** Powers are equally far apart. */
  readonly log?: boolean;
  readonly format: (value: number) => string;
  /** Where labels stand; chosen where absent. */
  readonly ticks?: readonly number[];
  /** What is to be in sight whatever the marks are. */
  readonly includes?: readonly number[];
}

/** Where values of an axis lie, in pixels. */
export interface Scale {
  at(value: number): number;
  /** The same, and what is beyond the ends at the ends. */
  clamp(value: number): number;
  /** Values that labels stand at, rising. */
  readonly ticks: readonly number[];
}

/** A scale from the lowest pixel to the highest, with all values in it. */
export function scaleOf(
  { log = false, ticks, includes = [] }: Pick<ChartAxis, 'log' | 'ticks' | 'includes'>,
  values: readonly number[],
  [first, last]: readonly [number, number],
): Scale {
  const able = [...values, ...includes].filter((value) => Number.isFinite(value) && (!log || value > 0));
  const all = able.length ? able : [1];
  const [low, high] = (log ? logEnds : linearEnds)(Math.min(...all), Math.max(...all));
  const share = log
    ? (value: number): number => Math.log(value / low) / Math.log(high / low)
    : (value: number): number => (value - low) / (high - low);
  const at = (value: number): number => first + share(value) * (last - first);
  return {
    at,
    clamp: (value) => at(Math.min(high, Math.max(low, value))),
    ticks: (ticks ?? (log ? logTicks(low, high) : linearTicks(low, high))).filter(
      (tick) => tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9),
    ),
  };
}

/** From zero, with some room above. */
const linearEnds = (low: number, high: number): [number, number] => [
  Math.min(0, low),
  high > Math.min(0, low) ? high + 0.06 * (high - Math.min(0, low)) : high + 1,
];

/** A fifth of a power of two beyond both ends. */
const logEnds = (low: number, high: number): [number, number] => [low / 1.3, high * 1.3];

/** Round numbers from the lowest to the highest, about `count` of them. */
export function linearTicks(low: number, high: number, count = 5): number[] {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(12)),
  );
}

/** Powers of ten; where these are few, their double and fivefold too; where these are few, even steps. */
function logTicks(low: number, high: number): number[] {
  const powers = (factors: readonly number[]): number[] => {
    const first = Math.floor(Math.log10(low));
    const count = Math.ceil(Math.log10(high)) - first + 1;
    return Array.from({ length: count }, (_, i) => first + i)
      .flatMap((power) => factors.map((factor) => Number((factor * 10 ** power).toPrecision(6))))
      .filter((tick) => tick >= low && tick <= high);
  };
  const tens = powers([1]);
  const more = tens.length >= 3 ? tens : powers([1, 2, 5]);
  return more.length >= 2 ? more : linearTicks(low, high);
}
