/** The value below which this share of the values lies, 0 to 1: linear between the two nearest. NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const low = sorted[Math.floor(at)]!;
  return low + (sorted[Math.ceil(at)]! - low) * (at % 1);
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);
