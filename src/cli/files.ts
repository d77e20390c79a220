import { existsSync, readdirSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TilewrightError } from '../errors.ts';

/** The folder of this package: the nearest one with a package.json, from the sources as from the built command. */
export const PACKAGE_ROOT = findRoot(dirname(fileURLToPath(import.meta.url)));

/** The built page of host.ts. */
export const HOST = join(PACKAGE_ROOT, 'dist/host');

/** Where the weights lie that come with the repository. The package as it is published has none. */
export const WEIGHTS = join(PACKAGE_ROOT, 'weights');

function findRoot(folder: string): string {
  return existsSync(join(folder, 'package.json')) || dirname(folder) === folder ? folder : findRoot(dirname(folder));
}

/** Names of the models that lie there. */
export function shippedModels(): string[] {
  if (!existsSync(WEIGHTS)) return [];
  return readdirSync(WEIGHTS)
    .filter((name) => existsSync(join(WEIGHTS, name, 'model.safetensors')))
    .sort();
}

/**
 * The path or URL of a model that is named by a URL, a path (a folder, a .safetensors or an .onnx file) or the name of one
 * of the repository. Error: `not-found`.
 */
export async function resolveModel(name: string): Promise<string> {
  if (/^https?:\/\//i.test(name)) return name;
  if (await stat(name).catch(() => undefined)) return name;
  const shipped = shippedModels();
  if (shipped.includes(name)) return join(WEIGHTS, name);
  throw new TilewrightError('not-found', `there is no model ${name}`, {
    hint: `Give a folder, a .safetensors or .onnx file or a URL${shipped.length ? `, or one of the repository: ${shipped.join(', ')}` : ''}.`,
  });
}

/** Told before a model is loaded for nothing. Error: `not-found`. */
export async function mustExist(path: string): Promise<void> {
  await stat(path).catch((cause: Error) => {
    throw new TilewrightError('not-found', `${path} cannot be read: ${cause.message}`, { cause });
  });
}
