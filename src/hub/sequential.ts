import { type Answer, Fault } from './network.ts';
import { MAX_CHUNK } from './source.ts';

/**
 * The file that comes in one answer, from its first byte to its last: of a server without ranges. It is kept as a Blob,
 * which browsers hold outside the page's memory. An answer that is cut is a `Fault`: it begins anew, with nothing kept.
 */
export async function blobOf({ response, pieces }: Answer): Promise<Blob> {
  const promised = Number(response.headers.get('content-length') ?? 0);
  const parts: Blob[] = [];
  const buffer = new Uint8Array(Math.min(promised || MAX_CHUNK, MAX_CHUNK));
  let [filled, size] = [0, 0];
  const flush = (): void => {
    parts.push(new Blob([buffer.subarray(0, filled)]));
    filled = 0;
  };
  for await (const piece of pieces) {
    size += piece.length;
    for (let at = 0; at < piece.length; ) {
      const part = piece.subarray(at, at + buffer.length - filled);
      buffer.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled === buffer.length) flush();
    }
  }
  flush();
  // Not every browser minds a short body. A compressed one has another length by right.
  if (size < promised && !response.headers.has('content-encoding'))
    throw new Fault(`expected ${promised} bytes, got ${size}`);
  return new Blob(parts);
}
