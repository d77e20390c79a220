import { bytesSource } from '../../src/hub/source.ts';
import { type Checkpoint, openSafetensors } from '../../src/formats/safetensors.ts';

/** Where a folder of the repository lies for a test: a path in Node, a URL of the test server in a browser. */
export function repositoryFolder(path: string): string {
  if (typeof window === 'undefined') return new URL(`../../${path}`, import.meta.url).pathname;
  return new URL(`/${path}`, window.location.href).href;
}

/** Bytes of a file of the repository. */
export async function readFile(path: string): Promise<Uint8Array> {
  if (typeof window === 'undefined') {
    const { readFile: read } = await import('node:fs/promises');
    return read(new URL(`../../${path}`, import.meta.url));
  }
  const response = await fetch(`/${path}`);
  if (!response.ok || response.headers.get('content-type')?.startsWith('text/html')) throw new Error(`${path}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

export const readJson = async <T>(path: string): Promise<T> => JSON.parse(new TextDecoder().decode(await readFile(path))) as T;

/** A safetensors file of float32 tensors, whole. */
export async function readTensors(path: string): Promise<Map<string, { shape: readonly number[]; data: Float32Array }>> {
  const checkpoint: Checkpoint = await openSafetensors(bytesSource(path, await readFile(path)));
  const entries = [...checkpoint.tensors].map(async ([name, tensor]): Promise<[string, { shape: readonly number[]; data: Float32Array }]> => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of tensor.chunks()) chunks.push(chunk);
    const bytes = new Uint8Array(await new Blob(chunks as Uint8Array<ArrayBuffer>[]).arrayBuffer());
    return [name, { shape: tensor.shape, data: new Float32Array(bytes.buffer) }];
  });
  return new Map(await Promise.all(entries));
}

