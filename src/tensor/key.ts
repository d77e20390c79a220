/** A text that is equal for equal values only: numbers that JSON has no word for (NaN, the infinities, -0, bigint) are told apart. */
export const keyOf = (value: unknown): string =>
  JSON.stringify(value, (_, item) => {
    const plain =
      typeof item !== 'bigint' && (typeof item !== 'number' || (Number.isFinite(item) && !Object.is(item, -0)));
    return plain ? item : { [typeof item]: Object.is(item, -0) ? '-0' : String(item) };
  });
