const shared = import.meta.env['TILEWRIGHT_SHARED'] as string;

/** The folder beside the repository with third-party data; tests that need it skip where it is missing, but never in CI. */
export const hasShared: boolean = Boolean(shared || import.meta.env['TILEWRIGHT_CI']);

/** A folder or file in it, for `engine.load` and `fetch`: a path in Node, a URL of the test server in a browser. */
export function sharedPath(path: string): string {
  if (!shared) throw new Error('../shared is missing, and this is CI');
  return typeof window === 'undefined' ? `${shared}/${path}` : new URL(`/@fs${shared}/${path}`, window.location.href).href;
}

export async function readShared(path: string): Promise<Uint8Array> {
  if (typeof window === 'undefined') {
    const { readFile } = await import('node:fs/promises');
    return readFile(sharedPath(path));
  }
  const response = await fetch(sharedPath(path));
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
