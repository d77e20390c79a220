const figures = (digits: number): Intl.NumberFormat =>
  new Intl.NumberFormat('en', { maximumFractionDigits: digits, minimumFractionDigits: digits });
const WHOLE = figures(0);
const ONE = figures(1);
const TWO = figures(2);

/** Three digits that count: 0.42, 4.2, 42, 4,200. */
export function number(value: number): string {
  return (value < 10 ? TWO : value < 100 ? ONE : WHOLE).format(value);
}

export const whole = (value: number): string => WHOLE.format(value);

/** 0..1 as `93.6 %`. */
export const percent = (share: number): string => `${ONE.format(100 * share)} %`;

export const milliseconds = (ms: number): string => (ms < 1000 ? `${number(ms)} ms` : `${TWO.format(ms / 1000)} s`);

const scaled = (value: number, base: number, units: readonly string[]): string => {
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log(Math.max(1, value)) / Math.log(base))));
  return power === 0 ? `${WHOLE.format(value)} ${units[0]}`.trim() : `${number(value / base ** power)} ${units[power]}`;
};

export const bytes = (value: number): string => scaled(value, 1000, ['B', 'kB', 'MB', 'GB']);

/** Limits are powers of two. */
export const binaryBytes = (value: number): string => scaled(value, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB']);

/** 272 thousand, 2.92 million. */
export const count = (value: number): string => scaled(value, 1000, ['', 'thousand', 'million', 'billion']);
