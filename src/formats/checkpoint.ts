import { TilewrightError } from '../errors.ts';
import { type Folder, INDEX, readJson, SINGLE_FILE } from '../hub/folder.ts';
import type { ByteSource } from '../hub/source.ts';
import type { GgufCheckpoint } from './gguf.ts';
import { type Checkpoint, openSafetensors } from './safetensors.ts';

/**
 * Opens the checkpoint of a folder: `model.safetensors`, the shards of `model.safetensors.index.json`, or the only
 * `.safetensors` file there is; where there is none, the only `.gguf` file. A file that stands alone is told by its first bytes.
 *
 * @throws `not-found` when there is none or a shard is missing; `invalid-file` when a file or the index is wrong.
 */
export async function openCheckpoint(folder: Folder, signal?: AbortSignal): Promise<Checkpoint | GgufCheckpoint> {
  let missing: TilewrightError | undefined;
  const single = await folder.find(SINGLE_FILE, (why) => {
    missing = why;
  });
  if (single) return openFile(single, signal);
  const index = await readJson(folder, INDEX, signal);
  if (index !== undefined) return (await import('./shards.ts')).openShards(folder, index, signal);

  const files = (await folder.list?.()) ?? [];
  const own = files.filter((file) => /^[^/]+\.safetensors$/.test(file));
  const candidates = own.length ? own : files.filter((file) => /^[^/]+\.gguf$/i.test(file));
  if (candidates.length === 1) return openFile(await folder.open(candidates[0]!), signal);
  const got = candidates.length > 1 ? `, and several others: ${candidates.join(', ')}` : '';
  const answer = folder.list ? '' : ` (${missing!.message})`;
  throw new TilewrightError(
    missing!.code,
    `${folder.name}: there is neither ${SINGLE_FILE} nor ${INDEX}${got}${answer}`,
    {
      hint: 'Only safetensors and GGUF are read: save other checkpoints (.bin, .pt) as safetensors first.',
      cause: missing,
    },
  );
}

async function openFile(source: ByteSource, signal?: AbortSignal): Promise<Checkpoint> {
  const start = await source.slice(0, Math.min(4, source.size), signal);
  return String.fromCharCode(...start) === 'GGUF'
    ? (await import('./gguf.ts')).openGguf(source, signal)
    : openSafetensors(source, signal);
}
