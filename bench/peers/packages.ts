/** Folders with the files of the peers' packages: URLs in a page, paths in Node. */
export interface PeerFolders {
  /** `dist` of onnxruntime-web. */
  readonly onnxruntime: string;
  /** `dist` of @tensorflow/tfjs-core, and of @tensorflow/tfjs-backend-webgpu. */
  readonly tensorflow: readonly [core: string, backend: string];
  /** `dist` of @jax-js/jax. */
  readonly jax: string;
}

/** The folders where `dist` of each package is. */
export async function peerFolders(dist: (name: string) => string | Promise<string>): Promise<PeerFolders> {
  return {
    onnxruntime: await dist('onnxruntime-web'),
    tensorflow: [await dist('@tensorflow/tfjs-core'), await dist('@tensorflow/tfjs-backend-webgpu')],
    jax: await dist('@jax-js/jax'),
  };
}

export const IN_NODE = typeof process !== 'undefined' && process.versions?.node !== undefined;

/** The address of a file, for `import` and `fetch`. */
export async function addressOf(folder: string, file: string): Promise<string> {
  if (!IN_NODE) return `${folder.replace(/\/?$/, '/')}${file}`;
  const { pathToFileURL } = await import(/* @vite-ignore */ 'node:url');
  return pathToFileURL(`${folder}/${file}`).href;
}

/** Imports a module that is in no bundle: nothing of a peer is published with us. */
export async function importFile<T>(folder: string, file: string): Promise<T> {
  const address = await addressOf(folder, file);
  return import(/* @vite-ignore */ address);
}
