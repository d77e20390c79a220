/** Numbers for people. */

/** Three or four figures: `1234`, `123.4`, `12.34`, `1.234`, `0.012`. */
export function figures(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : 3);
}

const SCALES: readonly [scale: number, prefix: string][] = [
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
];

/** `11.7 MB`, `2.92 M`: three figures or so, decimal prefixes. */
export function scaled(value: number, unit = ''): string {
  const [scale, prefix] = SCALES.find(([size]) => Math.abs(value) >= size) ?? [1, ''];
  const amount = value / scale;
  const digits = scale === 1 ? 0 : Math.abs(amount) >= 100 ? 0 : Math.abs(amount) >= 10 ? 1 : 2;
  return `${amount.toFixed(digits)} ${prefix}${unit}`.trim();
}

export const bytes = (count: number): string => scaled(count, 'B');

/** `83.9 %`. */
export const percent = (share: number, digits = 1): string => `${(100 * share).toFixed(digits)} %`;

/** `0.85 s`, `12.3 s`, `2 min 5 s`. */
export function duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** `1 picture`, `8 pictures`. */
export const count = (n: number, noun: string, plural = `${noun}s`): string =>
  `${n.toLocaleString('en')} ${n === 1 ? noun : plural}`;
