import { readFile } from 'node:fs/promises';
import { TilewrightError } from '../errors.ts';
import { PREPROCESSING } from '../onnx/pictures.ts';
import { preprocessingFrom } from '../vision/config.ts';
import type { PictureArgs } from './jobs/pictures.ts';

/** What `--preprocess` says: a name, or a file in the form of preprocessor_config.json or timm's config.json. */
export async function preprocessArgs(asked: string | undefined): Promise<Pick<PictureArgs, 'preprocess'>> {
  if (asked === undefined) return {};
  if (Object.hasOwn(PREPROCESSING, asked)) return { preprocess: PREPROCESSING[asked]! };
  const text = await readFile(asked, 'utf8').catch((cause: Error) => {
    throw new TilewrightError('not-found', `--preprocess: ${asked} cannot be read: ${cause.message}`, {
      cause,
      hint: `Names are ${Object.keys(PREPROCESSING).join(', ')}.`,
    });
  });
  try {
    return { preprocess: preprocessingFrom(JSON.parse(text), asked) };
  } catch (cause) {
    if (cause instanceof TilewrightError) throw cause;
    throw new TilewrightError('invalid-file', `${asked} is not valid JSON: ${(cause as Error).message}`, { cause });
  }
}
