import { sha256 } from '@noble/hashes/sha2.js';
import { TilewrightError } from '../errors.ts';
import type { ByteSource } from './source.ts';

/** The sha256 of a file, in hexadecimal digits. */
async function sha256Of({ kept, stream, size }: ByteSource, signal?: AbortSignal): Promise<string> {
  // Node's own is some times as fast.
  const hash = globalThis.process?.getBuiltinModule?.('node:crypto').createHash('sha256') ?? sha256.create();
  for await (const piece of kept?.bytes(signal) ?? stream(0, size, signal)) hash.update(piece);
  const digest: Uint8Array = hash.digest();
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * Reads the file and compares what it hashes to with what it has to; once, of a file in the cache. One that is wrong is not
 * kept. Error: `invalid-file`.
 */
export async function checkSha256(source: ByteSource, expected: string, signal?: AbortSignal): Promise<void> {
  const wanted = expected.toLowerCase();
  if (source.kept?.sha256 === wanted) return;
  const got = await sha256Of(source, signal);
  if (got === wanted) return source.kept?.checked(got);
  await source.kept?.discard();
  throw new TilewrightError('invalid-file', `${source.name}: expected the sha256 ${wanted}, got ${got}`, {
    hint: 'It is another file than the one that was meant, or it came damaged: load it again.',
  });
}

/** What is checked: a `Folder`. */
interface Files {
  open(file: string): Promise<ByteSource>;
  find(file: string, onMissing?: (why: TilewrightError) => void): Promise<ByteSource | undefined>;
  finish?(signal?: AbortSignal): Promise<void>;
}

/**
 * The folder, whose files are compared with the sha256 that is given for their names when all was read. Error: `invalid-argument` for a
 * file that was not read.
 */
export function checkedFolder<Folder extends Files>(folder: Folder, hashes: Readonly<Record<string, string>>): Folder {
  const opened = new Map<string, ByteSource>();
  const note = <T extends ByteSource | undefined>(file: string, source: T): T => {
    if (source) opened.set(file, source);
    return source;
  };
  return {
    ...folder,
    open: async (file: string) => note(file, await folder.open(file)),
    find: async (file: string, onMissing?: (why: TilewrightError) => void) =>
      note(file, await folder.find(file, onMissing)),
    async finish(signal?: AbortSignal) {
      await folder.finish?.(signal);
      for (const [name, expected] of Object.entries(hashes)) {
        const source = opened.get(name) ?? [...opened.values()].find((one) => one.name === name);
        if (!source)
          throw new TilewrightError('invalid-argument', `sha256: the load reads no file ${name}`, {
            hint: `It reads ${[...opened.keys()].join(', ')}.`,
          });
        await checkSha256(source, expected, signal);
      }
    },
  };
}
