import { openCheckpoint } from '../../../src/formats/checkpoint.ts';
import { type Folder, openFolder, readJson } from '../../../src/hub/folder.ts';
import type { CheckpointTensor } from '../../../src/index.ts';
import { loadTokenizer, type Tokenizer } from '../../../src/text/tokenizer.ts';
import { WEIGHTS } from './shipped.ts';

const openGpt = (): Promise<Folder> => openFolder(new URL('gpt-shakespeare/', WEIGHTS).href);

/** A tensor of the GPT that ships. Of the file no more is fetched than it takes. */
export async function gptTensor(name: string): Promise<CheckpointTensor> {
  const { tensors } = await openCheckpoint(await openGpt());
  return tensors.get(`transformer.${name}`)!;
}

/** The tokenizer of the GPT that ships. */
export async function gptTokenizer(): Promise<Tokenizer> {
  const folder = await openGpt();
  return loadTokenizer(await readJson(folder, 'tokenizer.json'), await readJson(folder, 'tokenizer_config.json'));
}
