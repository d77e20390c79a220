import { openSafetensors } from '../../src/formats/safetensors.ts';
import { bytesSource } from '../../src/hub/source.ts';

const inNode = typeof window === 'undefined';

/** Where a folder of the repository lies for a test: a path in Node, a URL of the test server in a browser. */
export function repositoryFolder(path: string): string {
  if (inNode) return new URL(`../../${path}`, import.meta.url).pathname;
  return new URL(`/${path}`, window.location.href).href;
}

/** Bytes of a file, by its path in Node or its URL in a browser. */
export async function readAnywhere(file: string): Promise<Uint8Array> {
  if (inNode) {
    const { readFile } = await import('node:fs/promises');
    return readFile(file);
  }
  const response = await fetch(file);
  if (!response.ok || response.headers.get('content-type')?.startsWith('text/html'))
    throw new Error(`${file}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** The float32 tensors of a safetensors file, whole. */
export async function parseTensors(
  file: Uint8Array,
): Promise<Map<string, { shape: readonly number[]; data: Float32Array }>> {
  const { tensors } = await openSafetensors(bytesSource('file', file));
  const list = [...tensors].map(
    async ([name, tensor]): Promise<[string, { shape: readonly number[]; data: Float32Array }]> => {
      const chunks: Uint8Array<ArrayBuffer>[] = [];
      for await (const chunk of tensor.chunks()) chunks.push(chunk as Uint8Array<ArrayBuffer>);
      return [name, { shape: tensor.shape, data: new Float32Array(await new Blob(chunks).arrayBuffer()) }];
    },
  );
  return new Map(await Promise.all(list));
}
