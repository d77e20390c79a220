import { open, readdir, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TilewrightError } from '../errors.ts';
import { type Folder, fileFolder, makeFolder } from './folder.ts';
import { type ByteSource, byteSource, MAX_CHUNK, reason } from './source.ts';

/** The folder or the one file at a path or a `file:` URL. @throws `not-found`. */
export async function openPath(address: string | URL): Promise<Folder> {
  const path = address instanceof URL ? fileURLToPath(address) : address;
  const stats = await stat(path).catch((cause: unknown) => {
    throw new TilewrightError('not-found', `${path}: ${reason(cause)}`, {
      hint: 'Give a folder in the layout of Hugging Face, or one .safetensors or .gguf file.',
      cause,
    });
  });
  const onnx = !stats.isDirectory() && /\.(onnx|ort)$/i.test(path) ? basename(path) : undefined;
  if (!stats.isDirectory() && onnx === undefined) return fileFolder(path, () => fileSource(path));
  const root = onnx === undefined ? path : dirname(path);
  const folder = makeFolder(
    root,
    (file) => fileSource(`${root}/${file}`),
    async () => {
      const entries = await readdir(root, { withFileTypes: true });
      return entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name); // links are files to us
    },
  );
  return { ...folder, onnx };
}

/** A file on the disk. The file is open only while a read lasts. @throws `not-found`. */
export async function fileSource(path: string): Promise<ByteSource> {
  const stats = await stat(path).catch((cause: unknown) => {
    throw new TilewrightError('not-found', `${path}: cannot be read: ${reason(cause)}`, { cause });
  });
  if (!stats.isFile()) throw new TilewrightError('not-found', `${path}: is not a file`);
  const name = path.split(/[\\/]/).pop()!;
  return byteSource(name, stats.size, async function* (start, end) {
    const handle = await open(path);
    try {
      for (let at = start; at < end; ) {
        const buffer = new Uint8Array(Math.min(MAX_CHUNK, end - at));
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, at);
        if (bytesRead === 0) return; // cut short since it was opened
        yield buffer.subarray(0, bytesRead);
        at += bytesRead;
      }
    } finally {
      await handle.close();
    }
  });
}
