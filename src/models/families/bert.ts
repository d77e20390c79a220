import { flag, integer, type Rule } from '../../options.ts';
import { ACTIVATION, EncoderConfig, SIZE, type SizeNames } from '../encoder/config.ts';
import type { EncoderFamily, EncoderLayer, EncoderShape, HeadStep } from '../encoder/shape.ts';
import type { LoadOptions, ModelFiles } from '../model.ts';

export const groups = [] as const;

/** A product with its bias. */
const step = (weight: string, activation?: string, norm?: string): HeadStep => ({
  ...{ weight, bias: `${weight}.bias` },
  ...(activation && { activation }),
  ...(norm && { norm }),
});

/** What differs from kind to kind. */
interface Kind {
  readonly prefix: string;
  readonly layer: (index: number) => EncoderLayer;
  /** Fields of the config. */
  readonly own?: Readonly<Record<string, Rule>>;
  readonly sizes?: SizeNames;
  /** Positions before a text's. */
  readonly first?: (config: EncoderConfig) => number;
  /** Of its MLP. */
  readonly activation?: string;
  readonly epsilon?: number;
  readonly typeless?: boolean;
  readonly classifier: readonly HeadStep[] | 'pooled';
  /** The head of masked tokens: a product, then the table's, whose bias has a name of its own. */
  readonly mask: (activation: string) => { readonly first: HeadStep; readonly head: string; readonly bias: string };
}

const bertLayer = (index: number): EncoderLayer => {
  const layer = `encoder.layer.${index}`;
  const own = `${layer}.attention.self`;
  return {
    qkv: { name: `${own}.qkv`, rows: ['query', 'key', 'value'].map((name) => ({ name: `${own}.${name}` })) },
    output: `${layer}.attention.output.dense`,
    attentionNorm: `${layer}.attention.output.LayerNorm`,
    up: `${layer}.intermediate.dense`,
    down: `${layer}.output.dense`,
    mlpNorm: `${layer}.output.LayerNorm`,
  };
};

const robertaHead = { classifier: [step('classifier.dense', 'tanh'), step('classifier.out_proj')] };
const robertaMask: Kind['mask'] = () => ({
  first: step('lm_head.dense', 'gelu', 'lm_head.layer_norm'),
  head: 'lm_head.decoder',
  bias: 'lm_head.bias',
});

const BERT: Kind = {
  prefix: 'bert.',
  layer: bertLayer,
  classifier: 'pooled',
  mask: (activation) => ({
    first: step('cls.predictions.transform.dense', activation, 'cls.predictions.transform.LayerNorm'),
    head: 'cls.predictions.decoder',
    bias: 'cls.predictions.bias',
  }),
};
const ROBERTA: Kind = {
  prefix: 'roberta.',
  layer: bertLayer,
  first: (config) => config.get('pad_token_id', 1) + 1,
  ...robertaHead,
  mask: robertaMask,
};

const KINDS: Readonly<Record<string, Kind>> = {
  bert: BERT,
  roberta: ROBERTA,
  camembert: ROBERTA,
  'xlm-roberta': ROBERTA,
  distilbert: {
    prefix: 'distilbert.',
    own: {
      ...{ dim: SIZE, n_layers: integer(1, 10_000), n_heads: SIZE, hidden_dim: SIZE },
      ...{ activation: ACTIVATION, sinusoidal_pos_embds: flag },
    },
    sizes: { width: 'dim', layers: 'n_layers', heads: 'n_heads', inner: 'hidden_dim' },
    activation: 'activation',
    epsilon: 1e-12,
    typeless: true,
    layer(index) {
      const layer = `transformer.layer.${index}`;
      const rows = ['q_lin', 'k_lin', 'v_lin'].map((name) => ({ name: `${layer}.attention.${name}` }));
      return {
        qkv: { name: `${layer}.attention.qkv`, rows },
        output: `${layer}.attention.out_lin`,
        attentionNorm: `${layer}.sa_layer_norm`,
        up: `${layer}.ffn.lin1`,
        down: `${layer}.ffn.lin2`,
        mlpNorm: `${layer}.output_layer_norm`,
      };
    },
    classifier: [step('pre_classifier', 'relu'), step('classifier')],
    mask: (activation) => ({
      first: step('vocab_transform', activation, 'vocab_layer_norm'),
      head: 'vocab_projector',
      bias: 'vocab_projector.bias',
    }),
  },
  electra: {
    prefix: 'electra.',
    own: { embedding_size: SIZE },
    layer: bertLayer,
    classifier: [step('classifier.dense', 'gelu'), step('classifier.out_proj')],
    mask: () => ({
      first: step('generator_predictions.dense', 'gelu', 'generator_predictions.LayerNorm'),
      head: 'generator_lm_head',
      bias: 'generator_lm_head.bias',
    }),
  },
  mpnet: {
    prefix: 'mpnet.',
    own: { relative_attention_num_buckets: SIZE },
    first: () => 2,
    typeless: true,
    layer(index) {
      const layer = `encoder.layer.${index}`;
      const own = `${layer}.attention.attn`;
      return {
        ...bertLayer(index),
        qkv: { name: `${own}.qkv`, rows: ['q', 'k', 'v'].map((name) => ({ name: `${own}.${name}` })) },
        output: `${own}.o`,
        attentionNorm: `${layer}.attention.LayerNorm`,
      };
    },
    ...robertaHead,
    mask: robertaMask,
  },
};

/**
 * BERT (Devlin et al. 2019), and what is BERT but for names and an option: RoBERTa (positions begin after the padding's), XLM-R, CamemBERT,
 * DistilBERT and MPNet (no segments; MPNet adds to scores by distance), ELECTRA (narrow tables). As transformers computes them.
 */
export function encoder(files: ModelFiles, options: LoadOptions): EncoderFamily {
  const type = String(files.config?.['model_type']);
  const kind = KINDS[type]!;
  const table = 'embeddings.word_embeddings';
  const config = new EncoderConfig(files, kind.own ?? {}, kind.prefix, table);
  const { weights } = config;
  const first = kind.first?.(config) ?? 0;
  const sizes = config.sizes(options, first, kind.sizes);
  const activation = config.get(kind.activation ?? 'hidden_act', 'gelu');
  const narrow = type === 'electra' ? config.get('embedding_size', 128) : sizes.width;
  const types = kind.typeless ? 0 : config.get('type_vocab_size', 2);
  const shape: EncoderShape = {
    ...sizes,
    activation,
    epsilon: kind.epsilon ?? config.get('layer_norm_eps', 1e-12),
    normalized: 'sums',
    gated: false,
    biases: { qkv: true, output: true, mlp: true, norm: true },
    positions: { name: 'embeddings.position_embeddings', first, rows: config.need('max_position_embeddings') },
    types: types ? { name: 'embeddings.token_type_embeddings', count: types } : undefined,
    ...(narrow !== sizes.width && { narrow: { width: narrow, name: 'embeddings_project' } }),
    ...(type === 'mpnet' && {
      relative: {
        name: 'encoder.relative_attention_bias',
        buckets: config.get('relative_attention_num_buckets', 32),
        farthest: 128,
      },
    }),
    names: { table, tableNorm: 'embeddings.LayerNorm' },
    layer: kind.layer,
  };
  const mask = kind.mask(activation);
  const tied = config.get('tie_word_embeddings', true);
  const last = {
    weight: tied ? weights.prefix + table : mask.head,
    bias: weights.at('').has(mask.bias) ? mask.bias : `${mask.head}.bias`,
  };
  const pooled = [step(`${weights.prefix}pooler.dense`, 'tanh'), step('classifier')];
  return {
    architecture: type,
    ...{ config, shape, weights },
    classifiedBy: 'first',
    heads: {
      'text-classification': kind.classifier === 'pooled' ? pooled : kind.classifier,
      'token-classification': [step('classifier')],
      'question-answering': [step('qa_outputs')],
      'fill-mask': [mask.first, last],
    },
  };
}
