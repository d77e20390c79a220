import { existsSync, readdirSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TilewrightError } from '../errors.ts';

/** The folder of this package: the nearest one with a package.json, from the sources as from the built command. */
export const PACKAGE_ROOT = findRoot(dirname(fileURLToPath(import.meta.url)));

/** The built pages, with the weights that ship beside them. */
export const PAGES = join(PACKAGE_ROOT, 'dist/pages');

function findRoot(folder: string): string {
  return existsSync(join(folder, 'package.json')) || dirname(folder) === folder ? folder : findRoot(dirname(folder));
}

/** Where the weights lie: in the repository, or in the package as it is published. */
export const weightsFolder = (): string =>
  [join(PACKAGE_ROOT, 'weights'), join(PAGES, 'weights')].find((folder) => existsSync(folder)) ??
  join(PAGES, 'weights');

/** Names of the models that ship. */
export function shippedModels(): string[] {
  const folder = weightsFolder();
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, 'model.safetensors')))
    .sort();
}

/**
 * The path or URL of a model that is named by a URL, a path (a folder or a .safetensors file) or the name of one that
 * ships. Error: `not-found`.
 */
export async function resolveModel(name: string): Promise<string> {
  if (/^https?:\/\//i.test(name)) return name;
  if (await stat(name).catch(() => undefined)) return name;
  const shipped = shippedModels();
  if (shipped.includes(name)) return join(weightsFolder(), name);
  throw new TilewrightError('not-found', `there is no model ${name}`, {
    hint: `Give a folder, a .safetensors file, a URL, or one that ships: ${shipped.join(', ')}.`,
  });
}

/** Told before a model is loaded for nothing. Error: `not-found`. */
export async function mustExist(path: string): Promise<void> {
  await stat(path).catch((cause: Error) => {
    throw new TilewrightError('not-found', `${path} cannot be read: ${cause.message}`, { cause });
  });
}
