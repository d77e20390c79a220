import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { TilewrightError } from '../errors.ts';
import type { GivenInput } from './jobs/run-graph.ts';
import { readNpy } from './npy.ts';

/** A number of JSON, or a list of lists of them. */
type Json = number | boolean | string | readonly Json[];

/** The name of the file of a tensor, without its end: names of tensors have slashes and colons. */
export const fileNameOf = (tensor: string): string => encodeURIComponent(tensor);

const nameOf = (path: string): string => {
  const stem = basename(path, extname(path));
  try {
    return decodeURIComponent(stem);
  } catch {
    return stem;
  }
};

/**
 * The inputs of `name=file`, of a file that has the name of its input, or of a folder of such files. `lend` gives the
 * name by which a job reads bytes. Errors: `not-found`, `invalid-file`, `unsupported-type`, `invalid-argument`.
 */
export async function readInputs(given: readonly string[], lend: (bytes: Uint8Array) => string): Promise<GivenInput[]> {
  const files = (await Promise.all(given.map(filesOf))).flat();
  const inputs: GivenInput[] = [];
  for (const [name, path] of files) {
    if (inputs.some((input) => input.name === name))
      throw new TilewrightError('invalid-argument', `the input '${name}' is given twice`);
    const bytes = await readFile(path).catch((cause: Error) => {
      throw new TilewrightError('not-found', `${path} cannot be read: ${cause.message}`, { cause });
    });
    if (extname(path) === '.json') inputs.push({ name, ...readJsonTensor(path, bytes) });
    else {
      const { type, dims, bytes: numbers } = readNpy(path, bytes);
      inputs.push({ name, type, dims, lent: lend(numbers) });
    }
  }
  return inputs;
}

/** Names and paths. */
async function filesOf(given: string): Promise<[name: string, path: string][]> {
  const there = await stat(given).catch(() => undefined);
  if (there?.isDirectory()) {
    const files = (await readdir(given)).filter((file) => /\.(npy|json)$/.test(file)).sort();
    if (!files.length) throw new TilewrightError('not-found', `${given} has neither .npy nor .json files`);
    return files.map((file) => [nameOf(file), join(given, file)]);
  }
  const at = given.indexOf('=');
  return there || at < 0 ? [[nameOf(given), given]] : [[given.slice(0, at), given.slice(at + 1)]];
}

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
