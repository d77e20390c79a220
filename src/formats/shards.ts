import { TilewrightError } from '../errors.ts';
import { type Folder, INDEX } from '../hub/folder.ts';
import { shown } from '../options.ts';
import { type Checkpoint, type CheckpointTensor, openSafetensors } from './safetensors.ts';

/** Which file each tensor lies in. */
function readWeightMap(index: Readonly<Record<string, unknown>>, folder: Folder): Map<string, string> {
  const map = index['weight_map'];
  if (typeof map !== 'object' || map === null || Array.isArray(map)) {
    throw new TilewrightError(
      'invalid-file',
      `${folder.name}: ${INDEX}: expected an object weight_map, got ${shown(map)}`,
    );
  }
  const entries = Object.entries(map);
  for (const [name, file] of entries) {
    // A shard lies beside its index: anything else is an attempt to read elsewhere.
    if (typeof file !== 'string' || !/^[^/\\]+\.safetensors$/.test(file)) {
      throw new TilewrightError(
        'invalid-file',
        `${folder.name}: ${INDEX}: tensor ${shown(name)}: expected a .safetensors file, got ${shown(file)}`,
      );
    }
  }
  return new Map(entries);
}

/**
 * The tensors that an index names from their shards, in the shards' order: `order` counts on from one to the next.
 * Error: `invalid-file`.
 */
export async function openShards(
  folder: Folder,
  index: Readonly<Record<string, unknown>>,
  signal?: AbortSignal,
): Promise<Checkpoint> {
  const weightMap = readWeightMap(index, folder);
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
        `${folder.name}: ${INDEX} names the tensor ${shown(name)} in ${shown(file)}, which lacks it`,
      );
    }
  }
  return { tensors, metadata, byteLength };
}
