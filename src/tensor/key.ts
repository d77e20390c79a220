/**
 * A text that is equal for equal values only. NaN, the infinities, -0 and bigint, which JSON lacks, have texts of their
 * own.
 */
export const keyOf = (value: unknown): string =>
  JSON.stringify(value, (_, item) => {
    const plain =
      typeof item !== 'bigint' && (typeof item !== 'number' || (Number.isFinite(item) && !Object.is(item, -0)));
    return plain ? item : { [typeof item]: Object.is(item, -0) ? '-0' : String(item) };
  });
