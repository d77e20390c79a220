import { readAnywhere } from './files.ts';

const shared = import.meta.env['TILEWRIGHT_SHARED'] as string;

/** The folder beside the repository with third-party data; tests that need it skip where it is missing, but never in CI. */
export const hasShared: boolean = Boolean(shared || import.meta.env['TILEWRIGHT_CI']);

/** A folder or file outside the repository, for `engine.load` and `fetch`: its path in Node, a URL of the test server in a browser. */
export const outsideFolder = (path: string): string =>
  typeof window === 'undefined' ? path : new URL(`/@fs${path}`, window.location.href).href;

/** A folder or file in ../shared. */
export function sharedPath(path: string): string {
  if (!shared) throw new Error('../shared is missing, and this is CI');
  return outsideFolder(`${shared}/${path}`);
}

export const readShared = (path: string): Promise<Uint8Array> => readAnywhere(sharedPath(path));
