import { flag, type Rule } from '../../../options.ts';
import type { LoadOptions, ModelFiles } from '../../model.ts';
import { ACTIVATION, LAYERS, ON, Seq2SeqConfig, type Seq2SeqFamily, SIZE } from '../config.ts';
import type { StackShape } from '../shape.ts';
import { bartStack } from './bart.ts';

const FIELDS: Readonly<Record<string, Rule>> = {
  activation_function: ACTIVATION,
  scale_embedding: flag,
  tie_word_embeddings: ON,
  num_mel_bins: SIZE,
  ...{ max_source_positions: SIZE, max_target_positions: SIZE },
  ...{ encoder_layers: LAYERS, decoder_layers: LAYERS },
  ...{ encoder_attention_heads: SIZE, decoder_attention_heads: SIZE },
  ...{ encoder_ffn_dim: SIZE, decoder_ffn_dim: SIZE },
};

/** Whisper (Radford et al. 2022): an encoder of spectrograms, and a decoder of text and times. */
export function family(files: ModelFiles, options: LoadOptions): Seq2SeqFamily {
  const config = new Seq2SeqConfig(files, FIELDS);
  const width = config.need('d_model');
  const stack = (name: string, length: number): StackShape => ({
    ...bartStack(config, name),
    length,
    positions: { kind: 'table', name: `model.${name}.embed_positions`, offset: 0 },
    norms: { after: `model.${name}.layer_norm` },
  });
  return config.family({
    width,
    vocabulary: config.need('vocab_size'),
    audio: { mels: config.need('num_mel_bins'), prefix: 'model.encoder.' },
    encoder: stack('encoder', config.need('max_source_positions')),
    decoder: stack('decoder', config.length(config.need('max_target_positions'), options)),
    normFirst: true,
    norm: 'layer',
    epsilon: 1e-5,
    activation: config.get('activation_function', 'gelu'),
    gated: false,
    biases: { key: false, others: true },
    embeddingScale: config.get('scale_embedding', false) ? Math.sqrt(width) : 1,
    headScale: 1,
    table: 'model.decoder.embed_tokens',
    copies: ['proj_out'],
  });
}
