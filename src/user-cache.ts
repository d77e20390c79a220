import { homedir } from 'node:os';

/** The folder in Node that what is kept for this user lies in: `tilewright` in the user's folder of caches. */
export function userCache(): string {
  const { XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  const windows = process.platform === 'win32' ? LOCALAPPDATA : undefined;
  return `${XDG_CACHE_HOME || windows || `${homedir()}/.cache`}/tilewright`;
}
