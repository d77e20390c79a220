import { TilewrightError } from '../errors.ts';

/** A number of JSON, or a list of lists of them. */
type Json = number | boolean | string | readonly Json[];

/** `{"dims":[1,2],"data":[3,4]}`, or lists in lists: `[[3,4]]`. */
export function readJsonTensor(
  path: string,
  bytes: Uint8Array,
): { dims: readonly number[]; data: readonly (number | boolean | string)[] } {
  const fail = (problem: string, cause?: unknown): never => {
    throw new TilewrightError('invalid-file', `${path}: ${problem}`, {
      hint: 'Expected {"dims": [1, 2], "data": [3, 4]}, or lists in lists: [[3, 4]].',
      ...(cause !== undefined && { cause }),
    });
  };
  const parsed = ((): { dims: unknown; data: unknown } | Json => {
    try {
      return JSON.parse(new TextDecoder().decode(bytes));
    } catch (cause) {
      return fail(`is no JSON: ${(cause as Error).message}`, cause);
    }
  })();
  const isScalar = (value: unknown): boolean => ['number', 'boolean', 'string'].includes(typeof value);
  if (typeof parsed === 'object' && parsed !== null && 'dims' in parsed) {
    const { dims, data } = parsed;
    if (!Array.isArray(dims) || !dims.every((size) => Number.isSafeInteger(size) && size >= 0))
      fail('has no list of dims');
    if (!Array.isArray(data) || !data.every(isScalar)) fail('has no flat list of data');
    return { dims: dims as number[], data: data as number[] };
  }
  const dims: number[] = [];
  for (let level: unknown = parsed; Array.isArray(level); level = level[0]) dims.push(level.length);
  const isFull = (value: unknown, [size, ...inner]: readonly number[]): boolean =>
    size === undefined
      ? isScalar(value)
      : Array.isArray(value) && value.length === size && value.every((one) => isFull(one, inner));
  if (!isFull(parsed, dims)) fail('its lists are not all of the same length, or hold what is no number');
  return { dims, data: scalarsOf(parsed as Json) };
}

const scalarsOf = (value: Json): (number | boolean | string)[] =>
  typeof value === 'object' ? value.flatMap(scalarsOf) : [value];
