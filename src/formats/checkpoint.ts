import { TilewrightError } from '../errors.ts';
import { type Folder, INDEX, readJson, SINGLE_FILE } from '../hub/folder.ts';
import { type Checkpoint, openSafetensors } from './safetensors.ts';

/**
 * Opens the checkpoint of a folder: `model.safetensors`, the shards of `model.safetensors.index.json`, or the only
 * `.safetensors` file there is.
 *
 * @throws `not-found` when there is none or a shard is missing; `invalid-file` when a file or the index is wrong.
 */
export async function openCheckpoint(folder: Folder, signal?: AbortSignal): Promise<Checkpoint> {
  let missing: TilewrightError | undefined;
  const single = await folder.find(SINGLE_FILE, (why) => {
    missing = why;
  });
  if (single) return openSafetensors(single, signal);
  const index = await readJson(folder, INDEX, signal);
  if (index !== undefined) return (await import('./shards.ts')).openShards(folder, index, signal);

  const files = (await folder.list?.()) ?? [];
  const candidates = files.filter((file) => /^[^/]+\.safetensors$/.test(file));
  if (candidates.length === 1) return openSafetensors(await folder.open(candidates[0]!), signal);
  const got = candidates.length > 1 ? `, and several others: ${candidates.join(', ')}` : '';
  const answer = folder.list ? '' : ` (${missing!.message})`;
  throw new TilewrightError(
    missing!.code,
    `${folder.name}: there is neither ${SINGLE_FILE} nor ${INDEX}${got}${answer}`,
    {
      hint: 'Only the safetensors format is read: save other checkpoints (.bin, .pt, .gguf) as safetensors first.',
      cause: missing,
    },
  );
}
