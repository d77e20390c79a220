import { TilewrightError } from '../errors.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { shown } from '../options.ts';
import type { EncoderFolderModel } from './encoder/index.ts';
import { isEncoder } from './families/encoders.ts';
import type { ModelFiles, OpenOptions } from './model.ts';
import { isSeq2Seq } from './seq2seq/families/index.ts';
import type { Transcriber } from './seq2seq/transcriber.ts';
import type { Translator } from './seq2seq/translator.ts';

/** Models that the core does not know by name: what they are called loads with the first of them. */
export type CatalogueModel = EncoderFolderModel | Transcriber | Translator;

/** Loads a model by its `model_type`. Error: `unknown-architecture`. */
export async function load(gpu: Gpu, files: ModelFiles, options: OpenOptions): Promise<CatalogueModel> {
  if (isEncoder(files)) return (await import('./encoder/index.ts')).loadEncoder(gpu, files, options);
  if (isSeq2Seq(files)) return (await import('./seq2seq/index.ts')).loadSeq2Seq(gpu, files, options);
  const type = files.config?.['model_type'] ?? files.config?.['architecture'];
  throw new TilewrightError(
    'unknown-architecture',
    type
      ? `${files.name}: the architecture ${shown(type)} is not known`
      : `${files.name}: neither config.json nor the tensors name an architecture that is known`,
    { hint: `Known are ${KNOWN}.` },
  );
}

const KNOWN = [
  'ResNet (CIFAR and ImageNet depths), ResNeXt, wide ResNet, those with SE blocks',
  'GPT-2, Llama, Mistral, Qwen2, Qwen3, SmolLM3, Gemma 1 to 3, Phi-3, GPT-NeoX, OLMo 2, Granite',
  'BERT, RoBERTa, XLM-R, CamemBERT, DistilBERT, MPNet, ELECTRA, ModernBERT',
  'Whisper, T5, BART, Marian',
].join(', ');
