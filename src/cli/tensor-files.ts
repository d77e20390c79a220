import { readdir, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { TilewrightError } from '../errors.ts';
import { readJsonTensor } from '../formats/json-tensor.ts';
import { readNpy } from '../formats/npy.ts';
import { readBytes } from './files.ts';
import type { GivenInput } from './jobs/run-graph.ts';

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
    const bytes = await readBytes(path);
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
