import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { throwIfAborted } from '../errors.ts';
import type { SafetensorsLayout, TensorToWrite } from '../formats/safetensors-write.ts';
import type { Folder } from '../hub/folder.ts';
import type { Runtime, Sink } from './runtime.ts';

/** What may lie beside the weights of a model: copied as it is. */
const COMPANIONS = [
  'config.json',
  'generation_config.json',
  'preprocessor_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.json',
  'merges.txt',
  'LICENSE',
];

export interface Making {
  readonly runtime: Pick<Runtime, 'take'>;
  /** Has the tensors that change given to a sink, in their order. */
  readonly give: (sink: string) => Promise<unknown>;
  readonly signal: AbortSignal;
  /** Tensors that are added as they are. */
  readonly scales?: readonly TensorToWrite[];
}

/**
 * Writes a folder with what lies beside a model's weights. It gets its name when all of it is written: a part of one is
 * never there.
 */
export async function inDraft(
  folder: Folder,
  target: string,
  signal: AbortSignal,
  write: (draft: string) => Promise<void>,
): Promise<void> {
  const draft = join(dirname(target), `.${basename(target)}-${randomUUID()}`);
  await mkdir(draft);
  try {
    await write(draft);
    for (const name of COMPANIONS) {
      const companion = await folder.find(name);
      if (companion) await writeFile(join(draft, name), companion.stream(0, companion.size, signal));
    }
    throwIfAborted(signal, 'writing');
    await rmdir(target).catch(() => {}); // an empty one was there, or none
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
}

/** Puts a stream of bytes where the tensors lie that they are. */
export function inOrder(
  headers: readonly { readonly name: string }[],
  tensors: SafetensorsLayout['tensors'],
  file: FileHandle,
): Sink {
  const left = headers.map(({ name }) => ({ ...tensors.get(name)! }));
  return async (chunk) => {
    for (let at = 0; at < chunk.byteLength; ) {
      const place = left[0]!;
      const count = Math.min(place.byteLength, chunk.byteLength - at);
      await writeAll(file, chunk.subarray(at, at + count), place.offset);
      at += count;
      place.offset += count;
      place.byteLength -= count;
      if (!place.byteLength) left.shift();
    }
  };
}

/** A write may take only a part. */
export async function writeAll(file: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < chunk.byteLength; )
    at += (await file.write(chunk, at, chunk.byteLength - at, position + at)).bytesWritten;
}
