/**
 * The files of a .tar.gz by name. A server may have unpacked the outer layer on the way. Long names (GNU, pax) are none of
 * ours.
 */
export async function untar(archive: Uint8Array<ArrayBuffer>): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const packed = archive[0] === 0x1f && archive[1] === 0x8b;
  const stream = (): ReadableStream => new Blob([archive]).stream().pipeThrough(new DecompressionStream('gzip'));
  const bytes = packed ? new Uint8Array(await new Response(stream()).arrayBuffer()) : archive;
  const text = (from: number, length: number): string =>
    new TextDecoder().decode(bytes.subarray(from, from + length)).replace(/\0.*$/s, '');
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  for (let at = 0; at + 512 <= bytes.length && bytes[at]; ) {
    const prefix = text(at + 345, 155);
    const size = Number.parseInt(text(at + 124, 12), 8);
    const name = `${prefix && `${prefix}/`}${text(at, 100)}`;
    if (bytes[at + 156] === 48) files.set(name, bytes.slice(at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}
