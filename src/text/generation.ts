import { checkFields, either, flag, integer, list, oneOf, type Rule, text } from '../options.ts';
import { ADJUSTMENT_RULES, type AdjustmentOptions, SEQUENCE_BIAS, type SequenceBias } from './adjustments.ts';
import { SAMPLER_RULES, type SamplerOptions } from './sampler.ts';

type Fields = Readonly<Record<string, unknown>>;

/** What a model's folder says of generating: it holds where the caller says nothing. */
export interface GenerationDefaults {
  readonly options: SamplerOptions & AdjustmentOptions & { stopStrings?: readonly string[] };
  /** The tokens that end a text. */
  readonly stopTokens: readonly number[] | undefined;
  /** What an empty prompt begins with. */
  readonly startToken: number | undefined;
  /** How many tokens come after a prompt of this length, where that is said. */
  count(prompt: number): number | undefined;
  /** A field as the files have it. */
  field<T>(name: string): T | undefined;
}

const ID = integer(0);
const EMPTY: Rule = [
  'nothing',
  (value) => value === false || (typeof value === 'object' && !Object.keys(value as object).length),
];

const each = (rule: Rule, names: string): Record<string, Rule> =>
  Object.fromEntries(names.split(' ').map((name) => [name, rule]));

/** What is read, and what would change the text and is not computed: at its neutral value. */
const RULES: Readonly<Record<string, Rule>> = {
  do_sample: flag,
  temperature: SAMPLER_RULES.temperature,
  top_k: ID,
  top_p: SAMPLER_RULES.topP,
  min_p: SAMPLER_RULES.minP,
  repetition_penalty: ADJUSTMENT_RULES.repetitionPenalty,
  presence_penalty: ADJUSTMENT_RULES.presencePenalty,
  frequency_penalty: ADJUSTMENT_RULES.frequencyPenalty,
  no_repeat_ngram_size: ID,
  sequence_bias: either(EMPTY, SEQUENCE_BIAS),
  bad_words_ids: list(list(ID)),
  suppress_tokens: list(ID),
  stop_strings: either(text, list(text)),
  max_new_tokens: ID,
  max_length: ID,
  bos_token_id: ID,
  eos_token_id: either(ID, list(ID)),
  ...each(
    oneOf(1),
    'encoder_repetition_penalty num_beams num_beam_groups num_return_sequences typical_p guidance_scale',
  ),
  ...each(
    oneOf(0),
    'encoder_no_repeat_ngram_size min_length min_new_tokens top_h penalty_alpha epsilon_cutoff eta_cutoff',
  ),
  ...each(
    EMPTY,
    'force_words_ids begin_suppress_tokens forced_bos_token_id forced_eos_token_id forced_decoder_ids exponential_decay_length_penalty constraints watermarking_config dola_layers token_healing max_time',
  ),
};

/**
 * Reads generation_config.json, or where there is none what config.json says of generating; also which tokens begin and
 * end a text, where the former was made from the latter (`_from_model_config`). `do_sample: false` is temperature 0.
 * `beside`: rules for what the caller computes too. Error: `unsupported-option`.
 */
export function readGeneration(
  name: string,
  config: Fields = {},
  own?: Fields,
  beside: Readonly<Record<string, Rule>> = {},
): GenerationDefaults {
  const { bos_token_id = own?.['bos_token_id'], eos_token_id = own?.['eos_token_id'] } = config;
  const tokens = { bos_token_id, eos_token_id };
  const fields: Fields = own ? { ...tokens, ...own, ...(own['_from_model_config'] === true && tokens) } : config;
  checkFields(`${name}: ${own ? 'generation_config.json' : 'config.json'}`, fields, { ...RULES, ...beside });
  const said = <T>(field: string): T | undefined => (fields[field] ?? undefined) as T | undefined;
  const most = said<number>('max_length');
  const ends = said<number | number[]>('eos_token_id');
  const never = [
    ...(said<number[][]>('bad_words_ids') ?? []),
    ...(said<number[]>('suppress_tokens') ?? []).map((id) => [id]),
  ].filter((ids) => ids.length);
  const biases = [
    ...Object.values(said<SequenceBias[]>('sequence_bias') ?? []),
    ...never.map((ids): SequenceBias => [ids, Number.NEGATIVE_INFINITY]),
  ];
  const options = {
    temperature: said('do_sample') === false ? 0 : said<number>('temperature'),
    topK: said<number>('top_k') || undefined, // 0 is none
    topP: said<number>('top_p'),
    minP: said<number>('min_p'),
    repetitionPenalty: said<number>('repetition_penalty'),
    presencePenalty: said<number>('presence_penalty'),
    frequencyPenalty: said<number>('frequency_penalty'),
    noRepeatNgramSize: said<number>('no_repeat_ngram_size'),
    sequenceBias: biases.length ? biases : undefined,
    stopStrings: [said<string | string[]>('stop_strings') ?? []].flat(),
  };
  return {
    options: Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
    stopTokens: ends === undefined ? undefined : [ends].flat(),
    startToken: said('bos_token_id'),
    field: said,
    count: (prompt) => said('max_new_tokens') ?? (most ? Math.max(1, most - prompt) : undefined),
  };
}
