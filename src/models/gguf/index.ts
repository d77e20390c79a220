import { TilewrightError } from '../../errors.ts';
import type { GgufCheckpoint } from '../../formats/gguf.ts';
import { makeFolder } from '../../hub/folder.ts';
import { bytesSource } from '../../hub/source.ts';
import { gathered } from '../../tensor/convert.ts';
import type { ModelFiles } from '../model.ts';
import { architectureOf, configOf, generationOf } from './config.ts';
import { FACTORS, tensorsOf } from './tensors.ts';
import { tokenizerOf } from './tokenizer.ts';

/** Numbers of a tensor of factors at the most: the elements of a head. */
const MOST_FACTORS = 4096;

/**
 * A GGUF file as the folder of Hugging Face that it was made from: tensors under PyTorch's names and in their order, and what its
 * metadata say as config.json, generation_config.json, tokenizer.json and tokenizer_config.json, chat template included.
 *
 * Errors: `unknown-architecture`, `unsupported-option`, `wrong-shape`, `wrong-type`, `unsupported-type`, `invalid-file`.
 */
export async function ggufFiles(name: string, checkpoint: GgufCheckpoint, signal?: AbortSignal): Promise<ModelFiles> {
  const { fields } = checkpoint;
  const architecture = architectureOf(name, fields);
  const factors = new Map<string, readonly number[]>();
  for (const factor of FACTORS) {
    const tensor = checkpoint.tensors.get(factor);
    if (!tensor) continue;
    const count = tensor.shape[0] ?? 0;
    if (tensor.typeName !== 'F32' || tensor.shape.length !== 1 || count > MOST_FACTORS)
      throw new TilewrightError(
        'wrong-shape',
        `tensor '${factor}': expected F32 of at most ${MOST_FACTORS} numbers, got ${tensor.typeName}[${tensor.shape}]`,
      );
    const bytes = await gathered(tensor.chunks(signal), 4 * count);
    factors.set(factor, [...new Float32Array(bytes.buffer)]);
  }
  const config = configOf(name, checkpoint, architecture, (tensor) => factors.get(tensor));
  const generation = generationOf(name, fields);
  const tokenizer = tokenizerOf(name, fields);
  const files = new Map<string, object | undefined>([
    ['config.json', config],
    ['generation_config.json', generation],
    ['tokenizer.json', tokenizer?.tokenizer],
    ['tokenizer_config.json', tokenizer?.config],
  ]);
  const folder = makeFolder(name, async (file) => {
    const json = files.get(file);
    if (!json) throw new TilewrightError('not-found', `${name}: is a GGUF file that says nothing of ${file}`);
    return bytesSource(file, new TextEncoder().encode(JSON.stringify(json)));
  });
  const tensors = tensorsOf(checkpoint, architecture, config);
  return { name, folder, checkpoint: { ...checkpoint, tensors }, config };
}
