import { TilewrightError } from '../errors.ts';

/** Loads a package that not everyone needs: `missing-dependency`, with the command to install it, where it is absent. */
export async function optional<T>(name: string, what: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    const hint = `npm install ${name}, or for once: npx -p tilewright-cli -p ${name} tilewright ...`;
    throw new TilewrightError('missing-dependency', `${what} needs the package ${name}`, { hint, cause });
  }
}
