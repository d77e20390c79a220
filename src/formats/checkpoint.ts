import { TilewrightError } from '../errors.ts';
import { type Folder, readJson, SINGLE_FILE } from '../hub/folder.ts';
import { type Checkpoint, type CheckpointTensor, openSafetensors } from './safetensors.ts';

const INDEX = 'model.safetensors.index.json';

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
  if (index !== undefined) return openShards(folder, readWeightMap(index, folder), signal);

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

/** Which file each tensor lies in. */
function readWeightMap(index: Readonly<Record<string, unknown>>, folder: Folder): Map<string, string> {
  const map = index['weight_map'];
  if (typeof map !== 'object' || map === null || Array.isArray(map)) {
    throw new TilewrightError(
      'invalid-file',
      `${folder.name}: ${INDEX}: expected an object weight_map, got ${JSON.stringify(map)}`,
    );
  }
  const entries = Object.entries(map);
  for (const [name, file] of entries) {
    // A shard lies beside its index: anything else is an attempt to read elsewhere.
    if (typeof file !== 'string' || !/^[^/\\]+\.safetensors$/.test(file)) {
      throw new TilewrightError(
        'invalid-file',
        `${folder.name}: ${INDEX}: tensor ${JSON.stringify(name)}: expected a .safetensors file, got ${JSON.stringify(file)}`,
      );
    }
  }
  return new Map(entries);
}

/** The tensors of the map from their shards, in the shards' order: `order` counts on from one to the next. */
async function openShards(folder: Folder, weightMap: Map<string, string>, signal?: AbortSignal): Promise<Checkpoint> {
  const tensors = new Map<string, CheckpointTensor>();
  const metadata = new Map<string, string>();
  let byteLength = 0;
  let before = 0;
  for (const file of [...new Set(weightMap.values())].sort()) {
    const source = await folder.open(file);
    const shard = await openSafetensors(source, signal, before);
    for (const [name, tensor] of shard.tensors) {
      if (weightMap.get(name) !== file) continue;
      byteLength += tensor.byteLength;
      tensors.set(name, tensor);
    }
    for (const [key, value] of shard.metadata) metadata.set(key, value);
    before += source.size;
  }
  for (const [name, file] of weightMap) {
    if (!tensors.has(name)) {
      throw new TilewrightError(
        'invalid-file',
        `${folder.name}: ${INDEX} names the tensor ${JSON.stringify(name)} in ${file}, which lacks it`,
      );
    }
  }
  return { tensors, metadata, byteLength };
}
