/** ‖got - want‖ / ‖want‖, in float64. NaN where anything is NaN, which fails every comparison. */
export function normwise(got: ArrayLike<number>, want: ArrayLike<number>): number {
  if (got.length !== want.length) return Number.NaN;
  let error = 0;
  let size = 0;
  for (let i = 0; i < want.length; i++) {
    error += (got[i]! - want[i]!) ** 2;
    size += want[i]! ** 2;
  }
  return Math.sqrt(error / size);
}

/** The largest absolute difference, and where it is. */
export function worst(got: ArrayLike<number>, want: ArrayLike<number>): { error: number; index: number } {
  let [error, index] = [0, -1];
  for (let i = 0; i < want.length; i++) {
    const difference = Math.abs(got[i]! - want[i]!);
    if (!(difference <= error)) [error, index] = [difference, i];
  }
  return { error, index };
}
