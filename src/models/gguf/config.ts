import { TilewrightError } from '../../errors.ts';
import type { GgufCheckpoint, GgufValue } from '../../formats/gguf.ts';
import { checkFields, either, flag, integer, list, number, oneOf, type Rule, refuse, shown } from '../../options.ts';
import type { Fields } from '../config.ts';

/** What an architecture of GGML is here. */
export interface Architecture {
  /** The `model_type` of transformers. */
  readonly type: string;
  /** Rows of queries and keys lie in pairs, as the first elements of a head are turned with the second ones (tensors.ts). */
  readonly paired?: boolean;
  /** Weights of normalisations have 1 added. */
  readonly added?: boolean;
  /** Blocks are normalised after too. */
  readonly after?: boolean;
  /** Fields that not every architecture has. */
  readonly fields?: readonly string[];
  /** Of so many layers, queries are scaled by the width over the heads, else by the size of a head: GGUF does not say it. */
  readonly wide?: number;
}

const [WINDOW, PATTERN, NEAR] = ['attention.sliding_window', 'attention.sliding_window_pattern', 'rope.freq_base_swa'];
const CAPS = ['attn_logit_softcapping', 'final_logit_softcapping'];
/** What only those have that name it. */
const SOME = [WINDOW, PATTERN, NEAR, ...CAPS];

/** By `general.architecture`: those whose metadata say all that the family of models/families asks. */
export const ARCHITECTURES: Readonly<Record<string, Architecture>> = {
  llama: { type: 'llama', paired: true, fields: [WINDOW] },
  qwen2: { type: 'qwen2' },
  qwen3: { type: 'qwen3' },
  gemma: { type: 'gemma', added: true },
  gemma2: { type: 'gemma2', added: true, after: true, wide: 46, fields: [WINDOW, ...CAPS] },
  gemma3: { type: 'gemma3_text', added: true, after: true, wide: 62, fields: [WINDOW, PATTERN, NEAR, ...CAPS] },
  phi3: { type: 'phi3', fields: [WINDOW] },
};

const SIZE = integer(1);
const NUMBER = number();
const ID = integer(0);
const none: Rule = ['nothing', (value) => value === 0 || value === false];

/** Fields after `ARCHITECTURE.`: what they may be. Others are refused. */
const RULES: Readonly<Record<string, Rule>> = {
  vocab_size: SIZE,
  context_length: SIZE,
  embedding_length: SIZE,
  block_count: SIZE,
  feed_forward_length: SIZE,
  attn_logit_softcapping: NUMBER,
  final_logit_softcapping: NUMBER,
  expert_count: none,
  expert_used_count: none,
  'attention.head_count': SIZE,
  'attention.head_count_kv': SIZE,
  'attention.key_length': SIZE,
  'attention.value_length': SIZE,
  'attention.layer_norm_rms_epsilon': NUMBER,
  'attention.causal': oneOf(true),
  [WINDOW]: ID,
  [PATTERN]: either(SIZE, list(flag)),
  'rope.dimension_count': SIZE,
  'rope.freq_base': NUMBER,
  [NEAR]: NUMBER,
  'rope.scaling.type': oneOf('none', 'linear', 'yarn', 'longrope'),
  'rope.scaling.factor': NUMBER,
  'rope.scaling.attn_factor': NUMBER,
  'rope.scaling.original_context_length': SIZE,
  'rope.scaling.finetuned': flag, // whether it was trained with that scaling: changes nothing
};

/** Fields of the tokenizer that say which tokens begin and end a text. */
const TOKENS: Readonly<Record<string, Rule>> = {
  'tokenizer.ggml.bos_token_id': ID,
  'tokenizer.ggml.eos_token_id': ID,
  'tokenizer.ggml.eot_token_id': ID,
  'tokenizer.ggml.eom_token_id': ID,
};

/** Samplers that the file recommends, under the names of generation_config.json. */
const SAMPLING: Readonly<Record<string, string>> = {
  temp: 'temperature',
  top_k: 'top_k',
  top_p: 'top_p',
  min_p: 'min_p',
  penalty_repeat: 'repetition_penalty',
};

/** The architecture of a file. Errors: `unknown-architecture`; `unsupported-option` for a part of a split model, or an adapter. */
export function architectureOf(name: string, fields: ReadonlyMap<string, GgufValue>): Architecture {
  const said = fields.get('general.architecture');
  checkFields(name, Object.fromEntries(fields), {
    'general.type': oneOf('model'),
    'split.count': oneOf(0, 1),
  });
  const known = typeof said === 'string' && Object.hasOwn(ARCHITECTURES, said) ? ARCHITECTURES[said] : undefined;
  if (known) return known;
  throw new TilewrightError(
    'unknown-architecture',
    `${name}: the architecture ${shown(said)} of a GGUF file is not known`,
    {
      hint: `Known are ${Object.keys(ARCHITECTURES).join(', ')}.`,
    },
  );
}

/** The fields after `ARCHITECTURE.`, by their rules. Error: `unsupported-option`. */
function ownFields(
  name: string,
  fields: ReadonlyMap<string, GgufValue>,
  { fields: some = [] }: Architecture,
): Readonly<Record<string, GgufValue>> {
  const prefix = `${fields.get('general.architecture')}.`;
  const own = [...fields]
    .filter(([key]) => key.startsWith(prefix))
    .map(([key, value]) => [key.slice(prefix.length), value]);
  const said = Object.fromEntries(own) as Record<string, GgufValue>;
  const unknown: Rule = ['no such field', () => false];
  const ruleOf = (key: string): Rule => (SOME.includes(key) && !some.includes(key) ? none : (RULES[key] ?? unknown));
  checkFields(`${name}: ${prefix}*`, said, Object.fromEntries(Object.keys(said).map((key) => [key, ruleOf(key)])));
  return said;
}

/**
 * config.json as transformers has it of the model that the file was made from. `factors` are numbers of the tensors `rope_freqs` and
 * `rope_factors_*`. Error: `unsupported-option`.
 */
export function configOf(
  name: string,
  { fields, tensors }: GgufCheckpoint,
  architecture: Architecture,
  factors: (tensor: string) => readonly number[] | undefined,
): Fields {
  const { type, wide } = architecture;
  const own = ownFields(name, fields, architecture);
  const said = <T = number>(key: string): T | undefined => own[key] as T | undefined;
  const tokens = Object.fromEntries(Object.keys(TOKENS).map((key) => [key, fields.get(key)]));
  checkFields(name, tokens, TOKENS);
  const [width, heads, layers] = [said('embedding_length'), said('attention.head_count'), said('block_count')];
  const headSize = said('attention.key_length') ?? (width && heads ? width / heads : undefined);
  const valueSize = said('attention.value_length') ?? headSize;
  if (valueSize !== headSize)
    refuse('unsupported-option', name, 'attention.value_length', `attention.key_length, ${headSize}`, valueSize);
  const turned = said('rope.dimension_count') ?? headSize;
  if (turned !== undefined && headSize !== undefined && turned > headSize)
    refuse('unsupported-option', name, 'rope.dimension_count', `at most ${headSize}`, turned);
  const window = said(WINDOW) || undefined;
  const pattern = said<number | readonly boolean[]>(PATTERN);
  const [first, ...others] = ['bos', 'eos', 'eot', 'eom'].map((kind) => tokens[`tokenizer.ggml.${kind}_token_id`]);
  const ends = [...new Set(others.filter((id) => id !== undefined))];
  const config: Record<string, unknown> = {
    // Llama with a window is Mistral.
    model_type: type === 'llama' && window !== undefined ? 'mistral' : type,
    vocab_size: said('vocab_size') ?? tensors.get('token_embd.weight')?.shape[0],
    hidden_size: width,
    num_hidden_layers: layers,
    intermediate_size: said('feed_forward_length'),
    num_attention_heads: heads,
    num_key_value_heads: said('attention.head_count_kv') ?? heads,
    head_dim: headSize,
    max_position_embeddings: said('context_length'),
    original_max_position_embeddings: said('rope.scaling.original_context_length'),
    rms_norm_eps: said('attention.layer_norm_rms_epsilon'),
    rope_theta: said('rope.freq_base'),
    rope_local_base_freq: said(NEAR),
    rope_scaling: scalingOf(name, said, factors),
    // Of so many elements, rounded down.
    partial_rotary_factor: turned === headSize ? undefined : (turned! + 0.5) / headSize!,
    tie_word_embeddings: !tensors.has('output.weight'),
    attention_bias: tensors.has('blk.0.attn_output.bias'),
    mlp_bias: tensors.has('blk.0.ffn_down.bias'),
    attn_logit_softcapping: said('attn_logit_softcapping'),
    final_logit_softcapping: said('final_logit_softcapping'),
    sliding_window: window,
    sliding_window_pattern: typeof pattern === 'number' ? pattern : undefined,
    layer_types: Array.isArray(pattern)
      ? pattern.map((slides) => (slides ? 'sliding_attention' : 'full_attention'))
      : undefined,
    query_pre_attn_scalar: wide === undefined ? undefined : layers === wide ? width! / heads! : headSize,
    bos_token_id: first,
    eos_token_id: ends.length ? ends : undefined,
  };
  return Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined));
}

/** rope_scaling of config.json. */
function scalingOf(
  name: string,
  said: <T = number>(key: string) => T | undefined,
  factors: (tensor: string) => readonly number[] | undefined,
): Fields | undefined {
  const kind = said<string>('rope.scaling.type') ?? 'none';
  const [factor, attention] = ['factor', 'attn_factor'].map((key) => said(`rope.scaling.${key}`));
  const each = factors('rope_freqs.weight');
  const [short, long] = [factors('rope_factors_short.weight'), factors('rope_factors_long.weight')];
  if (each && kind !== 'none')
    refuse('unsupported-option', name, 'rope.scaling.type', 'nothing beside the tensor rope_freqs.weight', kind);
  // Each frequency has a factor of its own, as Llama 3.1's have.
  if (each) return { rope_type: 'longrope', short_factor: each, long_factor: each, attention_factor: 1 };
  if (short && long)
    return {
      ...{ rope_type: 'longrope', short_factor: short, long_factor: long },
      ...(factor !== undefined && { factor }),
      ...(attention !== undefined && { attention_factor: attention }),
    };
  if (kind === 'none') return undefined;
  if (attention !== undefined && attention !== 1)
    refuse('unsupported-option', name, 'rope.scaling.attn_factor', '1', attention);
  return { rope_type: kind, factor };
}

/** generation_config.json: the samplers that the file recommends. Error: `unsupported-option`. */
export function generationOf(name: string, fields: ReadonlyMap<string, GgufValue>): Fields | undefined {
  const prefix = 'general.sampling.';
  const said = [...fields].filter(([key]) => key.startsWith(prefix));
  if (!said.length) return undefined;
  const named = said.map(([key, value]) => {
    const own = SAMPLING[key.slice(prefix.length)];
    return own ? [own, value] : refuse('unsupported-option', name, key, 'nothing', value);
  });
  return { ...Object.fromEntries(named), do_sample: true, _from_model_config: true };
}
