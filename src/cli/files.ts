import { existsSync, readdirSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TilewrightError } from '../errors.ts';
import { isHubName } from '../hub/folder.ts';

const HERE = dirname(fileURLToPath(import.meta.url));
/** The folder of the command's package, from the sources as from what is built of them. */
const PACKAGE = packageAbove(HERE);
const BUILT = join(PACKAGE, 'dist');

/** The built command. */
export const COMMAND = join(BUILT, 'command/main.js');

/** The built page of host.ts. */
export const HOST = join(BUILT, 'host');

/** The repository, where the package lies in a clone of it. */
export const REPOSITORY = dirname(PACKAGE);

/** The shaders as they are written: a build takes them along. */
export const SHADERS = join(HERE.startsWith(BUILT) ? BUILT : REPOSITORY, 'shaders');

/** Where the weights lie that come with the repository. The package as it is published has none. */
export const WEIGHTS = join(REPOSITORY, 'weights');

function packageAbove(folder: string): string {
  const found = [join(folder, 'cli'), folder].find((path) => existsSync(join(path, 'package.json')));
  return found ?? (dirname(folder) === folder ? folder : packageAbove(dirname(folder)));
}

/** Names of the models that lie there. */
export function shippedModels(): string[] {
  if (!existsSync(WEIGHTS)) return [];
  return readdirSync(WEIGHTS)
    .filter((name) => existsSync(join(WEIGHTS, name, 'model.safetensors')))
    .sort();
}

/**
 * What a model is loaded from that is named by a URL, a path (a folder, a .safetensors, .gguf or .onnx file), the name of one
 * of the repository or one of a hub, `org/model`. Error: `not-found`.
 */
export async function resolveModel(name: string): Promise<string> {
  if (/^https?:\/\//i.test(name)) return name;
  if (await stat(name).catch(() => undefined)) return name;
  const shipped = shippedModels();
  if (shipped.includes(name)) return join(WEIGHTS, name);
  if (isHubName(name)) return name;
  throw new TilewrightError('not-found', `there is no model ${name}`, {
    hint: `Give a folder, a .safetensors, .gguf or .onnx file, a URL or org/model of a hub${shipped.length ? `, or one of the repository: ${shipped.join(', ')}` : ''}.`,
  });
}

/** Told before a model is loaded for nothing. Error: `not-found`. */
export async function mustExist(path: string): Promise<void> {
  await stat(path).catch(unreadable(path));
}

/** The bytes of a file. Error: `not-found`. */
export const readBytes = (path: string): Promise<Buffer> => readFile(path).catch(unreadable(path));

/** A file's text, in UTF-8. Error: `not-found`. */
export const readText = (path: string): Promise<string> => readFile(path, 'utf8').catch(unreadable(path));

const unreadable =
  (path: string) =>
  (cause: Error): never => {
    throw new TilewrightError('not-found', `${path} cannot be read: ${cause.message}`, { cause });
  };
